"""Proof that what reporting holds follows from the log: replay to the same offsets, in another order, and compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.projection import READ, Dated, Known, dated, take
from services.reporting.store import PERIODS, TRAINEES, known_of, period_of
from shared.database import make_engine, snapshot
from shared.kafka import read_to, reading
from shared.positions import POSITIONS


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds of a registration: what is known, and its periods in order."""

    known: Known
    periods: tuple[Dated, ...] = ()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many registrations were compared, and which differ, by id."""

    compared: int
    differing: tuple[str, ...]


async def rebuild(database_url: str, kafka_options: Mapping[str, Any], *, seed: int = 0) -> Rebuilt:
    """Compare the database with a replay of the topics, while the consumer goes on.

    The seed draws the order in which partitions are replayed, one after another; nothing may depend on it. What is
    compacted away before the consumer has read it shows as a difference until the consumer has caught up.
    """
    engine = make_engine(database_url)
    try:
        ends, held = await _live(engine)
    finally:
        await engine.dispose()
    return compare(held, await _replay(kafka_options, ends, seed))


def compare(held: Mapping[str, Held], replayed: Mapping[str, Known]) -> Rebuilt:
    """What the database holds against what a replay makes known; what only one of them has differs too."""
    ids = sorted(held.keys() | replayed.keys())
    return Rebuilt(len(ids), tuple(id_ for id_ in ids if _held(held, id_) != _expected(replayed, id_)))


def _held(held: Mapping[str, Held], id_: str) -> Held:
    return held.get(id_) or Held(Known(id_))


def _expected(replayed: Mapping[str, Known], id_: str) -> Held:
    known = replayed.get(id_) or Known(id_)
    return Held(known, dated(known))


async def _live(engine: AsyncEngine) -> tuple[dict[TopicPartition, int], dict[str, Held]]:
    """The positions and all that is held, of one moment."""
    async with snapshot(engine) as tx:
        c = POSITIONS.c
        positions = (await tx.execute(select(c.topic, c.partition, c.next_offset).where(c.topic.in_(READ)))).all()
        trainees = (await tx.execute(select(TRAINEES))).all()
        periods = (await tx.execute(select(PERIODS).order_by(PERIODS.c.registration_id, PERIODS.c.begins))).all()
    by_registration: dict[str, list[Dated]] = {}
    for row in periods:
        by_registration.setdefault(row.registration_id, []).append(period_of(row))
    known = {row.registration_id: known_of(row) for row in trainees}
    ids = known.keys() | by_registration.keys()
    held = {id_: Held(known.get(id_) or Known(id_), tuple(by_registration.get(id_, ()))) for id_ in ids}
    return {TopicPartition(topic, partition): offset for topic, partition, offset in positions}, held


async def _replay(options: Mapping[str, Any], ends: Mapping[TopicPartition, int], seed: int) -> dict[str, Known]:
    order = sorted(ends)
    Random(seed).shuffle(order)
    known: dict[str, Known] = {}
    async with reading(options) as consumer:
        for place in order:
            async for batch in read_to(consumer, {place: ends[place]}):
                for record in batch:
                    assert record.key is not None
                    id_ = record.key.decode()
                    known[id_] = take(known.get(id_) or Known(id_), record)
    return known
