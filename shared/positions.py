"""Stored positions: how far each partition has been read. They are the truth, and their locks come first.

The lock on a position also fences a zombie: who has lost a partition finds the position moved on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import topics
from shared.asking import Asking
from shared.database import Statement, document, table
from shared.records import RawRecord
from shared.tables import PositionRow

Partition = tuple[str, int]
"""Topic and number."""

POSITIONS: Final = table(PositionRow)

_GIVEN: Final = (
    "(SELECT row ->> 0, CAST(row ->> 1 AS int) FROM json_array_elements(CAST(:places AS json)) AS given (row))"
)
_MAKE_MISSING: Final = text(f"""
    INSERT INTO positions (topic, "partition", next_offset)
    SELECT topic, number, 0 FROM {_GIVEN} AS made (topic, number) ON CONFLICT DO NOTHING
""")
_LOCK: Final = text(f"""
    SELECT topic, "partition", next_offset FROM positions WHERE (topic, "partition") IN {_GIVEN}
    ORDER BY topic, "partition" FOR UPDATE
""")
_ADVANCE: Final = text("""
    UPDATE positions SET next_offset = CAST(row ->> 2 AS bigint),
        read_until = greatest(read_until, CAST(row ->> 3 AS timestamptz))
    FROM json_array_elements(CAST(:rows AS json)) AS batch (row)
    WHERE topic = row ->> 0 AND "partition" = CAST(row ->> 1 AS int)
""")


CLOCK: Final = text("SELECT clock_timestamp()")


async def clock(tx: AsyncConnection) -> datetime:
    """The database's clock, read after the locks: what decisions of this transaction are dated by."""
    now: datetime = (await tx.execute(CLOCK)).scalar_one()
    return now


@dataclass(frozen=True)
class Claim:
    """What is to be taken of a batch: its records that were not read before.

    `gaps`: partitions whose batch begins above the stored position, with the offset to go back to; nothing of them is
    taken. `advance` moves the stored positions on, under the locks that the claim holds.
    """

    stored: Mapping[Partition, int]
    gaps: dict[Partition, int]
    advance: Sequence[Statement]

    def takes(self, record: RawRecord) -> bool:
        """Whether a record of the batch is to be taken."""
        place = (record.topic, record.partition)
        return place not in self.gaps and record.offset >= self.stored[place]


def claiming(batch: Sequence[RawRecord]) -> Asking[Claim]:
    """Lock the positions of a batch. Where compaction has removed records, a batch that begins above is no gap."""
    first: dict[Partition, int] = {}
    for record in batch:
        place = (record.topic, record.partition)
        first[place] = min(record.offset, first.get(place, record.offset))
    stored = yield from _locking(sorted(first))
    gaps = {place: stored[place] for place in stored if first[place] > stored[place] and not topics.compacted(place[0])}
    claim = Claim(stored, gaps, ())
    return replace(claim, advance=_advance([record for record in batch if claim.takes(record)]))


def taking_all(batch: Sequence[RawRecord]) -> Asking[Claim]:
    """All of some records that were read, and left, before: no position is concerned."""
    yield ()
    return Claim({(record.topic, record.partition): 0 for record in batch}, {}, ())


def _locking(partitions: Sequence[Partition]) -> Asking[dict[Partition, int]]:
    """The stored positions of partitions, locked in order; a partition never seen starts at its beginning."""
    named = {"places": document(partitions)}
    (found,) = yield [(_LOCK, named)]
    if len(found) < len(partitions):
        _, found = yield [(_MAKE_MISSING, named), (_LOCK, named)]
    return {(topic, partition): offset for topic, partition, offset in found}


def _advance(fresh: Sequence[RawRecord]) -> list[Statement]:
    last: dict[Partition, RawRecord] = {(record.topic, record.partition): record for record in fresh}
    if not last:
        return []
    rows = [(topic, partition, record.offset + 1, record.received) for (topic, partition), record in last.items()]
    return [(_ADVANCE, {"rows": document(rows)})]
