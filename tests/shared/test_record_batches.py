"""Batches are read as the library reads them, however they are packed; one that unpacks to too much is not unpacked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy
from aiokafka.record.memory_records import MemoryRecords

from shared import record_batches, records
from shared.record_batches import MOST_BYTES, _Batches
from shared.records import NOT_UNPACKED, RawRecord, Unreadable
from tests.support.memory import NOW

PLAIN, SNAPPY = DefaultRecordBatch.CODEC_NONE, DefaultRecordBatch.CODEC_SNAPPY
BOUND = (DefaultRecordBatch.CODEC_GZIP, DefaultRecordBatch.CODEC_LZ4, DefaultRecordBatch.CODEC_ZSTD)
HEADERS = [("ce_id", b"1"), ("nothing", None)]


def batch(codec: int, *values: bytes | None) -> bytes:
    """Records of these values as one batch, as it is sent."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, False, -1, -1, 0, 1 << 30)
    for offset, value in enumerate(values):
        assert builder.append(offset, 1_700_000_000_000 + offset, b"key", value, HEADERS)
    return bytes(builder.build())


def read(content: bytes) -> list[tuple[Any, ...]]:
    """All records of what was fetched, as the services' consumers read them."""
    return told(_Batches(content))


def read_by_the_library(content: bytes) -> list[tuple[Any, ...]]:
    return told(MemoryRecords(content))


def told(batches: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    while batches.has_next():
        one = batches.next_batch()
        assert one.validate_crc()
        found += shown(one)
    return found


def shown(one: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [(r.offset, r.timestamp, r.timestamp_type, r.key, r.value, list(r.headers)) for r in one]


@pytest.mark.parametrize("codec", [PLAIN, SNAPPY, *BOUND])
def test_however_it_is_packed_a_batch_is_read_as_the_library_reads_it(codec: int) -> None:
    content = batch(codec, b"a" * 5000, None, b"") + batch(codec, b"b")
    assert read(content) == read_by_the_library(content)
    assert [value for *_, value, _ in read(content)] == [b"a" * 5000, None, b"", b"b"]


@pytest.mark.parametrize("codec", BOUND)
def test_of_what_unpacks_to_too_much_each_record_is_there_without_its_content(codec: int) -> None:
    content = batch(codec, b"small", b"\0" * MOST_BYTES, b"small too")
    assert len(content) < 1024 * 1024
    assert len(read_by_the_library(content)[1][4]) == MOST_BYTES  # whatever that is
    last = 1_700_000_000_002
    assert read(content) == [(n, last, 0, None, None, list(NOT_UNPACKED)) for n in range(3)]
    assert [value for *_, value, _ in read(content + batch(codec, b"next"))][3:] == [b"next"]


@pytest.mark.parametrize("codec", BOUND)
def test_what_just_fits_is_unpacked(codec: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = batch(codec, b"a" * 1000, b"b" * 1000)
    size = len(batch(PLAIN, b"a" * 1000, b"b" * 1000)) - record_batches._HEADER
    for room, fits in ((size, True), (size - 1, False)):
        monkeypatch.setattr(record_batches, "_room", lambda room=room: bytearray(room))
        assert (read(content) == read_by_the_library(content)) is fits


def test_such_a_record_is_answered_with_its_reason_and_nothing_else() -> None:
    raw = RawRecord("partners.ash.events", 0, 7, NOW, None, None, NOT_UNPACKED)
    answer = records.read_envelope(raw)
    assert isinstance(answer, Unreadable)
    assert [problem.message for problem in answer.problems] == ["The record is not readable: batch_too_large."]
    assert records.load(records.dump(raw)) == raw
