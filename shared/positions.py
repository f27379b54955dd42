"""Stored positions: how far each partition has been read. They are the truth, and their locks come first.

The lock on a position also fences a zombie: who has lost a partition finds the position moved on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import topics
from shared.database import run, table
from shared.records import RawRecord
from shared.tables import PositionRow

Partition = tuple[str, int]
"""Topic and number."""

POSITIONS: Final = table(PositionRow)

_NAMED: Final = "unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]))"
_MAKE_MISSING: Final = text(f"""
    INSERT INTO positions (topic, "partition", next_offset)
    SELECT topic, number, 0 FROM {_NAMED} AS made (topic, number) ON CONFLICT DO NOTHING
""")
_LOCK: Final = text(f"""
    SELECT topic, "partition", next_offset FROM positions WHERE (topic, "partition") IN (SELECT * FROM {_NAMED})
    ORDER BY topic, "partition" FOR UPDATE
""")
_ADVANCE: Final = text("""
    UPDATE positions SET next_offset = reached, read_until = greatest(read_until, at)
    FROM unnest(
        CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]), CAST(:times AS timestamptz[])
    ) AS batch (of_topic, number, reached, at)
    WHERE topic = of_topic AND "partition" = number
""")


async def clock(tx: AsyncConnection) -> datetime:
    """The database's clock, read after the locks: what decisions of this transaction are dated by."""
    now: datetime = (await tx.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def claim(tx: AsyncConnection, batch: Sequence[RawRecord]) -> tuple[list[RawRecord], dict[Partition, int]]:
    """Lock the positions of a batch and move them on.

    Returns the records that were not read before, and the partitions whose batch begins above the stored position,
    with the offset to go back to; of those nothing is taken. Where compaction has removed records, a batch that
    begins above the position is none of these.
    """
    partitions = sorted({(record.topic, record.partition) for record in batch})
    stored = await locked(tx, partitions)
    first: dict[Partition, int] = {}
    for record in batch:
        key = (record.topic, record.partition)
        first[key] = min(record.offset, first.get(key, record.offset))
    gaps = {key: stored[key] for key in partitions if first[key] > stored[key] and not topics.compacted(key[0])}
    fresh = [
        record
        for record in batch
        if (key := (record.topic, record.partition)) not in gaps and record.offset >= stored[key]
    ]
    await _advance(tx, fresh)
    return fresh, gaps


async def locked(tx: AsyncConnection, partitions: Sequence[Partition]) -> dict[Partition, int]:
    """The stored positions of partitions, locked in order; a partition never seen starts at its beginning."""
    if not partitions:
        return {}
    named: dict[str, list[str | int]] = {
        "topics": [topic for topic, _ in partitions],
        "partitions": [partition for _, partition in partitions],
    }
    found = await _lock(tx, named)
    if len(found) < len(partitions):
        await tx.execute(_MAKE_MISSING, named)
        found = await _lock(tx, named)
    return found


async def _lock(tx: AsyncConnection, named: Mapping[str, Sequence[str | int]]) -> dict[Partition, int]:
    (found,) = await run(tx, (_LOCK, named))
    return {(topic, partition): offset for topic, partition, offset in found}


async def _advance(tx: AsyncConnection, fresh: Sequence[RawRecord]) -> None:
    last: dict[Partition, RawRecord] = {(record.topic, record.partition): record for record in fresh}
    if not last:
        return
    reached = {
        "topics": [record.topic for record in last.values()],
        "partitions": [record.partition for record in last.values()],
        "offsets": [record.offset + 1 for record in last.values()],
        "times": [record.received for record in last.values()],
    }
    await run(tx, (_ADVANCE, reached))
