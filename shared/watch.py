"""Gauges and the reading line: how far behind a service is, and up to when it has read all that was received."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import positions, store
from shared.database import among, table, transaction
from shared.metrics import Metrics
from shared.tables import HoldRow, QuarantineRow


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
    _show_behind(metrics, places, set(at_end), stored)


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
    """Set the gauges of what waits: holds, quarantine, the oldest message in the outbox, paused partitions."""
    async with transaction(engine) as tx:
        metrics.held.set(await _count(tx, select(func.count()).select_from(table(HoldRow))))
        metrics.quarantined.set(await _count(tx, select(func.count()).select_from(table(QuarantineRow))))
        await show_outbox(tx, metrics)


async def show_outbox(tx: AsyncConnection, metrics: Metrics) -> None:
    """Set the gauges that every service has: outbox and paused partitions."""
    c = store.OUTBOX.c
    age = select(func.extract("epoch", func.clock_timestamp() - func.min(c.since)))
    metrics.outbox_oldest.set(float((await tx.execute(age)).scalar_one() or 0))
    paused = select(func.count()).where(positions.POSITIONS.c.paused)
    metrics.paused.set(await _count(tx, paused))


async def _count(tx: AsyncConnection, statement: Any) -> int:
    return int((await tx.execute(statement)).scalar_one())
