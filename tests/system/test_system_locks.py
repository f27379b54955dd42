"""Whoever locks what, batches go on: none waits for another in a ring, and a locked table is waited out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from senconet.demonstration.model import Record
from senconet.migrate import migrate
from services.enrolment.app import deciding
from shared import loading, store, sweep, topics
from shared.asking import Asking
from shared.database import transaction
from shared.history import Ledger
from shared.pipeline import Deciding, ReferenceShelf, process
from shared.records import RawRecord
from shared.reference import Reference
from shared.settings import Settings
from shared.shelf import LedgerShelf
from tests.support.memory import reference_of
from tests.system.events import Trainee
from tests.system.support import Stage

TRAINEES: Final = 40
HOLD: Final = timedelta(seconds=60)
_fresh = itertools.count(1)


class Shelf(ReferenceShelf):
    """Reference data that is known from the beginning."""

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        self.reference = reference

    async def kept(self, tx: AsyncConnection) -> Reference:
        """What is known."""
        return self.reference

    def holds(self, reference: Reference) -> Asking[bool]:
        """The same at all times."""
        yield ()
        return True


@pytest.fixture
async def door(stage: Stage) -> AsyncIterator[Deciding]:
    """Enrolment's code on a database of its own, in this process."""
    url = stage.local.engines.fresh_databases(f"_locks_{next(_fresh)}")["enrolment"]
    migrate("enrolment", url)
    settings = Settings(
        kafka_bootstrap="none", kafka_username="none", kafka_password="none", database_url=url, http_port=1,
        hold_seconds=HOLD.total_seconds(), held_receipt_seconds=0,
    )  # fmt: skip
    service = replace(deciding(settings), shelf=Shelf(reference_of(stage.data.reference)[0]))
    yield service
    await service.engine.dispose()


@dataclass
class Topic:
    """One partner's records, as they come off its topic."""

    partner: str
    told: int = 0

    def batch(self, records: Sequence[Record], received: datetime) -> list[RawRecord]:
        """The next records."""
        first, self.told = self.told, self.told + len(records)
        return [
            RawRecord(topics.events(self.partner), 0, first + n, received, r.key, r.value, r.headers)
            for n, r in enumerate(records)
        ]


@dataclass
class Crossing:
    """Two partners tell of the same trainees at the same time, the one in the opposite order of the other.

    The one registers them; what the other says waits first for the registration, then for the end of its hold.
    `rings` counts how often the database had to break a ring of batches that waited for each other.
    """

    door: Deciding
    ours: Topic = field(default_factory=lambda: Topic("twin-a"))
    theirs: Topic = field(default_factory=lambda: Topic("twin-b"))
    received: datetime = datetime(2026, 1, 5, 12, tzinfo=UTC)
    rings: int = 0

    async def happen(self, rounds: int) -> None:
        """So many rounds; then the last holds end."""
        for _ in range(rounds):
            await self._round()
        self.received += 2 * HOLD
        for topic in (self.ours, self.theirs):
            await process(self.door, topic.batch([Trainee(topic.partner).registered()], self.received))
        while (await sweep.end_holds(self.door)).outcomes:
            continue

    async def _round(self) -> None:
        """Both partners' next batches, and the sweep over what waits since the round before, all at once."""
        trainees = [Trainee("twin-a") for _ in range(TRAINEES)]
        registered = [trainee.registered() for trainee in trainees]
        foreign = [Trainee("twin-b", trainee.registration).withdrew() for trainee in reversed(trainees)]
        self.received += 2 * HOLD
        ours = self.ours.batch(registered, self.received)
        theirs = self.theirs.batch(foreign, self.received)
        await asyncio.gather(
            self._in_the_end(lambda: process(self.door, ours)),
            self._in_the_end(lambda: process(self.door, theirs)),
            self._in_the_end(lambda: sweep.send_held_receipts(self.door)),
            self._in_the_end(lambda: sweep.end_holds(self.door)),
        )

    async def _in_the_end(self, step: Callable[[], Awaitable[object]]) -> None:
        """What the database broke off is done again, whole."""
        while True:
            try:
                await step()
                return
            except OperationalError as error:
                self.rings += isinstance(error.orig, DeadlockDetected)

    async def each_answered_once(self) -> bool:
        """Whether the answers are those to the records told, one each."""
        told = [(topics.events(topic.partner), at) for topic in (self.ours, self.theirs) for at in range(topic.told)]
        c = store.JOURNAL.c
        async with transaction(self.door.engine) as tx:
            found = await tx.execute(select(c.topic, c.position).order_by(c.topic, c.position))
            return [(topic, position) for topic, position in found] == told


async def test_batches_and_sweeps_that_touch_the_same_trainees_in_any_order_never_wait_in_a_ring(door: Deciding):
    crossing = Crossing(door)
    await crossing.happen(rounds=10)
    assert crossing.rings == 0
    assert await crossing.each_answered_once()


async def test_what_is_broken_off_because_it_waits_in_a_ring_is_done_again_whole(
    door: Deciding, monkeypatch: pytest.MonkeyPatch
):
    in_order = loading.locking
    calls = itertools.count()

    def from_either_end(
        ids: Sequence[str], names: loading.Names, shelf: LedgerShelf
    ) -> Asking[tuple[dict[str, Ledger], loading.Waiting]]:
        """One by one, every second time beginning with the last."""
        for id_ in reversed(ids) if next(calls) % 2 else ids:
            yield from in_order([id_], (), shelf)
        return (yield from in_order(ids, names, shelf))

    monkeypatch.setattr(loading, "locking", from_either_end)
    crossing = Crossing(door)
    await crossing.happen(rounds=2)
    assert crossing.rings > 0
    assert await crossing.each_answered_once()
