"""Gauges and the reading line: how far behind a service is, and up to when it has read all that was received."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import Select, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import positions, store
from shared.database import among, table, transaction
from shared.metrics import Metrics
from shared.tables import HoldRow, QuarantineRow


def _last_received() -> Select[Any]:
    """Each partner with the append time of the last of its records that the journal answers.

    A step of the recursion and a look at the last row cost one probe of the index each, however long the journal is.
    """
    c = store.JOURNAL.c
    told = select(func.min(c.topic).label("topic")).cte("told", recursive=True)
    following = select(func.min(c.topic)).where(c.topic > told.c.topic).scalar_subquery()
    told = told.union_all(select(following).where(told.c.topic.is_not(None)))
    rows = select(c.partner, c.receivedtime).where(c.topic == told.c.topic)
    last = rows.order_by(c.partition.desc(), c.position.desc()).limit(1).lateral("last")
    return select(last.c.partner, last.c.receivedtime).select_from(told.join(last, true()))


_LAST_RECEIVED: Final = _last_received()


async def read_line(engine: AsyncEngine, consumer: AIOKafkaConsumer, margin: timedelta, metrics: Metrics) -> None:
    """Note for each assigned partition that is read to its end that all received until just now has been read.

    The clock is read before the ends: what is appended after that is later than the line, by more than the margin
    that clocks may differ by. The margin also covers the time after which a consumer sees a new topic: what was
    appended to one before the line is on a topic that the consumer knows of.
    """
    async with transaction(engine) as tx:
        now = await positions.clock(tx)
    places = sorted(consumer.assignment())
    if not places:
        return
    ends = await asyncio.wait_for(consumer.end_offsets(places), 5)
    c = positions.POSITIONS.c
    async with transaction(engine) as tx:
        found = await tx.execute(select(c.topic, c.partition, c.next_offset, c.read_until))
        stored = {(topic, partition): (offset, until) for topic, partition, offset, until in found}
        at_end = [p for p in places if stored.get((p.topic, p.partition), (0, None))[0] >= ends[p]]
        # A new partner's topic may hold a cure that nobody has been assigned to read yet: no line moves before.
        if consumer.subscription() <= {topic for topic, _ in stored}:
            await _note(tx, at_end, now - margin)
    still = consumer.assignment()
    _show_behind(metrics, [place for place in places if place in still], set(at_end), stored)


async def _note(tx: AsyncConnection, places: Sequence[TopicPartition], until: datetime) -> None:
    if not places:
        return
    c = positions.POSITIONS.c
    await tx.execute(
        update(positions.POSITIONS)
        .where(among((c.topic, c.partition), [(p.topic, p.partition) for p in places]))
        .values(read_until=func.greatest(c.read_until, until))
    )


def _show_behind(
    metrics: Metrics,
    places: Sequence[TopicPartition],
    at_end: set[TopicPartition],
    stored: dict[positions.Partition, tuple[int, datetime | None]],
) -> None:
    """Behind is the age of the first record not read; that of the last one read is the nearest that is known."""
    oldest: dict[str, float] = {}
    for place in places:
        until = stored.get((place.topic, place.partition), (0, None))[1]
        age = 0.0 if place in at_end or until is None else (datetime.now(UTC) - until).total_seconds()
        oldest[place.topic] = max(oldest.get(place.topic, 0.0), age)
    for topic, age in oldest.items():
        metrics.behind.labels(topic).set(age)


async def show_waiting(engine: AsyncEngine, metrics: Metrics) -> None:
    """Set the gauges of what has come and what waits: partners, holds, quarantine, outbox, paused partitions."""
    async with transaction(engine) as tx:
        await _show_partners(tx, metrics)
        await _show_holds(tx, metrics)
        metrics.quarantined.set(await _count(tx, select(func.count()).select_from(table(QuarantineRow))))
        await show_outbox(tx, metrics)


async def _show_partners(tx: AsyncConnection, metrics: Metrics) -> None:
    for row in await tx.execute(_LAST_RECEIVED):
        metrics.last_received.labels(row.partner).set(row.receivedtime.timestamp())


async def _show_holds(tx: AsyncConnection, metrics: Metrics) -> None:
    """One that waits past its deadline waits for us: a queue, or something not yet read, keeps it from its end."""
    c = table(HoldRow).c
    overdue = func.extract("epoch", func.clock_timestamp() - func.min(c.deadline))
    row: Any = (await tx.execute(select(func.count().label("held"), func.greatest(0, overdue).label("overdue")))).one()
    metrics.held.set(row.held)
    metrics.hold_overdue.set(float(row.overdue))


async def show_outbox(tx: AsyncConnection, metrics: Metrics) -> None:
    """Set the gauges that every service has: outbox and paused partitions."""
    c = store.OUTBOX.c
    age = select(func.extract("epoch", func.clock_timestamp() - func.min(c.since)))
    metrics.outbox_oldest.set(float((await tx.execute(age)).scalar_one() or 0))
    paused = select(func.count()).where(positions.POSITIONS.c.paused)
    metrics.paused.set(await _count(tx, paused))


async def _count(tx: AsyncConnection, statement: Any) -> int:
    return int((await tx.execute(statement)).scalar_one())
