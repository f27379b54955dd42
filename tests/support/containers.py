"""Kafka and PostgreSQL in containers, for a machine on which an engine of containers answers."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import psycopg
import yaml
from confluent_kafka import KafkaException
from docker import DockerClient
from docker.errors import DockerException
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from testcontainers.core.container import DockerContainer

from senconet.access import KafkaAccess, PostgresAccess
from senconet.local.home import KAFKA, POSTGRES, Secrets
from senconet.local.kafka_config import CONTAINER_DATA, KafkaSecrets, KafkaSettings, container_files
from senconet.local.ports import reserved_ports
from shared.topics import OPERATOR
from tests.architecture.source import ROOT

FOLDER: Final = "/etc/senconet/kafka"
START_SECONDS: Final = 120.0
_CONTROLLERS_PORT: Final = 9093


def docker_answers(connect: Callable[[], DockerClient] = DockerClient.from_env) -> bool:
    """Whether an engine of containers answers where the environment says that there is one."""
    with warnings.catch_warnings():
        # Where nothing answers, the client leaves its socket to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        answers = _pinged(connect)
        gc.collect()
    return answers


def _pinged(connect: Callable[[], DockerClient]) -> bool:
    try:
        client = connect()
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()


def compose_service(name: str) -> Mapping[str, Any]:
    """What docker-compose.yml says of a container: its image and command are the tests' too."""
    found: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"][name]
    return found


def kafka_settings(secrets: Secrets, cluster_id: str, host: str, port: int) -> KafkaSettings:
    """A node that is reached at the same port from within its container and from without."""
    return KafkaSettings(
        cluster_id=cluster_id,
        data=CONTAINER_DATA,
        port=port,
        controller_port=_CONTROLLERS_PORT,
        secrets=KafkaSecrets.of(secrets.kafka),
        bind="0.0.0.0",
        advertised=host,
        voters=(f"1@localhost:{_CONTROLLERS_PORT}",),
    )


def kafka_container(settings: KafkaSettings) -> DockerContainer:
    """The container of a node, not started."""
    container = DockerContainer(compose_service("kafka")["image"]).with_bind_ports(settings.port, settings.port)
    for name, text in container_files(settings, FOLDER).items():
        container.with_copy_into_container(text.encode(), f"{FOLDER}/{name}", 0o644)
    return container.with_command(["sh", f"{FOLDER}/start.sh"])


def postgres_container(password: str, port: int) -> DockerContainer:
    """The container of a database server, not started."""
    told = compose_service("postgres")
    container = DockerContainer(told["image"]).with_bind_ports(5432, port).with_command(told["command"])
    return container.with_envs(**told["environment"] | {"POSTGRES_PASSWORD": password})


@contextmanager
def engines_in_containers(secrets: Secrets, cluster_id: str) -> Iterator[Mapping[str, str]]:
    """Both engines; yields the environment that names them. They are gone at the end, their data too."""
    with reserved_ports([None, None]) as ports:
        kafka_port, postgres_port = ports
    with ExitStack() as running:
        database = running.enter_context(postgres_container(secrets.postgres[OPERATOR], postgres_port))
        host = database.get_container_host_ip()
        broker = kafka_container(kafka_settings(secrets, cluster_id, host, kafka_port))
        running.enter_context(broker)
        kafka = KafkaAccess(f"{host}:{kafka_port}", OPERATOR, secrets.kafka[OPERATOR])
        postgres = PostgresAccess(host, postgres_port, OPERATOR, secrets.postgres[OPERATOR])
        _await(lambda: postgres.connect().close(), psycopg.OperationalError)
        _await(lambda: kafka.admin().list_topics(timeout=2), KafkaException)
        yield environment_of(kafka, postgres)


def environment_of(kafka: KafkaAccess, postgres: PostgresAccess) -> dict[str, str]:
    """The variables that name engines and their administrators."""
    return {
        KAFKA: kafka.bootstrap,
        f"{KAFKA}_ADMIN_USERNAME": kafka.username,
        f"{KAFKA}_ADMIN_PASSWORD": kafka.password,
        POSTGRES: postgres.address,
        f"{POSTGRES}_ADMIN_USERNAME": postgres.username,
        f"{POSTGRES}_ADMIN_PASSWORD": postgres.password,
    }


def _await(attempt: Callable[[], object], failure: type[Exception]) -> None:
    patient = stop_after_delay(START_SECONDS)
    Retrying(stop=patient, wait=wait_fixed(0.2), retry=retry_if_exception_type(failure), reraise=True)(attempt)
