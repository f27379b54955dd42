"""Batches of the log in which a header's name is no UTF-8: aiokafka raises over one, and never gets past it.

Its consumer raises out of `getmany` before any record of any partition is handed over, so that one partner's record
would stop all partners, in silence. The broker takes such names: only clients agree that they are text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


def read_any_header_name() -> None:
    """Have consumers of this process read every batch. What is no UTF-8 in a name becomes lone surrogates."""
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
        read = 0
        try:
            for record in self._compiled:
                read += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_LenientBatch(self._content), read, None)


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]
    """What was fetched of a partition, batch by batch."""

    def next_batch(self) -> Any:
        """The next batch, if there is one."""
        content, batch = self._next_slice, super().next_batch()
        return _Batch(content, batch) if isinstance(batch, DefaultRecordBatch) else batch
