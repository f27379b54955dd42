"""A broker keeps its data and its address through stops and crashes, and keeps its passwords to itself."""

from __future__ import annotations

import secrets
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import NewTopic

from senconet.local import kafka_jars
from senconet.local.engines import Engines
from senconet.local.kafka import KafkaServer
from senconet.local.kafka_config import KafkaSecrets, KafkaSettings, new_cluster_id
from senconet.local.kafka_jars import JarTampered
from senconet.local.processes import StartFailed


def other_cluster(folder: Path, port: int) -> KafkaServer:
    passwords = KafkaSecrets(*(secrets.token_urlsafe(24) for _ in range(3)))
    return KafkaServer(folder, KafkaSettings(new_cluster_id(), str(folder / "data"), port, 0, passwords))


@pytest.fixture
def server(local_engines: Engines) -> KafkaServer:
    assert local_engines.kafka_server is not None
    return local_engines.kafka_server


def publish(server: KafkaServer, value: bytes) -> None:
    producer = Producer(server.access.client_settings())
    producer.produce("kept", value)
    assert producer.flush(20) == 0


def published(server: KafkaServer, count: int) -> list[bytes | None]:
    consumer = Consumer(server.access.client_settings() | {"group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    found = consumer.consume(count, timeout=20)
    consumer.close()
    return [message.value() for message in found]


def test_what_is_acknowledged_outlives_a_stop_and_a_crash(server: KafkaServer):
    admin = server.access.admin()
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(20)
    address = server.access
    publish(server, b"one")
    server.stop()
    assert server.process_id is None
    server.start()
    publish(server, b"two")
    server.kill()
    assert server.process_id is None
    server.start()
    assert server.access == address
    assert published(server, 2) == [b"one", b"two"]


def test_passwords_are_in_no_log_and_no_command_line(local_engines: Engines, server: KafkaServer):
    assert server.process_id is not None
    spoken = [server.log.read_text(), *psutil.Process(server.process_id.pid).cmdline()]
    passwords = local_engines.home.secrets().kafka.values()
    assert not [word for word in passwords if any(word in text for text in spoken)]
    files = [path for path in local_engines.home.kafka.iterdir() if path.is_file()]
    holding = [path for path in files if any(word in path.read_text() for word in passwords)]
    assert [path.name for path in holding] == ["server.properties"]
    assert holding[0].stat().st_mode & 0o077 == 0


def test_a_running_broker_is_left_alone(server: KafkaServer):
    running = server.process_id
    server.start()
    assert server.process_id == running


def test_a_tampered_jar_keeps_the_broker_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first, *others = kafka_jars.jars()
    monkeypatch.setattr(kafka_jars, "jars", lambda: (kafka_jars.Jar(first.path, "0" * 64), *others))
    with pytest.raises(JarTampered, match=first.path.name):
        other_cluster(tmp_path / "kafka", 1).start()
    assert not (tmp_path / "kafka").exists()


def test_another_cluster_on_its_port_is_not_taken_for_its_own(server: KafkaServer, tmp_path: Path):
    taken = int(server.access.bootstrap.rpartition(":")[2])
    other = other_cluster(tmp_path, taken)
    with pytest.raises(StartFailed, match=f"port {taken} is in use"):
        other.start()
    assert other.process_id is None
