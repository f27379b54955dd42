"""Reading what other parts of the system tell: reference data and progress. Kept in the service's own database."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import positions, progress, topics
from shared.asking import ask
from shared.database import among, run, transaction
from shared.pipeline import REFERENCE, Done
from shared.records import RawRecord

_REFERENCE_PREFIX: Final = topics.reference("")

SettingsMoved = Callable[[AsyncConnection, Sequence[str]], Awaitable[None]]
"""What a service does when settings have changed, in the same transaction, which it ends."""


async def absorb(engine: AsyncEngine, batch: Sequence[RawRecord], settings_moved: SettingsMoved | None = None) -> Done:
    """Keep reference data and progress, positions with them."""
    async with transaction(engine) as tx:
        claim = await ask(tx, positions.claiming(batch))
        fresh = [record for record in batch if claim.takes(record)]
        await run(tx, *claim.advance)
        await _keep_reference(tx, [record for record in fresh if record.topic.startswith(_REFERENCE_PREFIX)])
        for record in _newest(r for r in fresh if not r.topic.startswith(_REFERENCE_PREFIX)):
            await progress.keep(tx, json.loads(record.value or b"null"))
        moved = [r.key.decode() for r in fresh if r.topic == topics.reference("settings") and r.key]
        if settings_moved and moved:
            await settings_moved(tx, moved)
    return Done(gaps=claim.gaps, records=len(fresh))


def _newest(records: Iterable[RawRecord]) -> Iterable[RawRecord]:
    """The last record of each topic: progress that is overtaken says nothing."""
    return {record.topic: record for record in records}.values()


async def _keep_reference(tx: AsyncConnection, records: Sequence[RawRecord]) -> None:
    """The newest value of each key; a tombstone removes it."""
    newest = {(r.topic.removeprefix(_REFERENCE_PREFIX), (r.key or b"").decode()): r.value for r in records}
    gone = [name for name, value in newest.items() if value is None]
    rows = [{"kind": kind, "key": key, "versions": json.loads(v)} for (kind, key), v in newest.items() if v is not None]
    if gone:
        await tx.execute(delete(REFERENCE).where(among((REFERENCE.c.kind, REFERENCE.c.key), gone)))
    if rows:
        statement = upsert(REFERENCE)
        again = {"versions": statement.excluded.versions}
        await tx.execute(statement.on_conflict_do_update(index_elements=["kind", "key"], set_=again), rows)


async def reference_is_read(engine: AsyncEngine, consumer: AIOKafkaConsumer) -> bool:
    """Whether all reference data that is on the topics now has been kept."""
    places = [TopicPartition(topics.reference(kind), 0) for kind in topics.REFERENCE_KINDS]
    ends = await consumer.end_offsets(places)
    c = positions.POSITIONS.c
    async with transaction(engine) as tx:
        rows = await tx.execute(select(c.topic, c.next_offset).where(c.topic.startswith(_REFERENCE_PREFIX)))
        stored = {topic: offset for topic, offset in rows}
    return all(stored.get(place.topic, 0) >= end for place, end in ends.items())
