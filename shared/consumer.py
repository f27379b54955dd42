"""The consumer's side of stored positions: seek to them on assignment, go back on a gap, stop what the log lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, wait_random_exponential

from shared import crash, positions
from shared.database import transaction
from shared.judging import SystemicFault
from shared.kafka import fetch_all_at_once, join_anew, others_first, raw_record
from shared.logs import frames
from shared.metrics import Metrics
from shared.pipeline import Done, LostRace, PositionMoved
from shared.records import RawRecord

log = logging.getLogger("senconet.consumer")
REBALANCE_SECONDS: Final = 5.0
FEW: Final = 250
"""Below so many records a batch is joined by what has come since it was fetched."""
FRESH_MS: Final = 10
BEHIND_SECONDS: Final = 0.005
"""A record that comes so soon after a batch has most likely waited for its end."""
STOPPING = (PositionMoved, SystemicFault, LostRace)


@dataclass
class Reader(ConsumerRebalanceListener):  # type: ignore[misc]
    """Feeds batches to `process` and keeps the consumer at the stored positions.

    `ready` is awaited before the first batch; `stop` is called when the service must not go on. From the begin of one
    batch to the next pass at least `pace_seconds`: who is in no hurry does more at a time, for a transaction costs as
    much as many records.
    """

    engine: AsyncEngine
    metrics: Metrics
    process: Callable[[Sequence[RawRecord]], Awaitable[Done]]
    stop: Callable[[], None]
    batch_records: int
    pace_seconds: float = 0
    consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    unread: dict[str, datetime] = field(default_factory=dict)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _began: float = 0
    _ended: float = 0
    _failures: int = 0
    _given: frozenset[str] = frozenset()

    async def handle(self, first: RawRecord) -> None:
        """Answer a record and what else there is by now. What fails is read again, after a wait, longer each time.

        Nothing is raised to FastStream, which would log the exception's message, and with it values of a record. Not
        gathered under the lock: a rebalance waits for that, and gathering for a rebalance.
        """
        await self.ready.wait()
        consumer, batch = self.consumer(), [first]
        try:
            if consumer:
                await self._gather(consumer, batch)
            async with self._busy:
                await self.answer(batch)
        except Exception as error:
            if consumer:
                _read_again(consumer, batch)
            await self._fail(error)
        finally:
            self._ended = time.monotonic()

    async def _gather(self, consumer: AIOKafkaConsumer, batch: list[RawRecord]) -> None:
        """Add what else there is by now.

        The client fetches ahead once, and then waits: a record that came while something else was done may be as old
        as that, so what has come since then is fetched too.
        """
        began = time.monotonic()
        pause = self._began + self.pace_seconds - began
        behind = pause > 0 or began - self._ended < BEHIND_SECONDS
        await asyncio.sleep(max(0.0, pause))
        self._began = time.monotonic()
        await self._add(consumer, batch, wait_ms=0)
        if behind and len(batch) < FEW:
            await self._add(consumer, batch, wait_ms=FRESH_MS)
        others_first(consumer, {TopicPartition(record.topic, record.partition) for record in batch})

    async def _add(self, consumer: AIOKafkaConsumer, batch: list[RawRecord], *, wait_ms: int) -> None:
        """Add what has been fetched, up to a full batch.

        After a rebalance the client hands out from the stored position what is in hand already.
        """
        if (room := self.batch_records - len(batch)) < 1:
            return
        last = {TopicPartition(record.topic, record.partition): record.offset for record in batch}
        found = await consumer.getmany(timeout_ms=wait_ms, max_records=room)
        for place, rows in found.items():
            batch += [raw_record(row) for row in rows if row.offset > last.get(place, -1)]

    async def answer(self, batch: Sequence[RawRecord]) -> None:
        """Answer a batch, after a failure in ever smaller parts.

        A transaction has a time limit: what a slow hour does not let it do with a whole batch it may do with a half.
        """
        self.unread = _oldest(batch)
        crash.point("after_fetch", len(batch))
        size = max(1, len(batch) >> self._failures)
        for start in range(0, len(batch), size):
            await self._process(batch[start : start + size])
        self._failures = 0
        for topic in self.unread:
            self.metrics.behind.labels(topic).set(0)
        self.unread = {}

    def running(self) -> AIOKafkaConsumer | None:
        """The consumer, once it has joined its group."""
        return self.consumer() if self.joined.is_set() else None

    async def reaches_the_log(self) -> bool:
        """Whether it has joined its group, and the broker answers now; it may be half a second late (`FETCH_MS`)."""
        consumer = self.running()
        return consumer is not None and bool(await consumer.topics())

    def show_unread(self) -> None:
        """How old the first record in hand is, by topic: it shows a database that is away, and needs none."""
        for topic, received in self.unread.items():
            self.metrics.behind.labels(topic).set((datetime.now(UTC) - received).total_seconds())

    async def _process(self, batch: Sequence[RawRecord]) -> None:
        began = time.monotonic()
        done = await self.process(batch)
        self.metrics.batch.observe(time.monotonic() - began)
        crash.point("after_commit", len(batch))
        self.count(done)
        for record in batch:
            self.metrics.received.labels(record.topic).inc()
        if done.gaps:
            await self._go_back(done.gaps)

    def count(self, done: Done) -> None:
        """Show what was decided."""
        for (kind, outcome), number in done.outcomes.items():
            self.metrics.decided.labels(kind, outcome).inc(number)
        for code, number in done.codes.items():
            self.metrics.rejected.labels(code).inc(number)

    async def _fail(self, error: Exception) -> None:
        self.metrics.restarts.labels(type(error).__name__).inc()
        if isinstance(error, STOPPING):
            log.critical("the service stops: %s", error)
            self.stop()
        self._failures += 1
        log.warning("a batch is given back after %s\n%s", type(error).__name__, frames(error))
        await asyncio.sleep(min(10.0, 0.1 * 2 ** min(self._failures, 10)))

    async def _go_back(self, gaps: dict[positions.Partition, int]) -> None:
        consumer = self.consumer()
        if consumer is None:
            return
        for (topic, partition), offset in gaps.items():
            place = TopicPartition(topic, partition)
            if place in consumer.assignment():
                await self._place(consumer, [place])
                log.warning("went back to offset %d of %s/%d", offset, topic, partition)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Wait for the batch in work, so that its records are not read by two."""
        async with self._busy:
            return

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go to the stored positions, whatever the group has committed."""
        consumer = self.consumer()
        places = sorted(assigned)
        self._show_only({place.topic for place in places})
        if consumer is not None and places:
            fetch_all_at_once(consumer)
            async for attempt in AsyncRetrying(wait=wait_random_exponential(max=5), reraise=True):
                with attempt:
                    await self._place(consumer, places)
        self.joined.set()

    def _show_only(self, topics: Iterable[str]) -> None:
        """How far behind a topic is shows only who reads it now."""
        kept = frozenset(topics)
        for topic in self._given - kept:
            self.unread.pop(topic, None)
            self.metrics.behind.remove(topic)
        self._given = kept

    async def _place(self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> None:
        beginnings = await consumer.beginning_offsets(list(places))
        stored = await self._stored({(p.topic, p.partition): beginnings[p] for p in places})
        # Read last: what is in hand may be answered meanwhile, and would then lie beyond ends that were read before.
        ends = await consumer.end_offsets(list(places))
        for place in places:
            offset, paused = stored[place.topic, place.partition]
            # Once paused it stays so: a topic that was made anew may by now be longer than the old one was.
            lost = paused or not beginnings[place] <= offset <= ends[place]
            await self._pause(consumer, place, lost=lost)
            if not lost:
                consumer.seek(place, offset)

    async def _stored(self, beginnings: dict[positions.Partition, int]) -> dict[positions.Partition, tuple[int, bool]]:
        """Stored positions, and which are paused; a partition seen for the first time starts at the log's beginning."""
        rows = [{"topic": t, "partition": p, "next_offset": o} for (t, p), o in sorted(beginnings.items())]
        async with transaction(self.engine) as tx:
            await tx.execute(upsert(positions.POSITIONS).on_conflict_do_nothing(), rows)
            c = positions.POSITIONS.c
            found = await tx.execute(select(c.topic, c.partition, c.next_offset, c.paused))
            return {(topic, partition): (offset, paused) for topic, partition, offset, paused in found}

    async def _pause(self, consumer: AIOKafkaConsumer, place: TopicPartition, *, lost: bool) -> None:
        if lost:
            consumer.pause(place)
            log.critical("paused %s/%d: the log does not hold the stored position, or did not", *place)
        else:
            consumer.resume(place)
        c = positions.POSITIONS.c
        async with transaction(self.engine) as tx:
            await tx.execute(
                update(positions.POSITIONS)
                .where(c.topic == place.topic, c.partition == place.partition, c.paused != lost)
                .values(paused=lost)
            )


@dataclass
class Newcomers:
    """Sees to it that a topic which comes to fit the pattern of a group's reader is given to somebody.

    Not every change of the topics leads to a rebalance: with aiokafka only the group's leader looks for one, by the
    topics of its members when they joined. So whoever sees a topic that nobody has been given joins anew.
    """

    reader: Reader
    _missing: frozenset[str] = frozenset()
    _since: float = 0

    async def look(self) -> None:
        """Look once. A rebalance that is under way is given time to end."""
        if (consumer := self.reader.running()) is None:
            return
        missing, now = await self._not_given(consumer.subscription()), time.monotonic()
        if missing != self._missing:
            self._missing, self._since = missing, now
        elif missing and now - self._since > REBALANCE_SECONDS:
            self._since = now
            join_anew(consumer)

    async def _not_given(self, fitting: frozenset[str]) -> frozenset[str]:
        """Who is given a partition stores its position."""
        async with transaction(self.reader.engine) as tx:
            found = await tx.execute(select(positions.POSITIONS.c.topic).distinct())
            return frozenset(fitting) - frozenset(found.scalars())


def _oldest(batch: Sequence[RawRecord]) -> dict[str, datetime]:
    return {record.topic: record.received for record in reversed(batch)}


def _read_again(consumer: AIOKafkaConsumer, batch: Sequence[RawRecord]) -> None:
    """Go back to where a batch begins, on those of its partitions that are still ours."""
    ours = consumer.assignment()
    firsts = {TopicPartition(record.topic, record.partition): record.offset for record in reversed(batch)}
    for place in firsts.keys() & ours:
        consumer.seek(place, firsts[place])
