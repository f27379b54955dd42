"""Batches are read as the library reads them, however packed; of what it cannot read each record keeps its place."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from shared import record_batches, records
from shared.record_batches import MOST_BYTES, _Batches
from shared.records import BATCH_UNREADABLE, MAX_VALUE_BYTES, RawRecord, Unreadable
from tests.support.batches import GZIP, LZ4, PACKED, PLAIN, SNAPPY, ZSTD, NoUtf8, builder
from tests.support.memory import NOW

HEADERS = [("ce_id", b"1"), ("nothing", None)]
ATTRIBUTES, LAST_DELTA, HEADER = 21, 23, 61
APPEND_TIME = 0x08
PLACE = TopicPartition("partners.ash.events", 0)
Read = list[tuple[int, Any]]
A, B, C, NEXT = (letter * 500 for letter in (b"a", b"b", b"c", b"n"))  # short ones are not packed


def batch(codec: int, *values: bytes | None, first: int = 0, headers: Any = None, step: int = 1) -> bytes:
    """Records of these values as one batch at offsets from `first`, as it is sent; `headers`: by number."""
    made = builder(codec)
    for number, value in enumerate(values):
        assert made.append(number * step, 1_700_000_000_000, b"k", value, (headers or {}).get(number, HEADERS))
    content = sealed(struct.pack("!q", first) + bytes(made.build())[8:])
    assert content[ATTRIBUTES + 1] & DefaultRecordBatch.CODEC_MASK == codec
    return content


def sealed(content: bytes) -> bytes:
    """The batch with its length and checksum as they must be for its content."""
    body = content[ATTRIBUTES:]
    return (
        content[:8]
        + struct.pack("!i", len(content) - 12)
        + content[12:17]
        + struct.pack("!I", calc_crc32c(body))
        + body
    )


def fetched(content: bytes, start: int = 0, batches: type = _Batches) -> list[Any]:
    """What a consumer is handed of a fetch, from an offset on."""
    return list(PartitionRecords(PLACE, batches(content), [], start, None, None, True, READ_UNCOMMITTED))


def read(content: bytes, start: int = 0) -> Read:
    """Offsets and values of a fetch, and `...` for a record that could not be read."""
    return [(r.offset, ... if tuple(r.headers) == BATCH_UNREADABLE else r.value) for r in fetched(content, start)]


@pytest.mark.parametrize("codec", [PLAIN, *PACKED])
def test_however_it_is_packed_a_batch_is_read_as_the_library_reads_it(codec: int) -> None:
    content = batch(codec, b"a" * 5000, None, b"") + batch(codec, B, first=3)
    assert fetched(content) == fetched(content, batches=MemoryRecords)
    assert read(content, 1) == [(1, None), (2, b""), (3, B)]


@pytest.mark.parametrize("codec", [PLAIN, *PACKED])
def test_where_records_were_removed_the_others_keep_their_places(codec: int) -> None:
    assert read(batch(codec, A, B, C, step=3)) == [(0, A), (3, B), (6, C)]


@pytest.mark.parametrize("codec", PACKED)
def test_of_what_unpacks_to_too_much_each_record_is_there_without_its_content(codec: int) -> None:
    content = batch(codec, b"small", b"\0" * MOST_BYTES, b"small too") + batch(codec, NEXT, first=3)
    assert len(content) < 1024 * 1024
    assert len(fetched(content, batches=MemoryRecords)[1].value) == MOST_BYTES  # whatever that is
    assert read(content) == [(0, ...), (1, ...), (2, ...), (3, NEXT)]
    assert read(content, 2) == [(2, ...), (3, NEXT)]


@pytest.mark.parametrize("codec", PACKED)
def test_what_just_fits_is_unpacked(codec: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = batch(codec, b"a" * 1000, b"b" * 1000)
    size = len(batch(PLAIN, b"a" * 1000, b"b" * 1000)) - HEADER
    for room, found in ((size, [(0, b"a" * 1000), (1, b"b" * 1000)]), (size - 1, [(0, ...), (1, ...)])):
        monkeypatch.setattr(record_batches, "_room", lambda room=room: bytearray(room))
        assert read(content) == found


@pytest.mark.parametrize("codec", PACKED)
def test_many_large_batches_are_not_in_memory_together(codec: int) -> None:
    batches = [batch(codec, b"\0" * (MOST_BYTES // 4), first=n) for n in range(5)]
    assert [len(value) for _, value in read(b"".join(batches))] == [MAX_VALUE_BYTES + 1] * 5


@pytest.mark.parametrize("size", [MOST_BYTES - 100, MOST_BYTES + 100])
@pytest.mark.parametrize("codec", PACKED)
def test_of_many_batches_a_few_are_unpacked_and_the_others_are_fetched_anew(codec: int, size: int) -> None:
    batches = [batch(codec, b"\0" * size, first=n) for n in range(5)]
    found: Read = []
    while len(found) < len(batches):
        fetch = read(b"".join(batches[len(found) :]), len(found))
        assert 0 < len(fetch) <= 3
        found += fetch
    shown = [(offset, ... if value is ... else len(value)) for offset, value in found]
    assert shown == [(offset, MAX_VALUE_BYTES + 1 if size < MOST_BYTES else ...) for offset in range(5)]


def test_headers_and_keys_do_not_fill_the_memory_either() -> None:
    large, many = [("x", b"\0" * MAX_VALUE_BYTES)], [("", b"")] * 1000
    packed_, plain = (batch(codec, A, B, C, headers={0: large, 2: many}) for codec in (ZSTD, PLAIN))
    assert read(packed_) == [(0, ...), (1, B), (2, ...)]
    assert read(plain) == [(0, A), (1, B), (2, C)]


def again(content: bytes) -> bytes:
    """The packed records twice."""
    return sealed(content + content[HEADER:])


def more(content: bytes) -> bytes:
    """Two bytes behind the packed records."""
    return sealed(content + b"\0\0")


@pytest.mark.parametrize(
    ("codec", "spoil", "error"), [(LZ4, again, CorruptRecordException), (SNAPPY, more, struct.error)]
)
def test_the_library_raises_over_some_of_them(codec: int, spoil: Callable[[bytes], bytes], error: type) -> None:
    with pytest.raises(error):
        fetched(spoil(batch(codec, A, B)), batches=MemoryRecords)


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("spoil", [again, more])
def test_over_bytes_that_do_not_belong_nothing_is_raised_and_no_record_is_missing(
    codec: int, spoil: Callable[[bytes], bytes]
) -> None:
    content = spoil(batch(codec, A, B))
    found = read(content + batch(codec, NEXT, first=2))
    assert [offset for offset, _ in found] == [0, 1, 2]
    assert found[-1] == (2, NEXT)


@pytest.mark.parametrize("codec", [PLAIN, *PACKED])
def test_what_lies_between_two_records_is_taken_for_none(codec: int) -> None:
    plain = bytearray(batch(PLAIN, b"a", b"b", b"c"))
    plain[HEADER + 1] = 0x80  # the attributes of the first
    content = packed(codec, bytes(plain[HEADER:]), 3)
    assert [(r.offset, r.key) for r in fetched(content, batches=MemoryRecords)] == [(1, None), (2, b"k")]
    assert read(content) == [(0, ...), (1, ...), (2, ...)]


def test_where_records_were_removed_none_comes_at_the_place_of_another() -> None:
    content = bytearray(batch(PLAIN, b"a", b"b", b"c", step=3))
    second = HEADER + 1 + (content[HEADER] >> 1)  # behind the first, whose length is one byte
    content[second + 3] = 0
    spoiled = sealed(bytes(content))
    assert [r.offset for r in fetched(spoiled, batches=MemoryRecords)] == [0, 6]
    assert read(spoiled) == [(0, b"a"), *((offset, ...) for offset in range(1, 7))]


def packed(codec: int, payload: bytes, count: int) -> bytes:
    """Bytes that are to be records, as a batch of so many."""
    pack = {PLAIN: bytes, GZIP: gzip_encode, SNAPPY: snappy_encode, LZ4: lz4_encode, ZSTD: zstd_encode}[codec]
    header = batch(codec, *[A] * count)[:HEADER]
    return sealed(header + pack(payload))


@pytest.mark.parametrize("codec", [PLAIN, *PACKED])
@pytest.mark.parametrize("odd", [0, 1, 2])
def test_a_header_name_that_is_no_text_is_read(codec: int, odd: int) -> None:
    content = batch(codec, A, B, C, headers={odd: [(NoUtf8("x"), b"1")]})
    found = fetched(content)
    assert [(r.offset, r.value) for r in found] == [(0, A), (1, B), (2, C)]
    assert tuple(found[odd].headers) == (("\udcff\udcfe", b"1"),)


def test_among_very_many_records_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_batches, "FEW", 2)
    content = batch(GZIP, A, B, C, headers={1: [(NoUtf8("x"), b"1")]})
    assert read(content) == [(0, A), (1, ...), (2, ...)]


def test_what_could_not_be_read_has_the_time_at_which_the_broker_took_it() -> None:
    content = bytearray(batch(ZSTD, b"\0" * MOST_BYTES))
    content[ATTRIBUTES + 1] |= APPEND_TIME
    (record,) = fetched(sealed(bytes(content)))
    assert (record.timestamp, record.timestamp_type, record.key) == (1_700_000_000_000, 1, None)


def test_such_a_record_is_answered_with_its_reason_and_nothing_else() -> None:
    raw = RawRecord("partners.ash.events", 0, 7, NOW, None, None, BATCH_UNREADABLE)
    answer = records.read_envelope(raw)
    assert isinstance(answer, Unreadable)
    assert [problem.message for problem in answer.problems] == ["The record is not readable: batch_unreadable."]
    assert records.load(records.dump(raw)) == raw
