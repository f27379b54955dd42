"""What becomes of a topic that comes while a group reads, and that nobody is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from confluent_kafka.admin import NewTopic
from sqlalchemy import select

from senconet.local.engines import Engines
from senconet.migrate import migrate
from shared import consumer, topics
from shared.consumer import Newcomers, Reader
from shared.database import make_engine, transaction
from shared.kafka import make_broker, subscribe
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.positions import POSITIONS
from shared.records import RawRecord
from shared.settings import Settings

PATTERN = r"^partners\.come-[a-z]+\.events$"
FIRST, SECOND = topics.events("come-first"), topics.events("come-second")
PATIENCE = 30


async def nothing(_: Sequence[RawRecord]) -> Done:
    """Nothing comes."""
    return Done()


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
    reading, broker = Reader(make_engine(url), Metrics(), nothing, lambda: None, 500), make_broker(settings)
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


async def test_a_topic_that_nobody_was_given_is_shared_out_once_it_is_missed(running: Reader, leader: Leader) -> None:
    newcomers = Newcomers(running)

    async def look(reading: Reader) -> set[str]:
        await newcomers.look()
        return await given(reading)

    await asyncio.wait_for(running.joined.wait(), PATIENCE)
    assert running.running().subscription() == {FIRST, SECOND}
    leader.forgets.clear()
    await until(running, look, {FIRST, SECOND})
