"""Batches of the log as no client makes them, by the library's Python code, which leaves the names of headers alone."""

from __future__ import annotations

from typing import Final

from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

PLAIN, GZIP = DefaultRecordBatch.CODEC_NONE, DefaultRecordBatch.CODEC_GZIP
SNAPPY, LZ4, ZSTD = DefaultRecordBatch.CODEC_SNAPPY, DefaultRecordBatch.CODEC_LZ4, DefaultRecordBatch.CODEC_ZSTD
PACKED: Final = (GZIP, SNAPPY, LZ4, ZSTD)


class NoUtf8(str):
    """A header's name that goes out as bytes which no text is encoded as."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


def builder(codec: int) -> _DefaultRecordBatchBuilderPy:
    """Makes one batch of as many records as are appended, packed if that makes it smaller."""
    return _DefaultRecordBatchBuilderPy(2, codec, False, -1, -1, 0, 1 << 30)
