"""Set up a Kafka cluster and a PostgreSQL server for the programme, whoever runs them.

Everything here may be run again at any time: what is there stays, what is missing is added, topics get the
table's settings and users the given passwords. Nothing is removed, but what a suspended partner could do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import psycopg
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its exports are not marked as such
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from psycopg import sql
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from senconet.access import KafkaAccess, PostgresAccess
from shared import topics
from shared.topics import Topic

_CODE: Final = re.compile(r"[a-z0-9-]+")
_SCRAM_ITERATIONS: Final = 10_000
_REQUEST_SECONDS: Final = 15.0
_VISIBLE_SECONDS: Final = 30.0
_CLUSTER: Final = "kafka-cluster"
_ANYWHERE: Final = "*"


class ProvisionError(RuntimeError):
    """The cluster cannot be brought to what the topic table says; the message names what is in the way."""


def provision_kafka(access: KafkaAccess, passwords: Mapping[str, str]) -> None:
    """Make the topics that belong to no partner, and each service's user (name: password) with its rights.

    Topics of partners that are there get the table's settings.
    """
    admin, wanted = access.admin(), topics.service_topics()
    rights = {acl for topic in wanted for acl in topic_rights(topic)}
    groups = {(service, name) for service in passwords for name in _groups(service)}
    rights |= {_right(service, ResourceType.GROUP, name, AclOperation.READ) for service, name in groups}
    # A service's relay starts before there is a partner whose topic it may write.
    rights |= {_right(service, ResourceType.BROKER, _CLUSTER, AclOperation.IDEMPOTENT_WRITE) for service in passwords}
    _provision(admin, (*wanted, *_of_partners(admin)), passwords, rights)


def _of_partners(admin: AdminClient) -> Iterator[Topic]:
    present = _partitions(admin)
    for code in sorted({topics.partner_of(name) for name in present if topics.is_of_a_partner(name)}):
        yield from (topic for topic in topics.partner_topics(code) if present.get(topic.name) == topic.partitions)


def _groups(service: str) -> tuple[str, ...]:
    own = (service, topics.learning_group(service))
    return (*own, topics.RECEIPTS_GROUP) if service == "reporting" else own


def add_partner(access: KafkaAccess, code: str, password: str) -> None:
    """Make a partner's topics and its user with its rights. Raises ValueError for what cannot be a code."""
    if not _CODE.fullmatch(code):
        raise ValueError(f"a partner's code consists of a-z, 0-9 and -: {code!r}")
    if code == topics.LEAD:
        raise ValueError(f"{topics.LEAD!r} is reserved for the lead's own events: use add_lead")
    _add(access, code, password)


def add_lead(access: KafkaAccess, password: str) -> None:
    """Make the topics and the user of the lead, which publishes events of its own as a partner does."""
    _add(access, topics.LEAD, password)


def suspend_partner(access: KafkaAccess, code: str) -> bool:
    """Take a partner's (or the lead's) user its rights, at once, and its password. Returns whether it had either.

    Its topics, and the services' rights on them, stay: what it has sent is answered. `add_partner` gives them again.
    """
    admin, user = access.admin(), topics.principal_of(code)
    rights = {acl for acl in _granted(admin) if acl.principal == _principal(user)}
    if rights:
        _settle(admin.delete_acls([_only(acl) for acl in rights], request_timeout=_REQUEST_SECONDS))
        _await(lambda: not rights & _granted(admin), "that rights are taken away")
    removed: list[UserScramCredentialAlteration] = [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)]
    return bool(rights) | _settle(admin.alter_user_scram_credentials(removed), passing=KafkaError.RESOURCE_NOT_FOUND)


def provision_databases(access: PostgresAccess, passwords: Mapping[str, str], *, suffix: str = "") -> dict[str, str]:
    """Make each service's role (name to password) and a database `{service}{suffix}` that it alone may enter.

    Returns each service's database address, which holds its password.
    """
    with access.connect() as connection:
        for service, password in passwords.items():
            _make_role(connection, service, password)
            _make_database(connection, service, service + suffix)
    return {
        service: PostgresAccess(access.host, access.port, service, password).url(service + suffix)
        for service, password in passwords.items()
    }


def topic_rights(topic: Topic) -> set[AclBinding]:
    """The rights on a topic, by the table: writers may write, readers may read, both may describe it."""
    grants = ((topic.writers, AclOperation.WRITE), (topic.readers, AclOperation.READ))
    return {
        _right(principal, ResourceType.TOPIC, topic.name, operation)
        for principals, granted in grants
        for principal in principals
        for operation in (granted, AclOperation.DESCRIBE)
    }


def partner_rights(code: str) -> set[AclBinding]:
    """All rights on and of a partner: its topics' (services' rights among them) and its consumer groups'."""
    user = topics.principal_of(code)
    # The closing dot keeps partner `ab` out of the groups of partner `abc`.
    groups = _right(user, ResourceType.GROUP, f"{user}.", AclOperation.READ, pattern=ResourcePatternType.PREFIXED)
    return {groups} | {acl for topic in topics.partner_topics(code) for acl in topic_rights(topic)}


def _add(access: KafkaAccess, code: str, password: str) -> None:
    users = {topics.principal_of(code): password}
    _provision(access.admin(), topics.partner_topics(code), users, partner_rights(code))


def _provision(admin: AdminClient, wanted: Iterable[Topic], users: Mapping[str, str], rights: set[AclBinding]) -> None:
    """Rights come last: a user that has them finds its topics there."""
    table = tuple(wanted)
    _make_topics(admin, table)
    _make_users(admin, users)
    _grant(admin, rights)


def _make_topics(admin: AdminClient, wanted: tuple[Topic, ...]) -> None:
    present = _partitions(admin)
    missing = [topic for topic in wanted if topic.name not in present]
    # -1: as many copies as the cluster's own default says.
    made = [NewTopic(each.name, each.partitions, -1, config=dict(each.config)) for each in missing]
    if made:
        futures = admin.create_topics(made, request_timeout=_REQUEST_SECONDS)
        _settle(futures, passing=KafkaError.TOPIC_ALREADY_EXISTS)
    names = {topic.name for topic in missing}
    _await(lambda: names <= _partitions(admin).keys(), f"topics {sorted(names)}")
    _adjust_topics(admin, [topic for topic in wanted if topic.name in present], present)


def _adjust_topics(admin: AdminClient, existing: list[Topic], present: Mapping[str, int]) -> None:
    for topic in existing:
        if present[topic.name] != topic.partitions:
            # Kafka can add partitions, but then a key's later records overtake its earlier ones.
            raise ProvisionError(
                f"topic {topic.name} has {present[topic.name]} partitions instead of {topic.partitions}"
            )
    resources = [_settings_of(topic) for topic in existing]
    if resources:
        _settle(admin.incremental_alter_configs(resources, request_timeout=_REQUEST_SECONDS))


def _settings_of(topic: Topic) -> ConfigResource:
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in topic.config]
    return ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=entries)


def _partitions(admin: AdminClient) -> dict[str, int]:
    metadata = admin.list_topics(timeout=_REQUEST_SECONDS)
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _make_users(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
    made: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(name, scram, password.encode()) for name, password in passwords.items()
    ]
    if made:
        _settle(admin.alter_user_scram_credentials(made, request_timeout=_REQUEST_SECONDS))


def _grant(admin: AdminClient, wanted: set[AclBinding]) -> None:
    missing = wanted - _granted(admin)
    if missing:
        _settle(admin.create_acls(list(missing), request_timeout=_REQUEST_SECONDS))
    _await(lambda: wanted <= _granted(admin), "rights")


def _granted(admin: AdminClient) -> set[AclBinding]:
    anything: Any = None  # its stub says str
    everything = AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        anything,
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return set(admin.describe_acls(everything, request_timeout=_REQUEST_SECONDS).result())


def _right(
    principal: str,
    kind: ResourceType,
    name: str,
    operation: AclOperation,
    *,
    pattern: ResourcePatternType = ResourcePatternType.LITERAL,
) -> AclBinding:
    return AclBinding(kind, name, pattern, _principal(principal), _ANYWHERE, operation, AclPermissionType.ALLOW)


def _principal(user: str) -> str:
    return f"User:{user}"


def _only(acl: AclBinding) -> AclBindingFilter:
    """What finds this right and no other."""
    return AclBindingFilter(
        acl.restype, acl.name, acl.resource_pattern_type, acl.principal, acl.host, acl.operation, acl.permission_type
    )


def _settle(futures: Mapping[Any, Any], *, passing: int | None = None) -> bool:
    """Wait for all answers of one administrative request; an error of code `passing` is none, but makes it False."""
    done = True
    for future in futures.values():
        try:
            future.result(timeout=_REQUEST_SECONDS * 2)
        except KafkaException as failure:
            if failure.args[0].code() != passing:
                raise
            done = False
    return done


def _await(done: Callable[[], bool], what: str) -> None:
    """Brokers learn of a change from the controller's log, a moment after it has been made."""
    retrying = Retrying(
        retry=retry_if_result(lambda result: not result),
        stop=stop_after_delay(_VISIBLE_SECONDS),
        wait=wait_fixed(0.05),
        retry_error_callback=lambda _: False,
    )
    if not retrying(done):
        raise ProvisionError(f"not visible after {_VISIBLE_SECONDS:g} s: {what}")


def _make_role(connection: psycopg.Connection, name: str, password: str) -> None:
    """The password is hashed here: the server, and so its log, never sees it."""
    role = sql.Identifier(name)
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(hashed)))


def _make_database(connection: psycopg.Connection, owner: str, name: str) -> None:
    database, role = sql.Identifier(name), sql.Identifier(owner)
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if known is None:
        made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(made.format(database, role))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
