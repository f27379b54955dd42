"""Engines in containers are chosen where an engine of containers answers, and configured as those of this machine."""

from __future__ import annotations

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, DockerException

from senconet.local.home import Secrets, given_kafka, given_postgres
from senconet.local.kafka_config import new_cluster_id, server_properties
from tests.support import containers
from tests.support.containers import FOLDER, docker_answers, kafka_settings

SECRETS = Secrets().completed()


def client(ping: Any) -> Any:
    """A client of an engine that answers a ping so."""
    return lambda: SimpleNamespace(ping=ping, close=lambda: None)


def fails(error: Exception) -> Any:
    """A function that fails so."""

    def failing() -> None:
        raise error

    return failing


def test_containers_are_chosen_only_where_an_engine_answers():
    assert docker_answers(client(lambda: True))
    assert not docker_answers(client(lambda: False))
    assert not docker_answers(client(fails(APIError("out of order"))))
    assert not docker_answers(fails(DockerException("no such socket")))


def test_an_address_at_which_nothing_listens_answers_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert not docker_answers()


def test_a_broker_in_a_container_is_reached_where_its_port_is_published():
    settings = kafka_settings(SECRETS, new_cluster_id(), "localhost", 29092)
    found = dict(line.split("=", 1) for line in server_properties(settings).splitlines())
    assert found["advertised.listeners"] == "CLIENTS://localhost:29092"
    assert found["listeners"].startswith("CLIENTS://0.0.0.0:29092,")
    assert found["allow.everyone.if.no.acl.found"] == "false"


def test_the_containers_of_tests_are_those_of_compose():
    kafka, postgres = containers.compose_service("kafka"), containers.compose_service("postgres")
    assert kafka["command"] == ["sh", f"{FOLDER}/start.sh"]
    assert {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"} <= postgres["environment"].keys()
    assert kafka["image"].startswith("apache/kafka:")
    assert postgres["image"].startswith("postgres:")


def test_the_environment_of_engines_names_them_with_their_administrators():
    environment = {"SENCONET_KAFKA": "localhost:1", "SENCONET_POSTGRES": "localhost:2"}
    for engine, names in (("KAFKA", SECRETS.kafka), ("POSTGRES", SECRETS.postgres)):
        environment[f"SENCONET_{engine}_ADMIN_USERNAME"] = "operator"
        environment[f"SENCONET_{engine}_ADMIN_PASSWORD"] = names["operator"]
    kafka, postgres = given_kafka(environment), given_postgres(environment)
    assert kafka is not None
    assert postgres is not None
    assert containers.environment_of(kafka, postgres) == environment


def test_a_machine_without_an_engine_leaves_no_socket_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert not docker_answers()
    gc.collect()
