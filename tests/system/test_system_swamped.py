"""A partner's whole backlog is bad, and small as packed: the others are answered meanwhile, and each of it is too."""

from __future__ import annotations

from datetime import datetime
from itertools import cycle, islice
from typing import Final

from aiokafka import TopicPartition

from senconet.demonstration.model import Record
from shared import topics
from shared.kafka import read_to, reading
from tests.support.batches import ZSTD
from tests.system.batches import send_batch
from tests.system.events import Trainee
from tests.system.invariants import outcomes, quiet
from tests.system.support import Partner, Stage

BAD: Final = 10_000
GOOD: Final = 100
STILL_OPEN: Final = BAD // 4


def bad_records(partner: Partner) -> list[Record]:
    """Records that fail at one stage or another, none of which is waited for."""
    told = Trainee(partner.code).registered()
    registered = Trainee(partner.code).registered
    kinds = (
        Record(told.key, b"{", told.headers),
        Record(None, told.value, told.headers),
        Record(told.key, b"\xff\xfe", told.headers),
        Record(told.key, b'{"a": NaN}', told.headers),
        Record(told.key, told.value, ()),
        Record(b"another-key", told.value, told.headers),
        Record(told.key, b"{}", told.headers),
        registered(source="/partners/swamped-a/mis"),
        registered(type="uk.eysenco.trainee.promoted.v1"),
        registered(specversion="0.3"),
    )
    return list(islice(cycle(kinds), BAD))


def good_records(partner: Partner) -> list[Record]:
    """Short lives, none of whose records waits for anything."""
    trainees = [Trainee(partner.code) for _ in range(GOOD)]
    return [told for t in trainees for told in (t.registered(), t.attended(), t.withdrew(), t.deferred())]


async def published(stage: Stage, partner: Partner) -> list[datetime]:
    """When each of the receipts of a partner was published, in order."""
    place = TopicPartition(topics.receipts(partner.code), 0)
    async with reading(stage.kafka_options) as consumer:
        ends = await consumer.end_offsets([place])
        return [record.received async for batch in read_to(consumer, ends) for record in batch]


async def test_a_backlog_of_bad_records_keeps_nobody_else_waiting(stage: Stage):
    swamping, neighbour, other = [await stage.partner(code) for code in ("swamping", "swamped-a", "swamped-b")]
    stage.rest("enrolment")
    await send_batch(swamping, ZSTD, *bad_records(swamping))
    for partner in (neighbour, other):
        await partner.send(*good_records(partner))
    await stage.serve_async("enrolment")
    await stage.all_answered(neighbour, other, swamping, patience=90)
    await quiet(stage)
    answered = await published(stage, swamping)
    for partner in (neighbour, other):
        last = (await published(stage, partner))[-1]
        assert sum(at > last for at in answered) > STILL_OPEN
        assert await stage.differences(partner) == ()
    assert outcomes(stage, swamping) == {"rejected": BAD}
    assert await stage.differences(swamping) == ()
