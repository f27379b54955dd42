"""What a partner may not do, tried with its own credential and refused. `ab` is the beginning of `abc`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from shared import topics
from tests.system.events import Trainee
from tests.system.invariants import invariants
from tests.system.support import Partner, Stage, until

SERVICE_TOPICS = [topic.name for topic in topics.service_topics()]
ANSWER_SECONDS = 10
OTHERS = [topics.events("abc"), topics.receipts("abc"), topics.view("abc")]


@pytest.fixture
async def partner(stage: Stage) -> Partner:
    return await stage.partner("ab")


@pytest.fixture
async def other(stage: Stage) -> Partner:
    return await stage.partner("abc")


@pytest.mark.parametrize("topic", [*OTHERS, topics.receipts("ab"), topics.view("ab"), *SERVICE_TOPICS])
async def test_a_partner_writes_nowhere_but_on_its_own_events(partner: Partner, other: Partner, topic: str):
    async with AIOKafkaProducer(**partner.access.client_options()) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(topic, b"{}")


@pytest.mark.parametrize("topic", [*OTHERS, topics.events("ab"), *SERVICE_TOPICS])
async def test_a_partner_reads_nothing_but_its_own_answers_and_view(partner: Partner, other: Partner, topic: str):
    with pytest.raises(TopicAuthorizationFailedError):
        await asyncio.wait_for(read_one(partner, topic), ANSWER_SECONDS)


async def read_one(partner: Partner, topic: str, group: str | None = None) -> object:
    """The first record of a topic, or the refusal."""
    consumer = AIOKafkaConsumer(topic, **partner.access.client_options(), group_id=group, auto_offset_reset="earliest")
    try:
        await consumer.start()
        return await consumer.getone()
    finally:
        await consumer.stop()


@pytest.mark.parametrize("group", ["enrolment", "reporting", "partners.abc.mis", "partners.ab", "partners.abx"])
async def test_a_partner_joins_no_foreign_group(partner: Partner, other: Partner, group: str):
    with pytest.raises(GroupAuthorizationFailedError):
        await asyncio.wait_for(read_one(partner, topics.receipts("ab"), group), ANSWER_SECONDS)


def test_a_partner_makes_no_topic_sees_no_rights_and_no_other_topic(stage: Stage, partner: Partner, other: Partner):
    admin = partner.access.admin()
    (made,) = admin.create_topics([NewTopic("partners.ab.more", 1, 1)]).values()
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        made.result(10)
    anything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    assert admin.describe_acls(anything).result(10) == []
    assert stage.local.engines.kafka.admin().describe_acls(anything).result(10) != []
    assert set(admin.list_topics(timeout=10).topics) == {topic.name for topic in topics.partner_topics("ab")}


async def test_a_wrong_password_opens_nothing(partner: Partner):
    producer = AIOKafkaProducer(**replace(partner.access, password="wrong").client_options())
    try:
        with pytest.raises((AuthenticationFailedError, KafkaError)):
            await producer.start()
    finally:
        await producer.stop()


async def test_a_forged_source_and_anothers_trainee_are_refused_and_change_nothing(
    stage: Stage, partner: Partner, other: Partner
):
    theirs = Trainee(other.code)
    await other.send(theirs.registered(), theirs.completed())
    await stage.all_answered(other)
    before = stage.rows("enrolment", "SELECT status FROM registrations WHERE registration_id = %s", theirs.registration)
    forged = Trainee(partner.code).registered(source=f"/partners/{other.code}/mis")
    mine = Trainee(partner.code, theirs.registration)
    await partner.send(forged, mine.registered(), mine.withdrew(), mine.completed())
    await stage.all_answered(partner)
    codes = {answer.offset: answer.codes for answer in await stage.receipts(partner) if answer.outcome == "rejected"}
    assert [codes[offset] for offset in range(4)] == [
        ("source_not_yours",),
        ("not_your_trainee",),
        ("not_your_trainee",),
        ("not_your_trainee",),
    ]
    after = stage.rows("enrolment", "SELECT status FROM registrations WHERE registration_id = %s", theirs.registration)
    assert after == before
    await invariants(stage)


@pytest.fixture
async def ask(stage: Stage, partner: Partner, other: Partner) -> Callable[[str, str | None], httpx.Response]:
    """Asks the server with a token; both partners have a trainee in their view."""
    for each in (partner, other):
        await each.send(Trainee(each.code).registered())
        await stage.all_answered(each)
    url = stage.local.services["reporting-server"].url

    def asked(path: str, token: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(url + path, headers=headers, trust_env=False, timeout=10)

    for each in (partner, other):
        await until(lambda each=each: asked("/v1/trainees", each.token).json()["trainees"], f"{each.code}'s view")
    return asked


async def test_anothers_trainee_is_as_unknown_as_one_that_does_not_exist(
    ask: Callable[[str, str | None], httpx.Response], partner: Partner, other: Partner
):
    theirs = ask("/v1/trainees", other.token).json()["trainees"][0]["registration_id"]
    foreign, unknown = (ask(f"/v1/trainees/{id_}", partner.token) for id_ in (theirs, Trainee("ab").registration))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert ask(f"/v1/trainees/{theirs}", other.token).status_code == 200
    own = {row["registration_id"] for row in ask("/v1/trainees", partner.token).json()["trainees"]}
    assert theirs not in own


async def test_without_a_token_nothing_is_told_and_with_a_partners_its_own_figures(
    ask: Callable[[str, str | None], httpx.Response], partner: Partner
):
    for path in ("/v1/trainees", f"/v1/trainees/{Trainee('ab').registration}", "/v1/figures?as_at=2024-06-30"):
        assert ask(path, None).status_code == 401
        assert ask(path, "not-a-token").status_code == 401
    rows = ask("/v1/figures?as_at=2024-06-30", partner.token).json()["rows"]
    assert {row["code"] for row in rows} <= {"total", partner.code}
