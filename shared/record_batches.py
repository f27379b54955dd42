"""Batches of the log that aiokafka never gets past, so that one partner would stop all partners. The broker takes them.

Over a header's name that is no UTF-8 its consumer raises out of `getmany`, before any record of any partition is handed
over: only clients agree that names are text. And a batch that is small as it lies there may unpack to more than there
is memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from shared.records import NOT_UNPACKED

MOST_BYTES: Final = 16 * 1024 * 1024
"""What a batch may unpack to: sixteen times what a topic takes as one."""

_HEADER: Final = _DefaultRecordBatchPy.HEADER_STRUCT.size
_CODEC: Final = _DefaultRecordBatchPy.ATTRIBUTES_OFFSET + 1
# Snappy is not among them: it packs to a twentieth at most.
_UNPACK: Final[Mapping[int, Callable[[memoryview, bytearray], int]]] = {
    DefaultRecordBatch.CODEC_GZIP: cramjam.gzip.decompress_into,
    DefaultRecordBatch.CODEC_LZ4: cramjam.lz4.decompress_into,
    DefaultRecordBatch.CODEC_ZSTD: cramjam.zstd.decompress_into,
}


def read_every_batch() -> None:
    """Have consumers of this process read every batch.

    What is no UTF-8 in a header's name becomes lone surrogates. Of a batch that unpacks to more than `MOST_BYTES` each
    record comes without key and value, with the headers `NOT_UNPACKED`.
    """
    fetcher.MemoryRecords = _Batches


class _Lenient(bytearray):
    """Bytes whose parts decode as the names of files do: what is no text is kept apart, not refused."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Lenient(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, "surrogateescape")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch read by the library's Python code from lenient bytes."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Lenient(self._buffer)


class _Batch:
    """A batch as the fetcher uses it, read by the library's compiled code wherever that can."""

    def __init__(self, content: memoryview, compiled: DefaultRecordBatch) -> None:
        self._content = content
        self._compiled = compiled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)

    def __iter__(self) -> Iterator[Any]:
        content = _unpacked(self._compiled, self._content)
        if content is None:
            yield from _without_content(self._compiled)
            return
        read = 0
        try:
            for record in DefaultRecordBatch(content):
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_LenientBatch(content), read, None)


def _unpacked(batch: DefaultRecordBatch, content: memoryview) -> bytes | memoryview | None:
    """The batch as it would be if it had not been packed; None if that is too large."""
    unpack = _UNPACK.get(batch.compression_type)
    if unpack is None:
        return content
    try:
        size = unpack(content[_HEADER:], room := _room())
    except cramjam.DecompressionError:  # the room is full: what does not unpack at all the broker does not take
        return None
    header = bytearray(content[:_HEADER])
    header[_CODEC] &= ~DefaultRecordBatch.CODEC_MASK
    return b"".join((header, memoryview(room)[:size]))


@cache
def _room() -> bytearray:
    """Where batches are unpacked, one at a time."""
    return bytearray(MOST_BYTES)


def _without_content(batch: DefaultRecordBatch) -> Iterator[DefaultRecord]:
    for offset in range(batch.base_offset, batch.next_offset):
        yield DefaultRecord(offset, batch.max_timestamp, batch.timestamp_type, None, None, list(NOT_UNPACKED))


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]
    """What was fetched of a partition, batch by batch."""

    def next_batch(self) -> Any:
        """The next batch, if there is one."""
        content, batch = self._next_slice, super().next_batch()
        return _Batch(content, batch) if isinstance(batch, DefaultRecordBatch) else batch
