"""The gauges that alerts look at: what has come from whom, what waits too long, how far behind a topic is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import topics, watch
from shared.consumer import Reader
from shared.database import transaction
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.records import RawRecord
from shared.store import HOLDS, JOURNAL

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ASH, ASHDOWN = topics.events("ash"), topics.events("ashdown")


def gauge(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"senconet_{name}", labels)


async def answer(engine: AsyncEngine, topic: str, position: int, received: datetime) -> None:
    """Put an answer into the journal."""
    place = {"topic": topic, "partition": 0, "position": position, "partner": topics.partner_of(topic)}
    told = {"outcome": "rejected", "codes": [], "ruleversion": "1", "receivedtime": received, "decidedtime": received}
    async with transaction(engine) as tx:
        await tx.execute(insert(JOURNAL).values(**place, **told))


async def hold(engine: AsyncEngine, position: int, deadline: datetime) -> None:
    """Have a record wait."""
    place = {"topic": ASH, "partition": 0, "position": position, "registration_id": "r", "owner": "enrolment"}
    told = {"source": "/partners/ash/x", "event_id": str(position), "digest": b"", "problems": [], "record": b""}
    async with transaction(engine) as tx:
        await tx.execute(insert(HOLDS).values(**place, **told, receivedtime=MONDAY, deadline=deadline))


async def test_each_partners_last_record_shows_whatever_was_answered_after_it(engine: AsyncEngine) -> None:
    metrics = Metrics()
    await watch.show_waiting(engine, metrics)
    assert gauge(metrics, "last_received_timestamp_seconds", partner="ash") is None
    await answer(engine, ASHDOWN, 0, MONDAY + timedelta(hours=2))
    await answer(engine, ASH, 7, MONDAY + timedelta(hours=1))
    await answer(engine, ASH, 3, MONDAY)  # it was held until now
    await watch.show_waiting(engine, metrics)
    shown = {p: gauge(metrics, "last_received_timestamp_seconds", partner=p) for p in ("ash", "ashdown")}
    assert shown == {
        "ash": (MONDAY + timedelta(hours=1)).timestamp(),
        "ashdown": (MONDAY + timedelta(hours=2)).timestamp(),
    }


async def test_a_record_that_waits_shows_as_overdue_only_past_its_deadline(engine: AsyncEngine) -> None:
    metrics, now = Metrics(), datetime.now(UTC)
    await watch.show_waiting(engine, metrics)
    assert (gauge(metrics, "held"), gauge(metrics, "hold_overdue_seconds")) == (0, 0)
    await hold(engine, 1, now + timedelta(hours=1))
    await watch.show_waiting(engine, metrics)
    assert (gauge(metrics, "held"), gauge(metrics, "hold_overdue_seconds")) == (1, 0)
    await hold(engine, 2, now - timedelta(hours=1))
    await hold(engine, 3, now - timedelta(hours=2))
    await watch.show_waiting(engine, metrics)
    assert gauge(metrics, "held") == 3
    assert gauge(metrics, "hold_overdue_seconds") == pytest.approx(7200, abs=120)


async def test_a_topic_that_another_instance_reads_now_shows_no_more() -> None:
    async def fail(_: object) -> Done:
        raise TimeoutError

    reader = Reader(cast(AsyncEngine, None), Metrics(), fail, lambda: None, 2)
    reader.ready.set()
    await reader.on_partitions_assigned([TopicPartition(ASH, 0), TopicPartition(ASHDOWN, 0)])
    batch = [RawRecord(topic, 0, 0, MONDAY, b"k", b"{}", ()) for topic in (ASH, ASHDOWN)]
    with pytest.raises(TimeoutError):
        await reader.answer(batch)
    reader.show_unread()
    assert gauge(reader.metrics, "behind_seconds", topic=ASH)
    await reader.on_partitions_assigned([TopicPartition(ASHDOWN, 0)])
    reader.show_unread()
    assert gauge(reader.metrics, "behind_seconds", topic=ASH) is None
    assert gauge(reader.metrics, "behind_seconds", topic=ASHDOWN)


async def test_a_topic_that_is_given_up_while_its_end_is_looked_for_does_not_show_again(engine: AsyncEngine) -> None:
    class GivenUp:
        """A consumer that loses its partition while it is asked for the end."""

        def __init__(self) -> None:
            self.places = {TopicPartition(ASH, 0)}

        def assignment(self) -> set[TopicPartition]:
            return self.places

        def subscription(self) -> frozenset[str]:
            return frozenset({ASH})

        async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
            self.places = set()
            return dict.fromkeys(places, 9)

    metrics = Metrics()
    await watch.read_line(engine, cast(AIOKafkaConsumer, GivenUp()), timedelta(0), metrics)
    assert gauge(metrics, "behind_seconds", topic=ASH) is None
