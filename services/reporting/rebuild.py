"""Proof that what reporting holds follows from the log: replay to the same offsets, in another order, and compare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.reporting import receipts
from services.reporting.entries import Entry, entries
from services.reporting.partner_view import View, views
from services.reporting.periods import Dated, dated
from services.reporting.projection import READ, Known, Told, read, take
from services.reporting.receipts import RECEIPTS, Receipt
from services.reporting.store import ENTRIES, FACTS, KNOWN, PERIODS, VIEWS, entry_of, known_of, period_of
from shared.database import make_engine, snapshot
from shared.kafka import read_to, reading
from shared.positions import POSITIONS
from shared.records import RawRecord

Fact = tuple[str, int, str]
"""Topic, version, and whose it is."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds of a registration: what is known, and what follows from it.

    The version of a view is left out: it says when the view changed last, which depends on batches.
    """

    known: Known
    periods: tuple[Dated, ...] = ()
    entries: Mapping[Entry, int] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    facts: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class Everything:
    """All registrations by id, and all receipts."""

    held: Mapping[str, Held] = field(default_factory=dict)
    receipts: frozenset[Receipt] = frozenset()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many registrations and receipts were compared, and which differ: by id, or by partner and position."""

    compared: int
    differing: tuple[str, ...]
    receipts: int = 0


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


def compare(held: Everything, replayed: Everything) -> Rebuilt:
    """What the database holds against what a replay makes; what only one of them has differs too."""
    ids = sorted(held.held.keys() | replayed.held.keys())
    differing = [id_ for id_ in ids if _of(held, id_) != _of(replayed, id_)]
    answered = {(receipt.partner, receipt.position) for receipt in held.receipts | replayed.receipts}
    apart = {(receipt.partner, receipt.position) for receipt in held.receipts ^ replayed.receipts}
    named = [f"{partner} record {position}" for partner, position in sorted(apart)]
    return Rebuilt(len(ids), (*differing, *named), len(answered))


def _of(everything: Everything, id_: str) -> Held:
    return everything.held.get(id_) or Held(Known(id_))


def held_of(known: Known, facts: Iterable[Fact] = ()) -> Held:
    """What must be held of a registration, by what is known of it."""
    return Held(known, dated(known), entries(known), views(known), frozenset(facts))


async def _live(engine: AsyncEngine) -> tuple[dict[TopicPartition, int], Everything]:
    """The positions and all that is held, of one moment."""
    async with snapshot(engine) as tx:
        # It writes nothing and nobody waits for it: the bounds are for those that do, and all there is takes longer.
        for bound in ("transaction_timeout", "idle_in_transaction_session_timeout"):
            await tx.execute(text(f"SET LOCAL {bound} = 0"))
        c = POSITIONS.c
        positions = (await tx.execute(select(c.topic, c.partition, c.next_offset))).all()
        held = await held_in(tx)
    return {TopicPartition(topic, partition): offset for topic, partition, offset in positions}, held


async def held_in(tx: AsyncConnection) -> Everything:
    """All that the database holds."""
    known = {row.registration_id: known_of(row) for row in await tx.execute(KNOWN)}
    periods: defaultdict[str, list[Dated]] = defaultdict(list)
    for row in await tx.execute(select(PERIODS).order_by(PERIODS.c.registration_id, PERIODS.c.begins)):
        periods[row.registration_id].append(period_of(row))
    counted = await _entries(tx)
    shown: defaultdict[str, dict[str, View]] = defaultdict(dict)
    for row in await tx.execute(select(VIEWS)):
        shown[row.registration_id][row.partner] = {name: row.body[name] for name in row.body if name != "version"}
    facts: defaultdict[str, set[Fact]] = defaultdict(set)
    for row in await tx.execute(select(FACTS)):
        facts[row.registration_id].add((row.topic, row.version, row.partner))
    ids = known.keys() | periods.keys() | counted.keys() | shown.keys() | facts.keys()
    held = {
        id_: Held(
            known.get(id_) or Known(id_),
            tuple(periods.get(id_, ())),
            counted.get(id_, {}),
            shown.get(id_, {}),
            frozenset(facts.get(id_, ())),
        )
        for id_ in ids
    }
    rows = await tx.execute(select(RECEIPTS))
    answered = (Receipt(r.partner, r.position, r.outcome, tuple(r.codes), r.received) for r in rows)
    return Everything(held, frozenset(answered))


async def _entries(tx: AsyncConnection) -> dict[str, dict[Entry, int]]:
    """What the ledger comes to."""
    c = ENTRIES.c
    cell = (c.registration_id, *(c[name] for name in Entry._fields))
    total = func.sum(c.n)
    summed: dict[str, dict[Entry, int]] = {}
    for row in await tx.execute(select(*cell, total.label("n")).group_by(*cell).having(total != 0)):
        summed.setdefault(row.registration_id, {})[entry_of(row)] = row.n
    return summed


class _Replayed:
    """What messages come to, whatever their order."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.facts: defaultdict[str, set[Fact]] = defaultdict(set)
        self.receipts: list[Receipt] = []

    def take(self, record: RawRecord) -> None:
        """One record of one of the topics."""
        if record.topic in READ:
            self._take_told(read(record))
        elif receipt := receipts.read(record):
            self.receipts.append(receipt)

    def _take_told(self, told: Told) -> None:
        id_ = told.registration
        self.known[id_] = take(self.known.get(id_) or Known(id_), told)
        if told.fact:
            topic, _, version, partner = told.fact
            self.facts[id_].add((topic, version, partner))

    def everything(self) -> Everything:
        """What must be held after all of it."""
        held = {id_: held_of(known, self.facts[id_]) for id_, known in self.known.items()}
        return Everything(held, frozenset(receipts.newest(self.receipts).values()))


async def _replay(options: Mapping[str, Any], ends: Mapping[TopicPartition, int], seed: int) -> Everything:
    replayed = _Replayed()
    async for record in _records(options, ends, seed):
        replayed.take(record)
    return replayed.everything()


async def _records(
    options: Mapping[str, Any], ends: Mapping[TopicPartition, int], seed: int
) -> AsyncIterator[RawRecord]:
    order = sorted(ends)
    Random(seed).shuffle(order)
    async with reading(options) as consumer:
        for place in order:
            async for batch in read_to(consumer, {place: ends[place]}):
                for record in batch:
                    yield record
