"""Batches of the log that aiokafka never gets past, so that one partner would stop all partners. The broker takes them.

Its consumer raises out of `getmany`, before any record of any partition is handed over, again and again: over a header
whose name is no UTF-8 (only clients agree that names are text), or over bytes that the broker's own unpacking
overlooks. It takes for a record what lies between two. And what is small where it lies may unpack to more than there is
memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

import cramjam
from aiokafka.codec import snappy_decode
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from shared.records import BATCH_UNREADABLE, MAX_HEADERS, MAX_VALUE_BYTES

MOST_BYTES: Final = 16 * 1024 * 1024
"""What a batch may unpack to: sixteen times what a topic takes as one. So much is kept to unpack in."""

AT_ONCE: Final = 2 * MOST_BYTES
"""So much is unpacked of a fetch; what lies behind is fetched anew. One fetch may hold a thousand batches, 10 ms each:
meanwhile nothing else is done, and the group would take the reader for dead."""

FEW: Final = 10_000
"""Up to so many records of a batch are read by the library's Python code, 3 us each, where its compiled code cannot."""

_CODEC: Final = 22
"""The byte of a batch whose low bits name how it is packed."""

_COUNT: Final = struct.Struct("!57xi")
"""What stands before the records of a batch; at the end, how many there are."""

_FAULTS: Final = (
    CorruptRecordException,
    cramjam.DecompressionError,
    struct.error,
    ValueError,
    IndexError,
    OverflowError,
    MemoryError,
)
"""What the library raises over bytes that it cannot read."""


def _unpack_snappy(packed: memoryview, room: bytearray) -> int:
    """It packs to a twentieth at most, so this may be looked at afterwards."""
    unpacked = snappy_decode(packed.tobytes())
    if len(unpacked) > len(room):
        raise CorruptRecordException
    room[: len(unpacked)] = unpacked
    return len(unpacked)


_UNPACK: Final[Mapping[int, Callable[[memoryview, bytearray], int]]] = {
    DefaultRecordBatch.CODEC_GZIP: cramjam.gzip.decompress_into,
    DefaultRecordBatch.CODEC_SNAPPY: _unpack_snappy,
    DefaultRecordBatch.CODEC_LZ4: cramjam.lz4.decompress_into,
    DefaultRecordBatch.CODEC_ZSTD: cramjam.zstd.decompress_into,
}


def read_every_batch() -> None:
    """Have consumers of this process read every batch.

    What is no UTF-8 in a header's name becomes lone surrogates. A record that cannot be read, or whose batch unpacks to
    more than `MOST_BYTES`, comes at its place without key and value, with the headers `BATCH_UNREADABLE`; so do those
    behind it in its batch. Of a packed record a value that is too large is cut to where that still shows.
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

    def __init__(self, content: memoryview, compiled: DefaultRecordBatch, unpacking: Callable[[int], None]) -> None:
        self._content = content
        self._compiled = compiled
        self._unpacking = unpacking

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)

    def __iter__(self) -> Iterator[Any]:
        """The records, each where it may lie: of a batch from which none was removed, at the very next place.

        The library takes one byte of a record, its attributes, for a number that may be longer, and then reads on with
        what belongs to the next field.
        """
        batch, place, end = self._compiled, self._compiled.base_offset, self._compiled.next_offset
        (count,) = _COUNT.unpack_from(self._content)
        packed, whole = batch.compression_type in _UNPACK, count == end - place
        try:
            for record in _read(self._unpacked(), count):
                if not place <= record.offset < end or (whole and record.offset != place):
                    raise CorruptRecordException
                yield _bounded(record) if packed else record
                place = record.offset + 1
        except _FAULTS:
            for offset in range(place, end):
                yield _without_content(offset, batch.max_timestamp, batch.timestamp_type)

    def _unpacked(self) -> bytes | memoryview:
        """The batch as it would be if it had not been packed. Raises one of `_FAULTS`."""
        unpack = _UNPACK.get(self._compiled.compression_type)
        if unpack is None:
            return self._content
        room, size = _room(), MOST_BYTES  # so much has been unpacked, too, of what turns out to be more
        try:
            size = unpack(self._content[_COUNT.size :], room)
        finally:
            self._unpacking(size)
        header = bytearray(self._content[: _COUNT.size])
        header[_CODEC] &= ~DefaultRecordBatch.CODEC_MASK
        return b"".join((header, memoryview(room)[:size]))


def _read(content: bytes | memoryview, count: int) -> Iterator[Any]:
    read = 0
    try:
        for record in DefaultRecordBatch(content):
            read += 1
            yield record
    except UnicodeDecodeError:
        if count > FEW:
            raise
        yield from islice(_LenientBatch(content), read, None)


@cache
def _room() -> bytearray:
    """Where batches are unpacked, one at a time."""
    return bytearray(MOST_BYTES)


def _bounded(record: Any) -> Any:
    """A packed record without most of what is too large: a fetch may hold some thousand batches that just fit."""
    key, value, headers = record.key, record.value, record.headers
    size = len(key or b"") + sum(len(name) + len(content or b"") for name, content in headers)
    if size > MAX_VALUE_BYTES or len(headers) > 2 * MAX_HEADERS:
        return _without_content(record.offset, record.timestamp, record.timestamp_type)
    if value is None or len(value) <= MAX_VALUE_BYTES:
        return record
    cut = value[: MAX_VALUE_BYTES + 1]
    return DefaultRecord(record.offset, record.timestamp, record.timestamp_type, key, cut, headers)


def _without_content(offset: int, received: int, kind: int) -> DefaultRecord:
    return DefaultRecord(offset, received, kind, None, None, list(BATCH_UNREADABLE))


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]
    """What was fetched of a partition, batch by batch, until `AT_ONCE` has been unpacked."""

    _left = AT_ONCE

    def has_next(self) -> bool:
        """Whether there is one more that is read of this fetch."""
        return self._left > 0 and super().has_next()

    def next_batch(self) -> Any:
        """The next batch, if there is one."""
        content, batch = self._next_slice, super().next_batch()
        return _Batch(content, batch, self._unpacking) if isinstance(batch, DefaultRecordBatch) else batch

    def _unpacking(self, size: int) -> None:
        self._left -= size
