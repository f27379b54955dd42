"""What a reader does with a batch that fails, and with a topic that comes while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from confluent_kafka.admin import NewTopic
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.local.engines import Engines
from senconet.migrate import migrate
from shared import consumer, topics
from shared.consumer import Newcomers, Reader
from shared.database import make_engine, transaction
from shared.judging import SystemicFault
from shared.kafka import FETCH_AFTER_SECONDS, fetch_all_at_once, make_broker, reading, subscribe
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.positions import POSITIONS, Partition
from shared.records import RawRecord
from shared.settings import Settings

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


class Fetched:
    """A client that has fetched one record ahead, and has another when it is asked once more."""

    def __init__(self) -> None:
        self.asked: list[tuple[TopicPartition, ...]] = []

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        """One record of the next offset, each time."""
        self.asked.append(places)
        return {places[0]: [SimpleNamespace(**told(len(BATCH) - 1 + len(self.asked)))]}


def joined(reading: Reader, client: Fetched) -> Reader:
    """The reader, once it has joined its group with a client."""
    reading.consumer = lambda: cast(AIOKafkaConsumer, client)
    reading.joined.set()
    return reading


async def test_a_batch_of_few_is_joined_by_what_has_come_since_on_its_own_partitions() -> None:
    slow, client = Slow(most=100), Fetched()
    await joined(reader(slow), client).handle(BATCH)
    assert slow.taken == [len(BATCH) + 2]
    assert client.asked == [(TopicPartition(BATCH[0].topic, 0),)] * 2


class FromTheStoredPosition(Fetched):
    """A client that a rebalance has just put back to where the batch in hand begins."""

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        """The records of the batch once more, and one behind them; then nothing."""
        self.asked.append(places)
        rows = [SimpleNamespace(**told(offset)) for offset in range(len(BATCH) + 1)]
        return {places[0]: rows} if len(self.asked) == 1 else {}


def told(offset: int) -> dict[str, Any]:
    """A record of the batch's partition as the client hands it out."""
    value = {"timestamp": 0, "key": b"k", "value": b"{}", "headers": ()}
    return {"topic": BATCH[0].topic, "partition": 0, "offset": offset, **value}


async def test_what_a_rebalance_hands_out_once_more_is_not_taken_twice() -> None:
    taken: list[int] = []

    class Noting(Slow):
        async def process(self, batch: Sequence[RawRecord]) -> Done:
            taken.extend(record.offset for record in batch)
            return Done()

    await joined(reader(Noting(most=100)), FromTheStoredPosition()).handle(BATCH)
    assert taken == list(range(len(BATCH) + 1))


async def test_a_large_batch_waits_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "FEW", len(BATCH))
    slow, client = Slow(most=100), Fetched()
    await joined(reader(slow), client).handle(BATCH)
    assert (slow.taken, client.asked) == ([len(BATCH)], [])


async def test_after_a_batch_of_few_that_took_long_the_next_one_gathers_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "BUSY_SECONDS", -1.0)
    monkeypatch.setattr(consumer, "GATHER_SECONDS", 0.0)
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(consumer.asyncio, "sleep", wait)
    await joined(reader(Slow(most=100)), Fetched()).handle(BATCH)
    assert waited == [0.0]


class Growing(Reader):
    """A reader that answers what is in hand just when it looks how far it has come: the log has grown by as much."""

    end = 5

    async def _stored(self, beginnings: dict[Partition, int]) -> dict[Partition, int]:
        self.end += 2
        return dict.fromkeys(beginnings, self.end)

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """As the client tells them; so are the ends."""
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The log's end as of now."""
        return dict.fromkeys(places, self.end)

    def resume(self, place: TopicPartition) -> None:
        """What the client is told to do; nothing else is done to it here."""

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Note where the reader goes."""
        self.unread[f"{place.topic}/{offset}"] = BATCH[0].received


async def test_what_is_answered_while_a_reader_takes_its_place_is_not_taken_for_lost(engine: AsyncEngine) -> None:
    growing = Growing(engine, Metrics(), Slow(1).process, lambda: None)
    await growing._place(cast(AIOKafkaConsumer, growing), [TopicPartition("partners.ash.events", 0)])
    assert list(growing.unread) == ["partners.ash.events/7"]


PATTERN = r"^partners\.come-[a-z]+\.events$"
FIRST, SECOND = topics.events("come-first"), topics.events("come-second")
PATIENCE = 30


class Leader:
    """Shares out the topics of a group, all but those that it does not think of."""

    def __init__(self) -> None:
        self.forgets = {SECOND}
        self._assign = RoundRobinPartitionAssignor.assign

    def assign(self, cluster: Any, members: Any) -> Any:
        """See RoundRobinPartitionAssignor."""
        return self._assign(cluster, {name: self._without(member) for name, member in members.items()})

    def _without(self, member: Any) -> Any:
        return SimpleNamespace(subscription=[topic for topic in member.subscription if topic not in self.forgets])


@pytest.fixture
def leader(monkeypatch: pytest.MonkeyPatch) -> Leader:
    """Every group's, in this process."""
    leader = Leader()
    monkeypatch.setattr(RoundRobinPartitionAssignor, "assign", leader.assign)
    monkeypatch.setattr(consumer, "REBALANCE_SECONDS", 0.5)
    return leader


@pytest.fixture
async def running(
    engines: Engines, fresh_databases: Callable[[], Mapping[str, str]], leader: Leader
) -> AsyncIterator[Reader]:
    """A reader of two topics that has joined its group."""
    url = fresh_databases()["enrolment"]
    migrate("enrolment", url)
    admin = engines.kafka.admin()
    for made in admin.create_topics([NewTopic(name, 1, 1) for name in (FIRST, SECOND)]).values():
        made.result(10)
    settings = Settings(
        kafka_bootstrap=engines.kafka.bootstrap, kafka_username=engines.kafka.username,
        kafka_password=engines.kafka.password, database_url=url, http_port=1, metadata_seconds=0.5, session_seconds=6,
    )  # fmt: skip
    reading, broker = Reader(make_engine(url), Metrics(), Slow(500).process, lambda: None), make_broker(settings)
    reading.consumer = subscribe(broker, settings, "newcomers", reading.handle, pattern=PATTERN, listener=reading)
    reading.ready.set()
    await broker.start()
    try:
        await until(reading, given, {FIRST})
        yield reading
    finally:
        await broker.stop()
        await reading.engine.dispose()


async def given(reading: Reader) -> set[str]:
    """The topics that somebody has been given."""
    async with transaction(reading.engine) as tx:
        return set((await tx.execute(select(POSITIONS.c.topic))).scalars())


async def until(reading: Reader, ask: Callable[[Reader], Awaitable[set[str]]], answer: set[str]) -> None:
    """Ask until this is the answer."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await ask(reading) == answer:
                return
            await asyncio.sleep(0.1)


async def test_a_client_is_made_to_ask_for_all_its_partitions_together(engines: Engines) -> None:
    async with reading(engines.kafka.client_options()) as client:
        assert client._fetcher._prefetch_backoff < FETCH_AFTER_SECONDS, "it would do so by itself"
        fetch_all_at_once(client)
        assert client._fetcher._prefetch_backoff == FETCH_AFTER_SECONDS


async def test_a_topic_that_nobody_was_given_is_shared_out_once_it_is_missed(running: Reader, leader: Leader) -> None:
    newcomers = Newcomers(running)

    async def look(reading: Reader) -> set[str]:
        await newcomers.look()
        return await given(reading)

    await asyncio.wait_for(running.joined.wait(), PATIENCE)
    assert running.running().subscription() == {FIRST, SECOND}
    leader.forgets.clear()
    await until(running, look, {FIRST, SECOND})
