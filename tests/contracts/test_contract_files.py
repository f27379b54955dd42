"""The schemas that partners read are those of the code, and every example is an event that the services take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from senconet import contract_files
from senconet.contract_files import EXAMPLES, RECEIPT, SCHEMAS, path_of, render
from senconet.publisher import from_structured
from shared import contract, topics
from shared.contract import Event
from shared.events.catalogue import BY_NAME
from shared.events.codes import WARNINGS
from shared.owning import RESTORED, SET_ASIDE
from shared.records import RawRecord
from tests.architecture.source import ROOT
from tests.support.agreement import GIVEN
from tests.support.memory import NOW, reference_of

MADE = contract_files.schemas()
NAMES = sorted(MADE)


def loaded(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def faults(name: str, data: Any) -> list[str]:
    """What the schema of a type has against data."""
    checker = Draft202012Validator(MADE[name], format_checker=FormatChecker(["date"]))
    return [error.message for error in checker.iter_errors(data)]


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_the_one_of_the_code(name: str) -> None:
    path = path_of(name)
    assert path.is_file(), f"make {path.relative_to(ROOT)} by `make schemas`"
    same = path.read_text("utf-8") == render(MADE[name])
    assert same, f"{path.relative_to(ROOT)} is not what shared/events says: run `make schemas`"


@pytest.mark.parametrize(("folder", "how"), [(SCHEMAS, "run `make schemas`"), (EXAMPLES, "write or remove")])
def test_every_type_has_a_schema_and_an_example_and_nothing_else_has(folder: Path, how: str) -> None:
    wrong = {path.name for path in folder.glob("*")} ^ {path_of(name).name for name in NAMES}
    assert not wrong, f"{how} in {folder.relative_to(ROOT)}: {sorted(wrong)}"


def test_the_generator_writes_what_is_compared_and_removes_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "trainee.graduated.v1.json").write_text("{}")
    contract_files.write(tmp_path)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {
        path.name: path.read_text("utf-8") for path in SCHEMAS.iterdir()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_closed_where_partners_write_and_knows_no_null_there(name: str) -> None:
    Draft202012Validator.check_schema(MADE[name])
    objects = [node for node in nodes(MADE[name]) if node.get("type") == "object" and "properties" in node]
    assert all(("additionalProperties" in node) is (name != RECEIPT) for node in objects)
    if name != RECEIPT:
        assert "null" not in {node.get("type") for node in nodes(MADE[name])}
        assert not [node for node in nodes(MADE[name]) if "default" in node]


def nodes(node: Any) -> list[dict[str, Any]]:
    """A schema and all schemas within it."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [*([node] if isinstance(node, dict) else []), *(inner for child in children for inner in nodes(child))]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_example_of_a_type_is_read_by_the_door_and_keeps_its_schema(name: str) -> None:
    path = path_of(name, EXAMPLES)
    assert path.is_file(), f"write an example: {path.relative_to(ROOT)}"
    sent = from_structured(path.read_text("utf-8"), 1)
    sender = loaded(path)["source"].split("/")[2]
    raw = RawRecord(topics.events(sender), 0, 0, NOW, sent.key, sent.value, sent.headers)
    read = contract.read(raw, reference_of(GIVEN)[0])
    assert isinstance(read, Event), f"{path}: {read}"
    assert read.kind is BY_NAME[name]
    assert faults(name, read.data) == []


def test_the_example_of_a_receipt_keeps_its_schema() -> None:
    assert faults(RECEIPT, loaded(path_of(RECEIPT, EXAMPLES))["data"]) == []


def test_examples_have_each_an_id_of_its_own_and_corrections_name_the_example_of_their_target() -> None:
    examples = {name: loaded(path_of(name, EXAMPLES)) for name in BY_NAME}
    assert len({body["id"] for body in examples.values()}) == len(examples)
    for name, kind in BY_NAME.items():
        assert kind.corrects is None or examples[name]["data"]["target_id"] == examples[kind.corrects]["id"]


@pytest.mark.parametrize("change", [{"note": "a"}, {"role": None}, {"capacity": None}, {"role": "head"}])
def test_a_schema_refuses_what_the_door_refuses(change: dict[str, Any]) -> None:
    data = loaded(path_of("trainee.registered", EXAMPLES))["data"] | change
    assert faults("trainee.registered", data)


def test_a_date_that_there_is_not_is_refused_by_its_format() -> None:
    assert faults("trainee.withdrew", {"reason": "other", "trigger": "trainee", "last_engaged_on": "2023-02-29"})


CONTRACT = (ROOT / "docs" / "contract.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*WARNINGS, SET_ASIDE, RESTORED, "transfer_offered", "transfer_closed"])
def test_the_contract_names_every_warning_and_notice(name: str) -> None:
    assert f"`{name}`" in CONTRACT or f"`uk.eysenco.notice.{name}.v1`" in CONTRACT
