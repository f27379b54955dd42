"""Broker and database fall over and come back; offsets are tampered with; the log loses what was not read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from senconet.status import service_status
from shared.topics import SERVICES
from tests.system.events import Trainee, batch_of_all_kinds
from tests.system.invariants import invariants
from tests.system.support import Partner, Stage, until

MOVE = "UPDATE positions SET next_offset = %s, paused = false WHERE topic = %s"


async def test_while_the_broker_is_dead_answers_wait_and_afterwards_all_go_out(stage: Stage):
    partner = await stage.partner("broker-down")
    unknown = Trainee(partner.code).withdrew()
    await partner.send(unknown, *batch_of_all_kinds(partner.code, 60))
    await until(lambda: stage.count("enrolment", "holds", partner) == 1, "a record that waits")
    broker = stage.local.engines.kafka_server
    assert broker is not None
    broker.kill()
    await until(lambda: not any(ready(stage)), "no service ready without the broker")
    await asyncio.to_thread(broker.start)
    await until(lambda: all(ready(stage)), "all services ready again")
    await partner.send(*batch_of_all_kinds(partner.code, 60))
    await stage.all_answered(partner)
    await invariants(stage)
    assert await stage.differences(partner) == ()


def ready(stage: Stage) -> list[bool]:
    """Whether each service that reads topics says that it is ready."""
    return [service_status(name, stage.local.services[name].url).ready for name in SERVICES]


async def test_a_transaction_that_the_database_lost_is_done_again(stage: Stage):
    partner = await stage.partner("database-down")
    server = stage.local.engines.postgres_server
    assert server is not None
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY _journal_%'"
    with server.access.connect("enrolment") as blocking, blocking.transaction():
        blocking.execute("LOCK TABLE journal IN SHARE ROW EXCLUSIVE MODE")
        await partner.send(*batch_of_all_kinds(partner.code, 200))
        await until(lambda: stage.rows("enrolment", waiting) != [(0,)], "enrolment in the middle of its transaction")
        server.stop(immediate=True)
        with pytest.raises(Exception, match=r"terminat|closed"):
            blocking.execute("SELECT 1")
    await asyncio.to_thread(server.start)
    await stage.all_answered(partner)
    await invariants(stage)
    assert await stage.differences(partner) == ()


@pytest.fixture
async def resettable(stage: Stage) -> Partner:
    """A partner with ten records answered and six more that nobody has read, while enrolment rests."""
    partner = await stage.partner("group-reset")
    await partner.send(*batch_of_all_kinds(partner.code, 6))
    await stage.all_answered(partner)
    stage.rest("enrolment")
    await partner.send(*batch_of_all_kinds(partner.code, 6))
    return partner


@pytest.mark.parametrize("to", ["beginning", "end"])
async def test_wherever_the_group_is_set_to_the_stored_positions_are_the_truth(
    stage: Stage, resettable: Partner, to: str
):
    offset = 0 if to == "beginning" else len(resettable.sent)
    before = await stage.receipts(resettable)
    await until(lambda: moved(stage, resettable.topic, offset), "the group empty, and its offset set")
    assert stage.group_offset(resettable.topic) == offset
    await stage.serve_async("enrolment")
    await stage.all_answered(resettable)
    await invariants(stage)
    answers = await stage.receipts(resettable)
    assert [answer.id for answer in answers[: len(before)]] == [answer.id for answer in before]
    assert sum(answer.outcome != "held" for answer in answers) == len(resettable.sent)
    assert await stage.differences(resettable) == ()


def moved(stage: Stage, topic: str, offset: int) -> bool:
    """Set the group's committed offset; refused while the group has members."""
    admin = stage.local.engines.kafka.admin()
    wanted = ConsumerGroupTopicPartitions("enrolment", [TopicPartition(topic, 0, offset)])
    (future,) = admin.alter_consumer_group_offsets([wanted]).values()
    try:
        return future.result(10).topic_partitions[0].error is None
    except KafkaException:
        return False


async def test_a_topic_that_lost_unread_records_is_paused_with_an_alarm_and_nothing_is_skipped(stage: Stage):
    partner, other = await stage.partner("log-cut"), await stage.partner("group-reset")
    await partner.send(*(trainee.registered() for trainee in trainees(partner, 3)))
    await stage.all_answered(partner)
    stage.rest("enrolment")
    unread = [trainee.registered() for trainee in trainees(partner, 4)]
    await partner.send(*unread)
    cut(stage, partner.topic, 5)
    process = await stage.serve_async("enrolment")
    assert f"paused {partner.topic}/0: the log does not hold the stored position" in process.log.read_text()
    await until(lambda: paused(stage) == 1, "the alarm in the metric")

    await other.send(*batch_of_all_kinds(other.code, 6))
    await stage.all_answered(other)
    assert stage.position(partner.topic) == 3
    assert stage.answered(partner) == 3

    await accept_the_loss(stage, partner, [3, 4])
    await stage.all_answered(partner)
    assert paused(stage) == 0
    await invariants(stage)


def trainees(partner: Partner, number: int) -> Sequence[Trainee]:
    return [Trainee(partner.code) for _ in range(number)]


def cut(stage: Stage, topic: str, offset: int) -> None:
    """Delete what lies before an offset, as retention does."""
    admin = stage.local.engines.kafka.admin()
    (future,) = admin.delete_records([TopicPartition(topic, 0, offset)]).values()
    assert future.result(10).low_watermark == offset


def paused(stage: Stage) -> float:
    """What the metric tells."""
    found = re.search(r"^senconet_paused_partitions (\S+)$", stage.metrics("enrolment"), re.MULTILINE)
    assert found
    return float(found[1])


async def accept_the_loss(stage: Stage, partner: Partner, lost: Sequence[int]) -> None:
    """An operator decides that the records are gone for good, and moves the position behind them."""
    stage.rest("enrolment")
    stage.rows("enrolment", MOVE, max(lost) + 1, partner.topic)
    partner.lost = frozenset(lost)
    await stage.serve_async("enrolment")
