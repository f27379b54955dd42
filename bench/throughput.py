"""How many records a second: read alone, taken in, finally answered, rebuilt from the topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition

from bench.series import PARTNER
from bench.stage import PLACE, Stage
from services.reporting.rebuild import rebuild
from shared.kafka import read_to, reading
from shared.record_batches import read_every_batch
from shared.records import read_envelope
from shared.topics import DECIDING_SERVICES

PATIENCE: Final = 180.0
LOOK_SECONDS: Final = 0.05
COUNT_SECONDS: Final = 0.5


class Stalled(RuntimeError):
    """A measure came no further for a long time; the message says how far it came."""


@dataclass
class Pace:
    """How a count rose, from the first look that saw it above nothing.

    Before that a process starts, imports its modules and joins its group: that is no part of the pace.
    """

    total: int
    began: float = 0
    at_first: int = 0

    def look(self, count: int, now: float) -> None:
        """Note a count at a moment."""
        if not self.at_first:
            self.began, self.at_first = now, count

    def per_second(self, now: float) -> float:
        """How many a second, if the rest is done by now. Raises Stalled if the first look saw all of it."""
        if self.at_first >= self.total:
            raise Stalled("too few events to tell a pace: all were done at the first look")
        return (self.total - self.at_first) / (now - self.began)


async def drain(stage: Stage) -> float:
    """The whole topic, fetched by a bare client and each record read as the product reads it."""
    read_every_batch()
    async with reading(stage.options) as consumer:
        ends = await consumer.end_offsets([PLACE])
        began = time.monotonic()
        count = 0
        async for batch in read_to(consumer, ends):
            for record in batch:
                read_envelope(record)
            count += len(batch)
        return count / (time.monotonic() - began)


async def intake(stage: Stage, first: int, partners: Sequence[str] = (PARTNER,)) -> float:
    """Enrolment alone: all that lies in the partners' topics beyond so many records, as `taken_in`."""
    starting = asyncio.to_thread(stage.start, "enrolment")
    return await taken_in(stage, first, await stage.end(partners), partners, starting)


async def taken_in(
    stage: Stage, first: int, end: int, partners: Sequence[str], setting_off: Awaitable[object]
) -> float:
    """All from the one count of records to the other judged, and all that enrolment tells of it published."""
    pace = Pace(end - first)
    begun = asyncio.ensure_future(setting_off)
    await _follow(
        pace,
        lambda: stage.position(partners) - first,
        lambda: stage.all_published(["enrolment"]),
        seconds=LOOK_SECONDS,
    )
    rate = pace.per_second(time.monotonic())
    await begun
    return rate


async def answered(stage: Stage, first: int, start: Callable[[], None], on_half: Callable[[], None]) -> float:
    """Everything runs but enrolment, which `start` starts: all from an offset on have their final answer, published."""
    pace = Pace(await stage.end([PARTNER]) - first)
    started = asyncio.create_task(asyncio.to_thread(start))
    half = _Once(on_half)

    def count() -> int:
        done = stage.answered(first)
        if done >= pace.total / 2:
            half()
        return done

    await _follow(pace, count, lambda: stage.all_published(DECIDING_SERVICES), seconds=COUNT_SECONDS)
    rate = pace.per_second(time.monotonic())
    await started
    return rate


class _Once:
    """Does a thing the first time only."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do: Callable[[], None] | None = do

    def __call__(self) -> None:
        if self._do is not None:
            self._do()
            self._do = None


async def _follow(pace: Pace, count: Callable[[], int], settled: Callable[[], bool], *, seconds: float) -> None:
    last, since = 0, time.monotonic()
    while True:
        done, now = count(), time.monotonic()
        if done > 0:
            pace.look(done, now)
        if done > last:
            last, since = done, now
        if done >= pace.total and settled():
            return
        if now > since + PATIENCE:
            raise Stalled(f"{done} of {pace.total} records done, and none came for {PATIENCE:g} s")
        await asyncio.sleep(seconds)


async def rebuilt(stage: Stage) -> float:
    """Reporting replayed, folded and compared with what it holds: messages a second. Raises Stalled if they differ."""
    await _caught_up(stage)
    kafka, url = stage.programme.system.engines.reach("reporting")
    messages = sum(_read_to(stage).values())
    began = time.monotonic()
    found = await rebuild(url, kafka.client_options())
    seconds = time.monotonic() - began
    if found.differing:
        raise Stalled(f"{len(found.differing)} of what reporting holds differ from its rebuild")
    return messages / seconds


def _read_to(stage: Stage) -> dict[TopicPartition, int]:
    """Up to where reporting has read each of its topics."""
    rows = stage.rows("reporting", 'SELECT topic, "partition", next_offset FROM positions')
    return {TopicPartition(topic, partition): offset for topic, partition, offset in rows}


async def _caught_up(stage: Stage) -> None:
    """Wait until reporting has read all there is."""
    async with reading(stage.options) as consumer:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            read = _read_to(stage)
            if read and read == await consumer.end_offsets(list(read)):
                return
            await asyncio.sleep(COUNT_SECONDS)
    raise Stalled(f"reporting has not read its topics to the end within {PATIENCE:g} s")
