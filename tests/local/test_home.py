"""What a home keeps, and what the environment says instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from senconet.local.home import Home, HomeBusy, IncompleteAddress, Secrets, System, given_kafka, given_postgres
from senconet.local.processes import ProcessId

ADMINISTRATOR = {"_ADMIN_USERNAME": "admin", "_ADMIN_PASSWORD": "secret"}


def named(engine: str, address: str) -> dict[str, str]:
    return {engine: address} | {engine + name: value for name, value in ADMINISTRATOR.items()}


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert Home.of({}).path == tmp_path / ".senconet"
    assert Home.of({"SENCONET_HOME": ""}).path == tmp_path / ".senconet"
    assert Home.of({"SENCONET_HOME": "/somewhere"}).path == Path("/somewhere")


def test_a_description_comes_back_as_it_was_saved(home: Home):
    system = System(kafka="127.0.0.1:1", ports={"kafka": 1}, processes={"kafka": ProcessId(7, 1.5)})
    home.save(system)
    assert home.system() == system


def test_before_the_first_start_nothing_runs(home: Home):
    assert home.system().processes == {}
    assert not home.path.exists()


def test_secrets_are_made_once_and_lie_apart(home: Home):
    first = home.secrets()
    assert home.secrets() == first
    passwords = [*first.kafka.values(), *first.postgres.values()]
    assert len(set(passwords)) == len(passwords)
    home.save(home.system())
    assert not any(password in (home.path / "system.json").read_text() for password in passwords)
    assert not any(password in repr(first) for password in passwords)


def test_a_user_that_came_later_gets_a_password_too(home: Home):
    first = home.secrets()
    fewer = {name: password for name, password in first.kafka.items() if name != "reporting"}
    (home.path / "secrets.json").write_text(first.model_copy(update={"kafka": fewer}).model_dump_json())
    later = home.secrets()
    assert fewer.items() < later.kafka.items()
    assert later.kafka["reporting"] != first.kafka["reporting"]


def test_everything_is_the_owners_only(home: Home):
    home.secrets()
    home.save(home.system())
    with home.exclusive():
        modes = {path.name: path.stat().st_mode & 0o777 for path in (home.path, *home.path.iterdir())}
    assert modes == {"home": 0o700, "secrets.json": 0o600, "system.json": 0o600, "lock": 0o600}


def test_two_commands_do_not_start_one_system_together(home: Home):
    with home.exclusive(), pytest.raises(HomeBusy), home.exclusive():
        pass
    with home.exclusive():
        pass


def test_given_engines_are_used():
    kafka = given_kafka(named("SENCONET_KAFKA", "kafka-1:9092,kafka-2:9092"))
    assert kafka is not None
    assert (kafka.bootstrap, kafka.username) == ("kafka-1:9092,kafka-2:9092", "admin")
    postgres = given_postgres(named("SENCONET_POSTGRES", "[::1]:5432"))
    assert postgres is not None
    assert (postgres.host, postgres.port) == ("::1", 5432)
    assert given_kafka({}) is given_postgres({}) is None


def test_an_address_without_its_administrator_is_refused():
    with pytest.raises(IncompleteAddress, match="SENCONET_KAFKA_ADMIN_USERNAME and SENCONET_KAFKA_ADMIN_PASSWORD"):
        given_kafka({"SENCONET_KAFKA": "kafka:9092"})


@pytest.mark.parametrize("address", ["database", "database:", ":5432", "database:five"])
def test_an_address_without_a_port_is_refused(address: str):
    with pytest.raises(IncompleteAddress, match="host:port"):
        given_postgres(named("SENCONET_POSTGRES", address))


def test_secrets_that_the_environment_gives_are_used_and_not_saved(home: Home):
    given = Secrets().completed()
    assert home.secrets(given.variables()) == given
    assert not home.path.exists()


def test_secrets_that_the_environment_lacks_are_made(home: Home):
    found = home.secrets({"SENCONET_KAFKA_PASSWORD_REPORTING": "given"})
    assert found.kafka["reporting"] == "given"
    assert found.completed() == found
    assert home.secrets().kafka["reporting"] != "given"
    assert home.secrets().postgres == found.postgres
