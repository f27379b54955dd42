"""Stored positions: how far each partition has been read. They are the truth, and their locks come first.

The lock on a position also fences a zombie: who has lost a partition finds the position moved on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import topics
from shared.database import among, table
from shared.records import RawRecord
from shared.tables import PositionRow

Partition = tuple[str, int]
"""Topic and number."""

POSITIONS: Final = table(PositionRow)


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
    rows = [{"topic": topic, "partition": partition, "next_offset": 0} for topic, partition in partitions]
    await tx.execute(upsert(POSITIONS).on_conflict_do_nothing(), rows)
    statement = (
        select(POSITIONS.c.topic, POSITIONS.c.partition, POSITIONS.c.next_offset)
        .where(among((POSITIONS.c.topic, POSITIONS.c.partition), partitions))
        .order_by(POSITIONS.c.topic, POSITIONS.c.partition)
        .with_for_update()
    )
    return {(topic, partition): offset for topic, partition, offset in await tx.execute(statement)}


async def _advance(tx: AsyncConnection, fresh: Sequence[RawRecord]) -> None:
    last: dict[Partition, RawRecord] = {(record.topic, record.partition): record for record in fresh}
    if not last:
        return
    statement = (
        update(POSITIONS)
        .where(POSITIONS.c.topic == bindparam("t"), POSITIONS.c.partition == bindparam("p"))
        .values(next_offset=bindparam("n"), read_until=func.greatest(POSITIONS.c.read_until, bindparam("r")))
    )
    rows = [{"t": t, "p": p, "n": r.offset + 1, "r": r.received} for (t, p), r in sorted(last.items())]
    await tx.execute(statement, rows)
