"""Rights as they are in the cluster: those of the topic table, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic
from sqlalchemy.engine import make_url

from senconet import provision
from senconet.access import KafkaAccess, PostgresAccess
from senconet.local.engines import Engines
from senconet.provision import ProvisionError, add_lead, add_partner, partner_rights, suspend_partner, topic_rights
from shared import topics

# One code begins with the other: a right that is given by prefix must not reach from one to the other.
PARTNER, LONGER = "acl-ab", "acl-abc"
ANSWER_SECONDS = 10
HARMLESS = b'{"state": {"version": 1}, "cause": null}'
"""A fact of nobody, and no receipt: reporting reads these topics in another test, and would stop at what is neither."""


@pytest.fixture(scope="module")
def partner(engines: Engines) -> KafkaAccess:
    for code in (PARTNER, LONGER):
        add_partner(engines.kafka, code, f"password-of-{code}")
    return KafkaAccess(engines.kafka.bootstrap, topics.principal_of(PARTNER), f"password-of-{PARTNER}")


def write(access: KafkaAccess, topic: str) -> KafkaError | None:
    answers: list[KafkaError | None] = []
    producer = Producer(access.client_settings() | {"log_level": 0})
    producer.produce(topic, HARMLESS, b"nobody", on_delivery=lambda error, _: answers.append(error))
    assert producer.flush(ANSWER_SECONDS) == 0
    return answers[0]


def read(access: KafkaAccess, topic: str, group: str) -> KafkaError | None:
    """The refusal, or None after a record has been read."""
    given = {"group.id": group, "auto.offset.reset": "earliest", "log_level": 0}
    consumer = Consumer(access.client_settings() | given)
    consumer.subscribe([topic])
    try:
        message = consumer.poll(ANSWER_SECONDS)
        assert message is not None, "neither a record nor a refusal"
        return message.error()
    finally:
        consumer.close()


def code(error: KafkaError | None) -> int | None:
    return None if error is None else error.code()


def test_the_cluster_grants_what_the_table_says(engines: Engines, partner: KafkaAccess):
    granted = provision._granted(engines.kafka.admin())
    mine = {acl for acl in granted if acl.name.startswith((f"partners.{PARTNER}.", f"partners.{LONGER}."))}
    assert mine == partner_rights(PARTNER) | partner_rights(LONGER)
    table = {acl for topic in topics.service_topics() for acl in topic_rights(topic)}
    assert table == {acl for acl in granted if acl.name in {topic.name for topic in topics.service_topics()}}


def test_a_partner_holds_seven_rights_and_no_more(engines: Engines, partner: KafkaAccess):
    granted = provision._granted(engines.kafka.admin())
    own = {
        (acl.restype.name, acl.name, acl.resource_pattern_type.name, acl.operation.name)
        for acl in granted
        if acl.principal == f"User:partners.{PARTNER}"
    }
    topic_of = f"partners.{PARTNER}."
    assert own == {
        ("TOPIC", f"{topic_of}events", "LITERAL", "WRITE"),
        ("TOPIC", f"{topic_of}events", "LITERAL", "DESCRIBE"),
        ("TOPIC", f"{topic_of}receipts", "LITERAL", "READ"),
        ("TOPIC", f"{topic_of}receipts", "LITERAL", "DESCRIBE"),
        ("TOPIC", f"{topic_of}view", "LITERAL", "READ"),
        ("TOPIC", f"{topic_of}view", "LITERAL", "DESCRIBE"),
        ("GROUP", topic_of, "PREFIXED", "READ"),
    }


def test_no_service_right_is_given_by_prefix(engines: Engines, partner: KafkaAccess):
    by_prefix = {
        acl.principal
        for acl in provision._granted(engines.kafka.admin())
        if acl.resource_pattern_type is not provision.ResourcePatternType.LITERAL
    }
    assert by_prefix
    assert all(name.startswith("User:partners.") for name in by_prefix)


def test_a_partner_publishes_on_its_own_topic(partner: KafkaAccess):
    assert write(partner, topics.events(PARTNER)) is None


async def test_an_idempotent_producer_needs_no_right_on_the_cluster(partner: KafkaAccess):
    producer = AIOKafkaProducer(
        bootstrap_servers=partner.bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=partner.username,
        sasl_plain_password=partner.password,
        enable_idempotence=True,
    )
    async with producer:
        sent = await producer.send_and_wait(topics.events(PARTNER), b"value")
        assert sent.topic == topics.events(PARTNER)
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(topics.events(LONGER), b"value")


@pytest.mark.parametrize(
    "topic",
    [
        topics.events(LONGER),
        topics.receipts(PARTNER),
        topics.view(PARTNER),
        topics.requests("assessment"),
        topics.requests("mentoring"),
        topics.facts("enrolment"),
        topics.reference("settings"),
        topics.IDENTITY,
        "a-topic-that-is-not-there",
    ],
)
def test_a_partner_publishes_nowhere_else(partner: KafkaAccess, topic: str):
    assert code(write(partner, topic)) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_partner_reads_its_receipts(engines: Engines, partner: KafkaAccess):
    assert write(engines.kafka, topics.receipts(PARTNER)) is None
    assert read(partner, topics.receipts(PARTNER), f"partners.{PARTNER}.reader") is None


@pytest.mark.parametrize("topic", [topics.events(PARTNER), topics.receipts(LONGER), topics.facts("enrolment")])
def test_a_partner_reads_nothing_else(partner: KafkaAccess, topic: str):
    assert code(read(partner, topic, f"partners.{PARTNER}.other")) == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("group", ["anything", f"partners.{LONGER}.reader", f"partners.{PARTNER}", "enrolment"])
def test_a_partner_uses_no_group_of_others(partner: KafkaAccess, group: str):
    assert code(read(partner, topics.receipts(PARTNER), group)) == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_a_partner_sees_its_three_topics_only(partner: KafkaAccess):
    seen = partner.admin().list_topics(timeout=ANSWER_SECONDS).topics
    assert set(seen) == {topic.name for topic in topics.partner_topics(PARTNER)}


def test_a_partner_makes_no_topic_and_reads_no_rights(partner: KafkaAccess):
    admin = partner.admin()
    with pytest.raises(KafkaException) as refusal:
        admin.create_topics([NewTopic(f"partners.{PARTNER}.more", 1, 1)])[f"partners.{PARTNER}.more"].result(20)
    assert code(refusal.value.args[0]) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert provision._granted(admin) == set()  # the client swallows the broker's refusal


def test_enrolment_reads_a_partners_events_and_answers(engines: Engines, partner: KafkaAccess):
    enrolment, _ = engines.reach("enrolment")
    assert write(partner, topics.events(PARTNER)) is None
    assert read(enrolment, topics.events(PARTNER), "enrolment") is None
    assert write(enrolment, topics.receipts(PARTNER)) is None
    assert code(write(enrolment, topics.view(PARTNER))) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_an_owner_reads_its_requests_and_those_of_no_other(engines: Engines, partner: KafkaAccess):
    enrolment, _ = engines.reach("enrolment")
    mentoring, _ = engines.reach("mentoring")
    for owner in ("mentoring", "assessment"):
        assert write(enrolment, topics.requests(owner)) is None
    assert read(mentoring, topics.requests("mentoring"), "mentoring") is None
    assert code(read(mentoring, topics.requests("assessment"), "mentoring")) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert code(read(mentoring, topics.events(PARTNER), "mentoring")) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert write(mentoring, topics.facts("mentoring")) is None
    assert code(write(mentoring, topics.facts("assessment"))) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_second_time_changes_nothing(engines: Engines, partner: KafkaAccess):
    before = engines.kafka.admin().list_topics(timeout=ANSWER_SECONDS).topics.keys()
    rights = provision._granted(engines.kafka.admin())
    engines.provision()
    add_partner(engines.kafka, PARTNER, partner.password)
    assert engines.kafka.admin().list_topics(timeout=ANSWER_SECONDS).topics.keys() == before
    assert provision._granted(engines.kafka.admin()) == rights
    assert write(partner, topics.events(PARTNER)) is None


def test_topics_have_the_tables_settings(engines: Engines, partner: KafkaAccess):
    admin = engines.kafka.admin()
    for topic in (*topics.service_topics(), *topics.partner_topics(PARTNER)):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name)
        found = admin.describe_configs([resource])[resource].result(ANSWER_SECONDS)
        assert {name: found[name].value for name, _ in topic.config} == dict(topic.config)


def test_partners_that_are_there_get_a_changed_table_too(engines: Engines, partner: KafkaAccess):
    admin, name = engines.kafka.admin(), topics.events(PARTNER)
    changed = ConfigEntry("retention.bytes", "-1", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[changed])
    admin.incremental_alter_configs([resource])[resource].result(ANSWER_SECONDS)
    engines.provision()
    found = admin.describe_configs([resource])[resource].result(ANSWER_SECONDS)
    assert found["retention.bytes"].value == str(topics.PARTNER_BYTES)


def test_a_topic_of_another_shape_is_reported_not_changed(engines: Engines):
    name = topics.events("misshapen")
    admin = engines.kafka.admin()
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(20)
    with pytest.raises(ProvisionError, match=r"misshapen\.events has 3 partitions instead of 1"):
        add_partner(engines.kafka, "misshapen", "password-of-it")


@pytest.mark.parametrize("wrong", ["", "Ab", "a_b", "a.b", "a b", "a/b", "ä", "a\n"])
def test_what_is_no_code_is_refused(engines: Engines, wrong: str):
    with pytest.raises(ValueError, match="consists of"):
        add_partner(engines.kafka, wrong, "password")


def test_the_leads_code_has_a_door_of_its_own(engines: Engines):
    with pytest.raises(ValueError, match="reserved"):
        add_partner(engines.kafka, "lead", "password")
    add_lead(engines.kafka, "password-of-the-lead")
    lead = KafkaAccess(engines.kafka.bootstrap, "partners.lead", "password-of-the-lead")
    assert write(lead, topics.events("lead")) is None


def test_whoever_is_suspended_has_neither_rights_nor_password_and_services_keep_theirs(engines: Engines):
    add_lead(engines.kafka, "password-of-the-lead")
    before = provision._granted(engines.kafka.admin())
    assert suspend_partner(engines.kafka, "lead")
    gone = before - provision._granted(engines.kafka.admin())
    assert {acl.principal for acl in gone} == {"User:partners.lead"}
    assert len(gone) == 7
    assert not suspend_partner(engines.kafka, "lead")
    add_lead(engines.kafka, "password-of-the-lead")
    assert provision._granted(engines.kafka.admin()) == before


def test_a_password_without_rights_is_ended_too(engines: Engines):
    users = engines.kafka.admin()
    provision._make_users(users, {topics.principal_of("half-gone"): "password"})
    assert suspend_partner(engines.kafka, "half-gone")
    assert not suspend_partner(engines.kafka, "half-gone")


def test_a_service_enters_its_own_database_only(engines: Engines, fresh_databases: Callable[[], Mapping[str, str]]):
    addresses = {service: make_url(address) for service, address in fresh_databases().items()}
    enrolment = addresses["enrolment"]
    role = PostgresAccess(engines.postgres.host, engines.postgres.port, "enrolment", str(enrolment.password))
    with role.connect(str(enrolment.database)) as connection:
        connection.execute("CREATE TABLE own (id int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        role.connect(str(addresses["reporting"].database))


def test_the_database_server_never_sees_a_services_password(local_engines: Engines):
    assert local_engines.postgres_server is not None
    _, address = local_engines.reach("enrolment")
    with local_engines.postgres.connect() as connection:
        connection.execute("SET log_statement = 'all'")
        provision._make_role(connection, "enrolment", str(make_url(address).password))
    log = local_engines.postgres_server.log.read_text()
    assert "ALTER ROLE" in log
    assert str(make_url(address).password) not in log
