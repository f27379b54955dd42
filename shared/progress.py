"""Progress: what a service has published and decided, told on a topic and kept by those who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock, positions, store, topics
from shared.asking import Asking, ask, beside
from shared.database import TRANSACTION_TIMEOUT_SECONDS, snapshot, table
from shared.pipeline import Deciding
from shared.relay import Snapshot
from shared.tables import ProgressRow

_PROGRESS: Final = table(ProgressRow)


_C: Final = positions.POSITIONS.c
_READ_TO: Final = select(_C.topic, _C.partition, _C.next_offset)
# The time up to which every partner's topic has been read; partitions that the log has lost do not count.
_DOOR: Final = select(func.min(_C.read_until), func.count().filter(_C.read_until.is_(None))).where(
    _C.topic.regexp_match(topics.EVENTS_PATTERN), ~_C.paused
)
_QUEUED: Final = store.QUARANTINE.c
_QUEUES: Final = select(_QUEUED.topic, _QUEUED.registration_id).where(_QUEUED.registration_id.is_not(None)).distinct()
_TOLD: Final = select(_PROGRESS.c.body).where(_PROGRESS.c.service == bindparam("service"))


async def take_snapshot(service: Deciding) -> Snapshot:
    """Positions, the times decided and received until, and the open queues, all of one moment."""
    async with snapshot(service.engine) as tx:
        (now, read_to), until, queues = await ask(tx, beside(_where(), service.received_until(), open_queues()))
    body = {
        "service": service.name,
        "positions": read_to,
        "decided_until": clock.render(now - timedelta(seconds=TRANSACTION_TIMEOUT_SECONDS)),
        "received_until": clock.render(until) if until else None,
        "queues": sorted(queues),
    }
    return Snapshot(topics.progress(service.name), body)


def _where() -> Asking[tuple[datetime, dict[str, dict[int, int]]]]:
    """The time by the database's clock, and the stored positions."""
    ((now,),), rows = yield [(positions.CLOCK, {}), (_READ_TO, {})]
    read_to: dict[str, dict[int, int]] = {}
    for topic, partition, offset in rows:
        read_to.setdefault(topic, {})[partition] = offset
    return now, read_to


def open_queues() -> Asking[frozenset[tuple[str, str]]]:
    """Topics and registrations whose records stand behind one that failed."""
    (rows,) = yield [(_QUEUES, {})]
    return frozenset((topic, registration) for topic, registration in rows)


async def keep(tx: AsyncConnection, body: Mapping[str, Any]) -> None:
    """Keep what another service has told last."""
    statement = upsert(_PROGRESS).values(service=body["service"], body=dict(body))
    again = {"body": statement.excluded.body}
    await tx.execute(statement.on_conflict_do_update(index_elements=["service"], set_=again))


def told_by(service: str) -> Asking[Mapping[str, Any] | None]:
    """What a service has told last, once this one has read all that was published for it up to then."""
    told, rows = yield [(_TOLD, {"service": service}), (_READ_TO, {})]
    if not told:
        return None
    ((body,),) = told
    own = {(topic, str(partition)): offset for topic, partition, offset in rows}
    for_it = body["ends"].keys() & {topic for topic, _ in own}  # another owner's requests are none of its business
    reached = all(
        own.get((topic, partition), 0) >= end for topic in for_it for partition, end in body["ends"][topic].items()
    )
    return body if reached else None


def door_received_until() -> Asking[datetime | None]:
    """The time up to which every partner's topic has been read."""
    (((least, unread),),) = yield [(_DOOR, {})]
    return None if unread else least


def instants(body: Mapping[str, Any], name: str) -> datetime | None:
    """A time of a progress message."""
    return clock.parse(body[name]) if body[name] else None


def queues_of(body: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The open queues of a progress message."""
    pairs: Sequence[Sequence[str]] = body["queues"]
    return frozenset((topic, registration) for topic, registration in pairs)
