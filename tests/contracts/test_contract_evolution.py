"""No version of a schema refuses what an earlier one of the same major version took."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from senconet import contract_files
from senconet.contract_files import RECEIPT, path_of
from tests.architecture.source import ROOT
from tests.contracts.evolution import objections

STORED = Path(__file__).parent / "stored"
MADE = contract_files.schemas()
Change = Callable[[dict[str, Any]], Any]


def versions(name: str) -> list[Path]:
    """The stored versions of a type's schema, oldest first."""
    found = [path for path in (STORED / name).glob("*.json") if path.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem))


EARLIER = [(name, path) for name in sorted(MADE) for path in versions(name)]


def loaded(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_newest_version_is_stored(name: str) -> None:
    stored = versions(name)
    assert [path.stem for path in stored] == [str(number) for number in range(1, len(stored) + 1)]
    source, following = (p.relative_to(ROOT) for p in (path_of(name), STORED / name / f"{len(stored) + 1}.json"))
    newest = loaded(stored[-1]) if stored else None
    assert newest == MADE[name], f"the contract has changed: copy {source} to {following}, its sample beside it"


def test_nothing_is_stored_of_a_type_that_is_gone() -> None:
    gone = {path.name for path in STORED.iterdir()} - set(MADE)
    assert not gone, f"a type may end only with a new major version: {gone}"


@pytest.mark.parametrize(("name", "path"), EARLIER)
def test_a_schema_takes_all_that_an_earlier_one_took(name: str, path: Path) -> None:
    found = objections(loaded(path), MADE[name], written_by_us=name == RECEIPT)
    where = "shared/events/receipts.py" if name == RECEIPT else "shared/events/data.py"
    assert found == [], f"{where} breaks {path}: {found}; undo it, or make a new major version of {name}"


@pytest.mark.parametrize(("name", "path"), EARLIER)
def test_every_stored_sample_is_still_valid(name: str, path: Path) -> None:
    sample = path.with_suffix(".sample.json")
    assert sample.is_file(), f"store a sample of that version in {sample}"
    assert [*Draft202012Validator(MADE[name]).iter_errors(loaded(sample))] == [], f"shared/events breaks {sample}"


def _tighter_enum(schema: dict[str, Any]) -> None:
    schema["properties"]["role"]["enum"].pop()


def _required(schema: dict[str, Any]) -> None:
    schema["properties"]["consent"] = {"type": "boolean"}
    schema["required"].append("consent")


REFUSED: dict[str, Change] = {
    "a field removed": lambda schema: schema["properties"].pop("prior_training"),
    "a new field required": _required,
    "an optional field required": lambda schema: schema["required"].append("capacity"),
    "a tighter enum": _tighter_enum,
    "a lower bound": lambda schema: schema["$defs"]["Capacity"]["properties"]["protected_time_hours_per_week"].update(
        maximum=37
    ),
    "another type": lambda schema: schema["properties"]["level3_full_relevant"].update(type="string"),
    "a tighter pattern": lambda schema: schema["properties"]["partner_ref"].update(pattern="^[0-9]+$"),
    "a format added": lambda schema: schema["properties"]["cohort_code"].update(format="date"),
}
ALLOWED: dict[str, Change] = {
    "an optional field": lambda schema: schema["properties"].update(
        pronoun={"enum": ["a", "b"]}, at={"format": "date"}
    ),
    "a wider enum": lambda schema: schema["properties"]["role"]["enum"].append("senco_lead"),
    "a pattern dropped": lambda schema: schema["properties"]["partner_ref"].pop("pattern"),
    "a description": lambda schema: schema["properties"]["role"].update(description="What they do."),
}


def changed(change: Change) -> dict[str, Any]:
    schema = copy.deepcopy(MADE["trainee.registered"])
    change(schema)
    return schema


@pytest.mark.parametrize("change", REFUSED)
def test_a_change_that_breaks_partners_is_refused(change: str) -> None:
    assert objections(MADE["trainee.registered"], changed(REFUSED[change]), written_by_us=False)


@pytest.mark.parametrize("change", ALLOWED)
def test_a_change_that_breaks_nobody_is_allowed(change: str) -> None:
    assert objections(MADE["trainee.registered"], changed(ALLOWED[change]), written_by_us=False) == []


def test_a_receipt_may_gain_fields_and_lose_none_that_readers_rely_on() -> None:
    more, less = copy.deepcopy(MADE[RECEIPT]), copy.deepcopy(MADE[RECEIPT])
    more["properties"]["channel"] = {"type": "string"}
    less["required"].remove("outcome")
    assert objections(MADE[RECEIPT], more, written_by_us=True) == []
    assert objections(MADE[RECEIPT], less, written_by_us=True)
