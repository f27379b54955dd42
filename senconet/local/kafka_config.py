"""How a Kafka node is configured: one place for the local broker, containers and tests.

Everything here is a pure function of a frozen value, so that the same settings always give the same node.
"""

from __future__ import annotations

import base64
import re
import shlex
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from shared.topics import OPERATOR

BROKER: Final = "broker"
MECHANISM: Final = "SCRAM-SHA-512"
SCRAM_ITERATIONS: Final = 10_000

_HOUR_MS: Final = 3_600_000
_INTERNAL_PARTITIONS: Final = 4
_MOST_REPLICAS: Final = 3
# What may stand unquoted in a JAAS line and in the format tool's argument alike.
_PASSWORD: Final = re.compile(r"[A-Za-z0-9_-]{16,}")

LOGGING: Final = """\
rootLogger.level=warn
rootLogger.appenderRef.output.ref=output
appender.output.type=Console
appender.output.name=output
appender.output.layout.type=PatternLayout
appender.output.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1} %m%n
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
logger.denied.name=kafka.authorizer.logger
logger.denied.level=info
"""

CONTAINER_DATA: Final = "/var/lib/kafka/data"
"""Where the image `apache/kafka` keeps data: a volume that its user may write."""

_START: Final = """\
# Formats the storage unless that is done, then becomes the broker. The output of the former names salted keys.
set -eu
/opt/kafka/bin/kafka-storage.sh @{folder}/format.args > /dev/null
export KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile={folder}/log4j2.properties
exec /opt/kafka/bin/kafka-server-start.sh {folder}/server.properties
"""


@dataclass(frozen=True, slots=True)
class KafkaSecrets:
    """The passwords of a cluster: its administrator, the brokers among themselves, and to the controllers."""

    operator: str = field(repr=False)
    broker: str = field(repr=False)
    controller: str = field(repr=False)

    @classmethod
    def of(cls, passwords: Mapping[str, str]) -> Self:
        """Those among the passwords of all users. Raises KeyError."""
        return cls(passwords[OPERATOR], passwords[BROKER], passwords["controller"])

    def __post_init__(self) -> None:
        for password in (self.operator, self.broker, self.controller):
            if not _PASSWORD.fullmatch(password):
                raise ValueError("a Kafka password needs 16 or more characters of A-Z a-z 0-9 _ -")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """One node that is broker and controller in one.

    `voters` names all nodes of the cluster as `id@host:port`; without it, this node is the cluster.
    `reauthenticate_ms` bounds how long a session outlives its revoked password; `session_ms` how long a
    killed broker must wait until the controller lets it register again.
    """

    cluster_id: str
    data: str
    port: int
    controller_port: int
    secrets: KafkaSecrets
    node_id: int = 1
    bind: str = "127.0.0.1"
    advertised: str = "127.0.0.1"
    voters: tuple[str, ...] = ()
    reauthenticate_ms: int = _HOUR_MS
    session_ms: int = 9_000

    @property
    def quorum(self) -> tuple[str, ...]:
        """All controllers of the cluster."""
        return self.voters or (f"{self.node_id}@{self.advertised}:{self.controller_port}",)

    @property
    def replicas(self) -> int:
        """How many copies a partition has: as many as nodes, three at most."""
        return min(_MOST_REPLICAS, len(self.quorum))

    @property
    def in_sync(self) -> int:
        """How many copies must hold a record before it counts: all but one, so that one node may be away."""
        return max(1, self.replicas - 1)


def new_cluster_id() -> str:
    """A random cluster id in the form that Kafka asks for: a UUID's 16 bytes in URL-safe base 64.

    One that begins with `-` would be taken for an option where it is formatted with.
    """
    made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return new_cluster_id() if made.startswith("-") else made


def server_properties(settings: KafkaSettings) -> str:
    """The text of `server.properties`. It holds passwords: write it for its owner only."""
    properties = _node(settings) | _security(settings) | _authorization() | _storage(settings)
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def format_arguments(settings: KafkaSettings, properties_path: str) -> str:
    """Arguments of Kafka's StorageTool, one a line, to be passed as a file (`@path`): they hold passwords.

    The first users must be made here: nobody could log in to make them later.
    """
    users = {OPERATOR: settings.secrets.operator, BROKER: settings.secrets.broker}
    arguments = ["format", "--config", properties_path, "--cluster-id", settings.cluster_id]
    for name, password in users.items():
        scram = f"name={name},iterations={SCRAM_ITERATIONS},password={password}"
        arguments += ["--add-scram", f"{MECHANISM}=[{scram}]"]
    return "".join(f"{argument}\n" for argument in arguments)


def container_files(settings: KafkaSettings, folder: str) -> Mapping[str, str]:
    """Files by their names that make a container of the image `apache/kafka` such a node.

    They are to lie in `folder` of the container, which then runs `sh {folder}/start.sh`; they hold passwords.
    """
    arguments = format_arguments(settings, f"{folder}/server.properties") + "--ignore-formatted\n"
    return {
        "server.properties": server_properties(settings),
        "format.args": arguments,
        "log4j2.properties": LOGGING,
        "start.sh": _START.format(folder=shlex.quote(folder)),
    }


def _node(settings: KafkaSettings) -> dict[str, object]:
    client = f"{settings.bind}:{settings.port}"
    return {
        "process.roles": "broker,controller",
        "node.id": settings.node_id,
        "controller.quorum.voters": ",".join(settings.quorum),
        "listeners": f"CLIENTS://{client},CONTROLLERS://{settings.bind}:{settings.controller_port}",
        "advertised.listeners": f"CLIENTS://{settings.advertised}:{settings.port}",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLERS",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLERS:SASL_PLAINTEXT",
        "broker.session.timeout.ms": settings.session_ms,
        "broker.heartbeat.interval.ms": settings.session_ms // 5,
    }


def _security(settings: KafkaSettings) -> dict[str, object]:
    """Controllers know each other by PLAIN: SCRAM users live in the metadata that they have yet to load."""
    modules = "org.apache.kafka.common.security"
    secrets = settings.secrets
    clients = f"listener.name.clients.{MECHANISM.lower()}"
    scram = f'{modules}.scram.ScramLoginModule required username="{BROKER}" password="{secrets.broker}";'
    plain = (
        f'{modules}.plain.PlainLoginModule required username="{BROKER}" password="{secrets.controller}" '
        f'user_{BROKER}="{secrets.controller}";'
    )
    return {
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        f"{clients}.sasl.jaas.config": scram,
        f"{clients}.connections.max.reauth.ms": settings.reauthenticate_ms,
        "listener.name.controllers.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controllers.plain.sasl.jaas.config": plain,
    }


def _authorization() -> dict[str, object]:
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{OPERATOR};User:{BROKER}",
        "auto.create.topics.enable": "false",
    }


def _storage(settings: KafkaSettings) -> dict[str, object]:
    return {
        "log.dirs": settings.data,
        "default.replication.factor": settings.replicas,
        "min.insync.replicas": settings.in_sync,
        "offsets.topic.replication.factor": settings.replicas,
        "offsets.topic.num.partitions": _INTERNAL_PARTITIONS,
        "transaction.state.log.replication.factor": settings.replicas,
        "transaction.state.log.min.isr": settings.in_sync,
        "transaction.state.log.num.partitions": _INTERNAL_PARTITIONS,
        "share.coordinator.state.topic.replication.factor": settings.replicas,
        "share.coordinator.state.topic.min.isr": settings.in_sync,
        # The default waits 3 s for further members before a group's first assignment.
        "group.initial.rebalance.delay.ms": 0,
    }
