"""What waits takes the room of what it says in the database, whatever a partner puts around it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from senconet.demonstration.wire import wire
from shared import store, topics
from shared.contract import read_again
from shared.database import transaction
from shared.pipeline import Deciding, process
from shared.records import MAX_VALUE_BYTES, RawRecord, load
from tests.support.histories import OURS
from tests.support.memory import NOW
from tests.support.telling import told


async def test_a_record_full_of_spaces_waits_without_them(door: Deciding) -> None:
    record = wire(told("resumed", "2023-02-01T10:00"))
    plain = RawRecord(topics.events(OURS), 0, 0, NOW, record.key, record.value, record.headers)
    assert record.value is not None
    large = replace(plain, value=record.value.replace(b"{", b"{" + b" " * (MAX_VALUE_BYTES - len(record.value)), 1))
    await process(door, [large])
    async with transaction(door.engine) as tx:
        kept = (await tx.execute(select(store.HOLDS.c.record))).scalar_one()
    assert len(kept) < 1500
    assert replace(read_again(load(kept)), raw=large) == read_again(large)
