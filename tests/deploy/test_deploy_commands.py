"""Commands for engines in containers: secrets are made once, and Kafka's files hold them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from senconet.cli import app
from senconet.cli.deploy import GRAFANA
from senconet.local.home import CLUSTER_ID, Secrets, given_secrets
from tests.deploy import containers
from tests.deploy.alerts import SAMPLES
from tests.deploy.containers import COMPOSE, services_of


def senconet(*words: str | Path, environment: dict[str, str] | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, str]:
    """The variables that `senconet secrets` has written to `env`."""
    assert senconet("secrets", tmp_path / "env").exit_code == 0
    return dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())


def test_secrets_lie_where_only_their_owner_reads_them(tmp_path: Path, written: dict[str, str]) -> None:
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert len(set(written.values())) == len(written)


def test_secrets_that_are_there_are_not_made_anew(tmp_path: Path, written: dict[str, str]) -> None:
    before = (tmp_path / "env").read_text()
    again = senconet("secrets", tmp_path / "env")
    assert again.exit_code == 1
    assert (tmp_path / "env").read_text() == before
    assert not any(secret in again.output for secret in written.values())


def test_they_are_all_that_the_command_line_needs_and_compose_asks_for(written: dict[str, str]) -> None:
    given = given_secrets(written)
    assert given.completed() == given
    assert containers.interpolated(COMPOSE) <= written.keys()
    assert written.keys() == {CLUSTER_ID, GRAFANA, *Secrets().completed().variables()}


def test_a_variable_of_compose_that_nobody_writes_is_found(written: dict[str, str]) -> None:
    assert containers.interpolated(SAMPLES / "docker-compose.yml") - written.keys() == {"SENCONET_KAFKA_PASSWORD_DOOR"}


def test_kafka_starts_from_the_files_that_are_written_for_it(tmp_path: Path, written: dict[str, str]) -> None:
    folder = tmp_path / "kafka"
    assert senconet("kafka-files", folder, "--advertised", "kafka", environment=written).exit_code == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert written["SENCONET_KAFKA_PASSWORD_OPERATOR"] in (folder / "format.args").read_text()
    services = services_of(COMPOSE)
    command, target, *_ = services["kafka-files"]["command"]
    assert command == "kafka-files"
    assert services["kafka"]["command"] == ["sh", f"{target}/start.sh"]
    assert (folder / "start.sh").exists()


def test_without_secrets_no_file_is_written(tmp_path: Path) -> None:
    refused = senconet("kafka-files", tmp_path / "kafka", "--advertised", "kafka", environment={CLUSTER_ID: ""})
    assert refused.exit_code == 1
    assert "senconet secrets" in refused.output
    assert not (tmp_path / "kafka").exists()
