"""Progress: what a service has published and decided, told on a topic and kept by those who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock, positions, store, topics
from shared.database import TRANSACTION_TIMEOUT_SECONDS, snapshot, table
from shared.pipeline import Deciding
from shared.relay import Snapshot
from shared.tables import ProgressRow

_PROGRESS: Final = table(ProgressRow)


async def take_snapshot(service: Deciding) -> Snapshot:
    """Positions, the times decided and received until, and the open queues, all of one moment."""
    async with snapshot(service.engine) as tx:
        now = await positions.clock(tx)
        c = positions.POSITIONS.c
        read_to: dict[str, dict[int, int]] = {}
        for topic, partition, offset in await tx.execute(select(c.topic, c.partition, c.next_offset)):
            read_to.setdefault(topic, {})[partition] = offset
        until = await service.received_until(tx)
        body = {
            "service": service.name,
            "positions": read_to,
            "decided_until": clock.render(now - timedelta(seconds=TRANSACTION_TIMEOUT_SECONDS)),
            "received_until": clock.render(until) if until else None,
            "queues": sorted(await open_queues(tx)),
        }
    return Snapshot(topics.progress(service.name), body)


async def open_queues(tx: AsyncConnection) -> frozenset[tuple[str, str]]:
    """Topics and registrations whose records stand behind one that failed."""
    c = store.QUARANTINE.c
    rows = await tx.execute(select(c.topic, c.registration_id).where(c.registration_id.is_not(None)).distinct())
    return frozenset((topic, registration) for topic, registration in rows)


async def keep(tx: AsyncConnection, body: Mapping[str, Any]) -> None:
    """Keep what another service has told last."""
    statement = upsert(_PROGRESS).values(service=body["service"], body=dict(body))
    again = {"body": statement.excluded.body}
    await tx.execute(statement.on_conflict_do_update(index_elements=["service"], set_=again))


async def told_by(tx: AsyncConnection, service: str) -> Mapping[str, Any] | None:
    """What a service has told last, once this one has read all that was published for it up to then."""
    body = (await tx.execute(select(_PROGRESS.c.body).where(_PROGRESS.c.service == service))).scalar()
    if body is None:
        return None
    c = positions.POSITIONS.c
    rows = await tx.execute(select(c.topic, c.partition, c.next_offset))
    own = {(topic, str(partition)): offset for topic, partition, offset in rows}
    for_it = body["ends"].keys() & {topic for topic, _ in own}  # another owner's requests are none of its business
    reached = all(
        own.get((topic, partition), 0) >= end for topic in for_it for partition, end in body["ends"][topic].items()
    )
    return body if reached else None


async def door_received_until(tx: AsyncConnection) -> datetime | None:
    """The time up to which every partner's topic has been read; partitions that the log has lost do not count."""
    c = positions.POSITIONS.c
    inbound = c.topic.regexp_match(topics.EVENTS_PATTERN)
    lines = select(func.min(c.read_until), func.count().filter(c.read_until.is_(None)))
    least, unread = (await tx.execute(lines.where(inbound, ~c.paused))).one()
    return None if unread else least


def instants(body: Mapping[str, Any], name: str) -> datetime | None:
    """A time of a progress message."""
    return clock.parse(body[name]) if body[name] else None


def queues_of(body: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The open queues of a progress message."""
    pairs: Sequence[Sequence[str]] = body["queues"]
    return frozenset((topic, registration) for topic, registration in pairs)
