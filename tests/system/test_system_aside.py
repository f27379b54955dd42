"""A partner's topic that takes nothing keeps back what is for that partner, and nothing else."""

from __future__ import annotations

import uuid

import pytest
from aiokafka import TopicPartition
from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from senconet import provision
from shared import topics
from shared.kafka import read_to, reading
from tests.system.events import Trainee
from tests.system.support import Partner, Stage, until

NOT_YET = "not-yet"


@pytest.fixture
async def offering(stage: Stage) -> Partner:
    return await stage.partner("offering")


def waiting(stage: Stage) -> set[str]:
    """The topics for which messages of the door wait."""
    return {topic for (topic,) in stage.rows("enrolment", "SELECT DISTINCT topic FROM outbox")}


async def told(stage: Stage, partner: Partner) -> None:
    """Wait until a partner can read the final answer to all that it has sent."""

    async def all_told() -> bool:
        final = [each for each in await stage.receipts(partner) if each.outcome in ("accepted", "rejected")]
        return len({each.offset for each in final}) == len(partner.sent)

    await until(all_told, f"all answers in the hands of {partner.code}")


async def offers(partner: Partner) -> list[str]:
    """The registrations of which a partner's receipts tell, answers and notices."""
    place = TopicPartition(topics.receipts(partner.code), 0)
    async with reading(partner.access.client_options()) as consumer:
        return [
            (record.key or b"").decode()
            async for batch in read_to(consumer, await consumer.end_offsets([place]))
            for record in batch
        ]


async def test_an_offer_to_a_partner_that_has_no_topics_yet_waits_for_them_alone(stage: Stage, offering: Partner):
    trainee = Trainee(offering.code)
    await offering.send(trainee.registered(), trainee.offered(str(uuid.uuid4()), NOT_YET), trainee.attended())
    await told(stage, offering)
    await until(lambda: waiting(stage) == {topics.receipts(NOT_YET)}, "only what is for the other partner left")
    await offering.send(Trainee(offering.code).registered())
    await told(stage, offering)
    await until(lambda: waiting(stage) == {topics.receipts(NOT_YET)}, "only what is for the other partner left")
    brought_in = await stage.partner(NOT_YET)
    await until(lambda: not waiting(stage), "the offer out")
    assert await offers(brought_in) == [trainee.registration]


async def test_what_the_broker_refuses_for_one_partner_others_do_not_wait_for(stage: Stage, offering: Partner):
    refused = await stage.partner("refused")
    admin, theirs = stage.local.engines.kafka.admin(), topics.receipts(refused.code)
    rights = AclBindingFilter(
        ResourceType.TOPIC, theirs, ResourcePatternType.LITERAL, "User:enrolment", "*", AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )  # fmt: skip
    (removed,) = admin.delete_acls([rights]).values()
    assert len(removed.result(20)) == 1
    await refused.send(Trainee(refused.code).registered())
    await until(lambda: waiting(stage) == {theirs}, "an answer that the broker refuses")
    await offering.send(Trainee(offering.code).registered())
    await told(stage, offering)
    await until(lambda: waiting(stage) == {theirs}, "only what is refused left")
    provision.add_partner(stage.local.engines.kafka, refused.code, refused.access.password)
    await told(stage, refused)
    await refused.send(Trainee(refused.code).registered())
    await told(stage, refused)
    await until(lambda: not waiting(stage), "nothing left to publish")
