"""What a reader does with a batch that fails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.consumer import Reader
from shared.judging import SystemicFault
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.records import RawRecord

BATCH = [RawRecord("partners.ash.events", 0, n, datetime(2026, 1, 1, tzinfo=UTC), b"k", b"{}", ()) for n in range(8)]
NO_ENGINE = cast(AsyncEngine, None)


class Slow:
    """Takes at most so many records in the time that a transaction has."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: list[int] = []

    async def process(self, batch: Sequence[RawRecord]) -> Done:
        """Fail for more than it can take."""
        if len(batch) > self.most:
            raise TimeoutError
        self.taken.append(len(batch))
        return Done()


def reader(process: Slow, stopped: list[bool] | None = None) -> Reader:
    """A reader that is ready."""
    stops: list[bool] = [] if stopped is None else stopped
    made = Reader(NO_ENGINE, Metrics(), process.process, lambda: stops.append(True))
    made.ready.set()
    return made


async def test_a_batch_that_takes_too_long_is_taken_in_ever_smaller_parts() -> None:
    slow = Slow(most=2)
    reading = reader(slow)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await reading.handle(BATCH)
    await reading.handle(BATCH)
    assert slow.taken == [2, 2, 2, 2]


async def test_after_a_success_the_next_batch_is_taken_whole() -> None:
    slow = Slow(most=4)
    reading = reader(slow)
    with pytest.raises(TimeoutError):
        await reading.handle(BATCH)
    await reading.handle(BATCH)
    slow.most = 8
    await reading.handle(BATCH)
    assert slow.taken == [4, 4, 8]


async def test_the_age_of_the_first_record_in_hand_shows_while_a_batch_fails() -> None:
    reading = reader(Slow(most=2))
    with pytest.raises(TimeoutError):
        await reading.handle(BATCH)
    reading.show_unread()
    shown = reading.metrics.registry.get_sample_value("senconet_behind_seconds", {"topic": "partners.ash.events"})
    assert shown is not None
    assert shown > 0


async def test_a_fault_of_most_of_a_batch_stops_the_service() -> None:
    class Broken(Slow):
        async def process(self, batch: Sequence[RawRecord]) -> Done:
            raise SystemicFault("5 of 8 records failed")

    stopped: list[bool] = []
    with pytest.raises(SystemicFault):
        await reader(Broken(most=0), stopped).handle(BATCH)
    assert stopped == [True]
