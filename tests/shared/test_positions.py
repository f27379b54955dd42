"""Stored positions: what is taken of a batch, and what is gone back for."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from shared import positions, topics
from shared.asking import ask
from shared.database import run, transaction
from shared.records import RawRecord

EVENTS = topics.events("ash")


def records(topic: str, *offsets: int) -> list[RawRecord]:
    """Records at some offsets of a topic's first partition."""
    return [RawRecord(topic, 0, o, datetime(2026, 1, 1, tzinfo=UTC), b"k", b"{}", ()) for o in offsets]


async def taken(engine: AsyncEngine, batch: list[RawRecord]) -> tuple[list[int], dict[tuple[str, int], int]]:
    """The offsets that are taken of a batch, and the partitions to go back on."""
    async with transaction(engine) as tx:
        claim = await ask(tx, positions.claiming(batch))
        await run(tx, *claim.advance)
    return [record.offset for record in batch if claim.takes(record)], claim.gaps


async def test_a_record_that_was_read_before_is_not_taken_again(engine: AsyncEngine) -> None:
    assert await taken(engine, records(EVENTS, 0, 1, 2)) == ([0, 1, 2], {})
    assert await taken(engine, records(EVENTS, 1, 2, 3)) == ([3], {})
    assert await taken(engine, records(EVENTS, 1, 2, 3)) == ([], {})


async def test_of_a_batch_that_begins_above_the_stored_position_nothing_is_taken(engine: AsyncEngine) -> None:
    assert await taken(engine, records(EVENTS, 0, 1)) == ([0, 1], {})
    assert await taken(engine, records(EVENTS, 5, 6)) == ([], {(EVENTS, 0): 2})


async def test_records_that_compaction_removed_are_not_waited_for(engine: AsyncEngine) -> None:
    topic = topics.reference("settings")
    assert await taken(engine, records(topic, 0, 1)) == ([0, 1], {})
    assert await taken(engine, records(topic, 5, 9)) == ([5, 9], {})
    assert await taken(engine, records(topic, 5, 9, 10)) == ([10], {})
