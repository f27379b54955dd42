"""A set of reference data that is wrong is refused, and the message names file, line and field, never a value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from senconet.demonstration.reference import reference, write
from senconet.reference import BODIES, ReferenceError, _changed, read_set
from shared.reference import Versions

EARLIER, LATER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
SETTING = {
    "setting_urn": "SY1",
    "periods": [
        {
            "valid_from": "2022-01-01",
            "valid_to": None,
            "la_code": "E09000002",
            "la_name": "Barking and Dagenham",
            "region_code": "E12000007",
            "region_name": "London",
            "provider_type": "Childminders",
            "group_code": None,
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set that nothing speaks against."""
    write(reference([]), tmp_path)
    (tmp_path / "settings.jsonl").write_text(json.dumps(SETTING) + "\n")
    return tmp_path


def test_a_set_is_read_by_kind_and_key(folder: Path) -> None:
    manifest, kinds = read_set(folder)
    assert manifest.ruleversion == "synthetic-2026.1"
    assert set(kinds) == set(BODIES)
    assert list(kinds["settings"]) == ["SY1"]
    assert "quillmarsh/2023-january" in kinds["partnerships"]


def spoiled(**changes: Any) -> str:
    return json.dumps(SETTING | changes)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([json.dumps(SETTING), spoiled(setting_urn="Jo Example")], r"settings\.jsonl, line 2: setting_urn: "),
        ([spoiled(note="secret words")], r"settings\.jsonl, line 1: note: Extra inputs"),
        ([spoiled(periods=[SETTING["periods"][0] | {"valid_from": "secret"}])], r"line 1: periods\.0\.valid_from: "),
        ([json.dumps(SETTING), json.dumps(SETTING)], r"settings\.jsonl, line 2: the key stands there twice"),
        (["{cut off"], r"settings\.jsonl, line 1: .*Invalid JSON"),
    ],
)
def test_a_line_that_is_wrong_is_named(folder: Path, lines: list[str], message: str) -> None:
    (folder / "settings.jsonl").write_text("\n".join(lines))
    with pytest.raises(ReferenceError, match=message) as refused:
        read_set(folder)
    assert not any(value in str(refused.value) for value in ("Jo Example", "secret"))


@pytest.mark.parametrize("name", ["manifest.json", "cohorts.jsonl", "code-lists.jsonl"])
def test_a_file_that_is_not_there_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ReferenceError, match=rf"{name}: No such file"):
        read_set(folder)


def test_a_manifest_without_a_label_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"notice": "Synthetic data"}')
    with pytest.raises(ReferenceError, match=r"manifest\.json: ruleversion: Field required"):
        read_set(folder)


def test_only_what_differs_from_the_newest_version_is_published_beside_all_earlier_ones(folder: Path) -> None:
    bodies = read_set(folder)[1]["cohorts"]
    first = _changed({}, bodies, "rules-1", EARLIER)
    assert first.keys() == bodies.keys()
    known = {key: Versions.model_validate_json(value) for key, value in first.items()}
    assert _changed(known, bodies, "rules-2", LATER) == {}
    moved = bodies | {"2023-march": bodies["2023-march"].model_copy(update={"reinstatement_days": 30})}
    ((key, value),) = _changed(known, moved, "rules-2", LATER).items()
    versions = Versions.model_validate_json(value).versions
    assert key == "2023-march"
    assert [(version.ruleversion, version.holds_from) for version in versions] == [
        ("rules-1", EARLIER),
        ("rules-2", LATER),
    ]
