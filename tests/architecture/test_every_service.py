"""What a new service must not leave out: each test says which file to edit (docs/adding-a-service.md)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import BaseModel

from senconet.demonstration import judge_owners
from services.enrolment.judge import OWNERS
from services.reporting import projection, store
from services.reporting.projection import Known
from shared import topics
from shared.events.catalogue import BY_NAME
from shared.history import Ledger
from shared.messages import Message, encode
from shared.owning import OwnerJudge
from shared.states import AssessmentState
from tests.architecture.source import ROOT
from tests.support import agreement
from tests.support.memory import NOW, carried
from tests.support.mutants import Mutant

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


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_service_has_tests_of_its_own(service: str) -> None:
    assert not (found := untested(service, ROOT / "tests")), found


def untested(service: str, tests: Path) -> str:
    """Where tests of a service are to be written, if it has none."""
    return "" if any((tests / service).glob("test_*.py")) else f"write tests/{service}/test_{service}_rules.py"


def test_a_service_without_tests_of_its_own_is_found(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert untested("one", tmp_path) == "write tests/one/test_one_rules.py"
    (tmp_path / "one" / "test_one_rules.py").touch()
    assert untested("one", tmp_path) == ""


def test_the_answer_key_knows_what_stands_of_every_owner() -> None:
    assert not (found := unlike_owners(judge_owners.FALLEN)), (
        f"FALLEN of senconet/demonstration/judge_owners.py: {found}"
    )


def unlike_owners(named: Iterable[str]) -> set[str]:
    """The owners that are not named, and what is named and is none."""
    return set(named) ^ set(OWNERS)


def test_an_owner_that_is_not_named_is_found() -> None:
    assert unlike_owners(OWNERS) == set()
    assert unlike_owners(OWNERS[1:]) == {OWNERS[0]}
    assert unlike_owners([*OWNERS, "gone"]) == {"gone"}


@pytest.mark.parametrize("service", OWNERS)
def test_reporting_keeps_what_every_owner_publishes(service: str) -> None:
    judge = agreement.system().owners[service].judge
    assert isinstance(judge, OwnerJudge)
    assert not (found := lost(service, judge._state(Ledger("one", b""), 1, NOW))), f"services/reporting/{found}"


def lost(service: str, state: BaseModel) -> str:
    """Where reporting loses a first state that a service publishes; nothing if it is read back as it was told."""
    topic = topics.facts(service)
    if topic not in projection.READ:
        return f"projection.py: {topic} in _BODIES"
    told = projection.read(carried(Message(topic, "one", (), encode({"state": state.model_dump(mode="json")}))))
    before = Known("one")
    known = projection.take(before, told)
    if getattr(known, service, None) != state:
        return f"projection.py: {service} in Known, and its state in take"
    if known.version != 1:
        return f"projection.py: {service} in the version of Known"
    row = store._changed_row(store.Change(before, known))
    if service not in row:
        return f"tables.py: {service} in TraineeRow, and a migration that adds it"
    try:
        return "" if store.known_of(tuple(row.values())) == known else f"store.py: {service} in known_of"
    except ValueError as error:
        return f"store.py: {service} in known_of ({error})"


def take_nothing(patch: pytest.MonkeyPatch) -> None:
    """Reporting forgets what it has read."""
    patch.setattr(projection, "take", lambda known, told: known)


def count_nothing(patch: pytest.MonkeyPatch) -> None:
    """No state that is told makes the version grow."""
    patch.setattr(Known, "version", 0)


def keep_no_column(patch: pytest.MonkeyPatch) -> None:
    """There is no column for assessment's state."""
    patch.setattr(store, "_BODIES", ("status", "mentoring", "identity"))


def read_no_column(patch: pytest.MonkeyPatch) -> None:
    """The column is written and not read."""
    patch.setattr(store, "known_of", lambda row: Known(row[0]))


def read_another_row(patch: pytest.MonkeyPatch) -> None:
    """A column was added that is not read."""
    patch.setattr(store, "_BODIES", (*store._BODIES, "identity_of_old"))
    patch.setattr(Known, "identity_of_old", None, raising=False)


def read_no_topic(patch: pytest.MonkeyPatch) -> None:
    """The facts of assessment are not read."""
    patch.setattr(projection, "READ", (projection.ENROLMENT, projection.MENTORING, topics.IDENTITY))


@pytest.mark.parametrize(
    ("mutant", "found"),
    [
        (read_no_topic, "projection.py: assessment.facts in _BODIES"),
        (take_nothing, "projection.py: assessment in Known"),
        (count_nothing, "projection.py: assessment in the version"),
        (keep_no_column, "tables.py: assessment in TraineeRow"),
        (read_no_column, "store.py: assessment in known_of"),
        (read_another_row, "store.py: assessment in known_of ("),
    ],
)
def test_what_reporting_loses_is_found(mutant: Mutant, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert lost("assessment", AssessmentState(version=1)).startswith(found)
