"""A system is started step by step or whole, by one run of ours and stopped by another."""

from __future__ import annotations

from pathlib import Path

import httpx
import psycopg
import pytest

from senconet.local.engines import Engines, NotStarted
from senconet.local.home import Home
from senconet.local.processes import ProcessId, StartFailed
from senconet.local.service import ServiceProgram
from senconet.local.system import LocalSystem
from shared.topics import SERVICES
from tests.support.containers import environment_of

# It says what it was told, and is ready unless told otherwise.
SERVICE = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.environ.get("SENCONET_NEVER_READY") else 200)
        self.end_headers()
        told = {name: value for name, value in os.environ.items() if name.startswith("SENCONET_")}
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_):
        pass

if os.environ.get("SENCONET_CRASH_POINT"):
    sys.exit("crashed as told")
HTTPServer(("127.0.0.1", int(os.environ["SENCONET_HTTP_PORT"])), Handler).serve_forever()
"""
ENROLMENT = ServiceProgram("enrolment", "fake_service", "enrolment")
SERVER = ServiceProgram("reporting-server", "fake_service", "reporting")


@pytest.fixture
def given(engines: Engines) -> dict[str, str]:
    """An environment that names the engines of the test session."""
    return environment_of(engines.kafka, engines.postgres)


@pytest.fixture(autouse=True)
def fake_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fake_service.py").write_text(SERVICE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.fixture
def system(engines: Engines, home: Home, given: dict[str, str]):
    """A system on the session's engines, with their users' passwords; it migrates nothing."""
    home.save(home.system())
    (home.path / "secrets.json").write_text(engines.home.secrets().model_dump_json())
    with LocalSystem(home, environment=given, migrate=lambda *_: None) as made:
        yield made


def told(system: LocalSystem, name: str) -> dict[str, str]:
    return httpx.get(f"{system.services[name].url}/health/ready", trust_env=False).json()


def test_a_service_is_told_what_to_reach(system: LocalSystem, engines: Engines):
    system.start_service(ENROLMENT, settings={"SENCONET_HOLD_SECONDS": "5"})
    environment = told(system, "enrolment")
    assert environment["SENCONET_KAFKA_BOOTSTRAP"] == engines.kafka.bootstrap
    assert environment["SENCONET_KAFKA_USERNAME"] == "enrolment"
    assert environment["SENCONET_DATABASE_URL"] == engines.reach("enrolment")[1]
    assert environment["SENCONET_HOLD_SECONDS"] == "5"


def test_a_server_of_a_service_uses_its_database(system: LocalSystem):
    system.start_service(SERVER)
    assert "/reporting" in told(system, "reporting-server")["SENCONET_DATABASE_URL"]


def test_two_instances_run_side_by_side(system: LocalSystem):
    one, two = system.start_service(ENROLMENT), system.start_service(ENROLMENT, instance="2")
    assert one.port != two.port
    assert told(system, "enrolment-2")["SENCONET_HTTP_PORT"] == str(two.port)
    two.kill()
    assert one.process_id is not None


def test_a_service_that_crashes_is_reported_and_can_be_started_again(system: LocalSystem):
    with pytest.raises(StartFailed, match="crashed as told"):
        system.start_service(ENROLMENT, settings={"SENCONET_CRASH_POINT": "anywhere"})
    assert system.start_service(ENROLMENT).process_id is not None


def test_a_running_service_is_left_alone(system: LocalSystem):
    first = system.start_service(ENROLMENT)
    again = system.start_service(ENROLMENT)
    assert (again.process_id, again.port) == (first.process_id, first.port)


def test_the_whole_start_migrates_and_tells_its_steps(home: Home, given: dict[str, str]):
    migrated: list[str] = []
    steps: list[str] = []
    system = LocalSystem(
        home, environment=given, migrate=lambda service, _: migrated.append(service), on_step=steps.append
    )
    with system:
        described = system.start([ENROLMENT])
        assert set(described.processes) == {"enrolment"}
    assert migrated == list(SERVICES)
    assert steps[-2:] == ["Starting enrolment", "Stopping enrolment"]


def test_another_run_stops_it(system: LocalSystem, home: Home, given: dict[str, str]):
    running = system.start_service(ENROLMENT).process_id
    assert home.system().processes == {"enrolment": running}
    LocalSystem(home, environment=given, migrate=lambda *_: None).stop()
    assert isinstance(running, ProcessId)
    assert running.find() is None
    assert home.system().processes == {}


def test_a_start_that_fails_leaves_nothing_running(home: Home, given: dict[str, str]):
    system = LocalSystem(home, environment=given, migrate=lambda *_: None)
    settings = {"SENCONET_CRASH_POINT": "anywhere"}
    with pytest.raises(StartFailed):
        system.start([ENROLMENT, SERVER], settings=settings)
    assert home.system().processes == {}
    assert [service.process_id for service in system.services.values()] == [None, None]


def test_before_the_first_start_there_is_nothing_to_reach(home: Home):
    with pytest.raises(NotStarted, match="senconet up"):
        _ = Engines(home, {}).kafka


def test_engines_keep_their_ports_and_are_found_again(home: Home, given: dict[str, str]):
    kafka_elsewhere = {name: value for name, value in given.items() if "KAFKA" in name}
    first = Engines(home, kafka_elsewhere)
    try:
        first.start()
        again = Engines(home, kafka_elsewhere)
        assert again.processes == first.processes != {}
        address = again.postgres
        again.stop()
        assert not first.processes
        again.start()
        assert again.postgres == address
        assert home.system().postgres == address.address
        with again.postgres.connect() as connection:
            assert isinstance(connection, psycopg.Connection)
    finally:
        Engines(home, kafka_elsewhere).stop()
