"""What a new service must not leave out: each test says which file to edit (docs/adding-a-service.md)."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from services.reporting import projection
from shared import topics
from shared.events.catalogue import BY_NAME
from tests.architecture.source import ROOT

FOLDERS = {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}


def test_every_folder_of_services_is_a_service_and_the_other_way() -> None:
    wrong = FOLDERS ^ set(topics.SERVICES)
    assert not wrong, f"services/ and DECIDING_SERVICES of shared/topics.py differ in {wrong}"


@pytest.mark.parametrize("service", topics.DECIDING_SERVICES)
def test_a_service_answers_under_its_own_name(service: str) -> None:
    assert service == importlib.import_module(f"services.{service}.domain").OWNER, (
        f"OWNER in services/{service}/domain.py"
    )


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_service_has_a_first_migration(service: str) -> None:
    scripts = list(Path(ROOT / "services" / service / "migrations").glob("0001_*.py"))
    assert len(scripts) == 1, f"write services/{service}/migrations/0001_initial.py: docs/adding-a-service.md"


@pytest.mark.parametrize("service", topics.DECIDING_SERVICES)
def test_a_service_owns_a_type(service: str) -> None:
    owners = {kind.owner for kind in BY_NAME.values()}
    assert service in owners, f"no type in shared/events/catalogue.py has {service} as its owner"


def test_reporting_reads_the_facts_of_every_service() -> None:
    unread = {topics.facts(service) for service in topics.DECIDING_SERVICES} - set(projection.READ)
    assert not unread, f"READ and _BODIES of services/reporting/projection.py: {unread}"
