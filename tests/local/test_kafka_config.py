"""The rendered configuration says what the design asks for, and nothing of it depends on the machine."""

from __future__ import annotations

import pytest

from senconet.local.kafka_config import (
    CONTAINER_DATA,
    KafkaSecrets,
    KafkaSettings,
    container_files,
    format_arguments,
    new_cluster_id,
    server_properties,
)

SECRETS = KafkaSecrets(operator="operator-password-1", broker="broker-password-1", controller="controller-password-1")


def settings(**changes: object) -> KafkaSettings:
    given = {"cluster_id": new_cluster_id(), "data": "/data", "port": 9092, "controller_port": 9093, "secrets": SECRETS}
    return KafkaSettings(**(given | changes))  # type: ignore[arg-type]


def properties(**changes: object) -> dict[str, str]:
    lines = server_properties(settings(**changes)).splitlines()
    pairs = [line.split("=", 1) for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs), "a property is set twice"
    return dict(pairs)  # type: ignore[arg-type]


def test_nobody_gets_in_without_a_password_and_a_right():
    found = properties()
    assert "PLAINTEXT:" not in found["listener.security.protocol.map"].replace("SASL_PLAINTEXT:", "")
    assert set(found["listener.security.protocol.map"].split(",")) == {
        "CLIENTS:SASL_PLAINTEXT",
        "CONTROLLERS:SASL_PLAINTEXT",
    }
    assert found["sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["allow.everyone.if.no.acl.found"] == "false"
    assert found["authorizer.class.name"].endswith("StandardAuthorizer")
    assert found["super.users"] == "User:operator;User:broker"
    assert found["auto.create.topics.enable"] == "false"


def test_it_listens_on_the_loopback_address_only():
    assert properties()["listeners"] == "CLIENTS://127.0.0.1:9092,CONTROLLERS://127.0.0.1:9093"


def test_a_container_may_listen_elsewhere_than_it_is_reached():
    found = properties(bind="0.0.0.0", advertised="kafka")
    assert found["listeners"].startswith("CLIENTS://0.0.0.0:9092")
    assert found["advertised.listeners"] == "CLIENTS://kafka:9092"
    assert found["controller.quorum.voters"] == "1@kafka:9093"


@pytest.mark.parametrize(("nodes", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")])
def test_copies_follow_from_the_number_of_nodes(nodes: int, replicas: str, in_sync: str):
    found = properties(voters=tuple(f"{node}@kafka-{node}:9093" for node in range(1, nodes + 1)))
    assert {value for name, value in found.items() if name.endswith("replication.factor")} == {replicas}
    assert {value for name, value in found.items() if name.endswith(("min.isr", "insync.replicas"))} == {in_sync}


def test_a_session_ends_with_its_time_to_log_in_again():
    name = "listener.name.clients.scram-sha-512.connections.max.reauth.ms"
    assert properties()[name] == "3600000"
    assert properties(reauthenticate_ms=5000)[name] == "5000"


def test_the_first_users_are_made_with_the_storage():
    lines = format_arguments(settings(cluster_id="id"), "/server.properties").splitlines()
    assert lines[:5] == ["format", "--config", "/server.properties", "--cluster-id", "id"]
    assert [line.split(",")[0] for line in lines if "SCRAM" in line] == [
        "SCRAM-SHA-512=[name=operator",
        "SCRAM-SHA-512=[name=broker",
    ]


@pytest.mark.parametrize(
    "password", ["short", 'sixteen"letters"and-more', "sixteen,letters=more", "", "with space in it 16"]
)
def test_a_password_that_could_end_a_quotation_is_refused(password: str):
    with pytest.raises(ValueError, match="16 or more") as refusal:
        KafkaSecrets(operator="operator-password-1", broker=password, controller="controller-password-1")
    assert not password or password not in str(refusal.value)


def test_passwords_show_in_no_representation():
    assert "password-1" not in repr(settings())


def test_a_container_formats_its_storage_once_and_becomes_the_same_broker():
    given = settings(data=CONTAINER_DATA, bind="0.0.0.0", advertised="kafka")
    files = container_files(given, "/etc/senconet/kafka")
    assert files["server.properties"] == server_properties(given)
    assert files["format.args"].splitlines()[2] == "/etc/senconet/kafka/server.properties"
    assert files["format.args"].splitlines()[-1] == "--ignore-formatted"
    named = {word for word in files["start.sh"].split() if "/etc/senconet/kafka/" in word}
    assert {word.rpartition("/")[2] for word in named} == files.keys() - {"start.sh"}


def test_a_cluster_id_is_not_taken_for_an_option():
    assert not any(new_cluster_id().startswith("-") for _ in range(1_000))
