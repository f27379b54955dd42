"""The system in containers: what each is told, made of and runs as. An engine of containers is not needed here."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

from senconet.local.service import PROGRAMS, ServiceProgram
from tests.architecture.source import ROOT, imports, modules
from tests.deploy import alerts, containers
from tests.deploy.alerts import SAMPLES
from tests.deploy.containers import COMPOSE, DOCKERFILE, services_of, stages_of

LOCKED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
BAD_COMPOSE = SAMPLES / "docker-compose.yml"
BAD_DOCKERFILE = SAMPLES / "Dockerfile"


def locked(path: Path) -> set[tuple[str, str]]:
    """The packages of a lock with their versions."""
    return set(LOCKED.findall(path.read_text("utf-8")))


def test_compose_takes_the_file() -> None:
    assert containers.accepted_by_schema(COMPOSE)
    assert not containers.accepted_by_schema(BAD_COMPOSE)


def test_each_program_is_told_what_it_reads_and_nothing_else() -> None:
    found = containers.misunderstood(COMPOSE)
    assert not found, f"docker-compose.yml: variables of these programs that are missing, or read by nobody: {found}"


def test_a_variable_that_is_missing_or_read_by_nobody_is_found() -> None:
    found = containers.misunderstood(BAD_COMPOSE)
    assert found["enrolment"] == {"SENCONET_HTTP_PORT", "SENCONET_HOLD_HOURS"}
    assert "SENCONET_DATABASE_URL" in found["mentoring"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_each_program_runs_from_the_image_of_its_service(program: ServiceProgram) -> None:
    assert program.name in services_of(COMPOSE), f"docker-compose.yml: no container of {program.name}"
    container = services_of(COMPOSE)[program.name]
    assert container["build"]["args"] == {"SERVICE": program.service}
    assert container["build"]["target"] == "service"
    assert container["environment"]["SENCONET_KAFKA_USERNAME"] == program.service
    default = ["python", "-m", f"services.{program.service}"]
    assert container.get("command", default) == ["python", "-m", program.module]


def test_the_image_of_a_service_holds_the_shared_code_and_that_service() -> None:
    assert containers.code_in(stages_of(DOCKERFILE)["service"]) == {
        "shared",
        "services/__init__.py",
        "services/${SERVICE}",
    }
    assert containers.code_in(stages_of(BAD_DOCKERFILE)["service"]) == {"."}


def test_no_program_of_ours_runs_as_root() -> None:
    assert [name for name in ("service", "senconet") if containers.runs_as_root(stages_of(DOCKERFILE)[name])] == []
    assert containers.runs_as_root(stages_of(BAD_DOCKERFILE)["service"])


def test_a_service_counts_as_healthy_when_it_is_ready() -> None:
    (check,) = (line for line in stages_of(DOCKERFILE)["service"] if line.startswith("HEALTHCHECK"))
    assert "/health/ready" in check


def test_hadolint_takes_the_dockerfile() -> None:
    assert containers.accepted_by_hadolint(DOCKERFILE)
    assert not containers.accepted_by_hadolint(BAD_DOCKERFILE)


def test_images_of_others_are_named_with_their_versions() -> None:
    assert containers.unpinned(COMPOSE, DOCKERFILE) == set()
    assert containers.unpinned(BAD_COMPOSE, BAD_DOCKERFILE) == {"apache/kafka:latest", "python"}


def test_prometheus_scrapes_each_program_as_a_job_of_its_own() -> None:
    jobs = alerts.read(alerts.FOLDER / "prometheus.yml")["scrape_configs"]
    port = services_of(COMPOSE)["enrolment"]["environment"]["SENCONET_HTTP_PORT"]
    scraped = {job["job_name"]: job["static_configs"] for job in jobs}
    wanted = {program.name: [{"targets": [f"{program.name}:{port}"]}] for program in PROGRAMS}
    assert scraped == wanted, f"deploy/prometheus/prometheus.yml: a job for each of {list(wanted)}"


@pytest.mark.parametrize("name", ["services.lock", "senconet.lock"])
def test_images_hold_the_packages_that_tests_run_with(name: str) -> None:
    assert locked(ROOT / "deploy" / name) <= locked(ROOT / "requirements.lock")


def test_the_packages_of_the_services_are_in_their_images_and_those_of_tests_are_in_none() -> None:
    distributions = importlib.metadata.packages_distributions()
    code = [module for module in modules("services", "shared") if "/migrations/" not in module.path]
    used = {name.split(".")[0] for module in code for _, name in imports(module)} & distributions.keys()
    wanted = {distributions[name][0].lower().replace("_", "-") for name in used} - {"senconet"}
    assert wanted <= {name for name, _ in locked(ROOT / "deploy" / "services.lock")}
    assert "pytest" not in {name for name, _ in locked(ROOT / "deploy" / "senconet.lock")}
