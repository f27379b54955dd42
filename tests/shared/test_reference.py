"""Reference data: each record is judged by the version that held when it was received."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.reference import CodeList, Cohort, Partnership, Reference, Version, Versions

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = datetime(2026, 6, 1, tzinfo=UTC)
SHORT = timedelta(microseconds=1)


def cohort(**changes: Any) -> Cohort:
    given = {
        "cohort_code": "2023-january",
        "opens": "2022-10-03",
        "registration_closes": "2023-01-13",
        "starts": "2023-01-09",
        "late_until": "2030-12-31",
        "schedule_months": 4,
        "eligible_provider_types": ["Childminders"],
        "level3_required": True,
        "units": ["unit-1", "unit-2"],
        "max_attempts": 3,
        "completion_requires": "none",
        "sessions": [{"session_id": "s-1", "activity_type": "enrichment", "on": "2023-01-10"}],
        "mentoring_minimum": 3,
        "mentoring_minutes": {"least": 20, "most": 90},
        "reinstatement_days": 90,
    }
    return Cohort.model_validate(given | changes)


def codes(name: str, kind: str = "withdrawal") -> CodeList:
    return CodeList.model_validate({"code_list": name, "kind": kind, "items": []})


def versions(*bodies: Any) -> Versions:
    times = (FIRST, SECOND)
    return Versions(
        versions=[
            Version(holds_from=times[number], ruleversion=f"rules-{number}", body=body)
            for number, body in enumerate(bodies)
        ]
    )


REFERENCE = Reference({"cohorts": {"2023-january": versions(cohort(), cohort(reinstatement_days=30))}})


def test_a_record_is_judged_by_what_held_when_it_was_received() -> None:
    days = [
        found.reinstatement_days if (found := REFERENCE.at(at).cohort("2023-january")) else None
        for at in (FIRST - SHORT, FIRST, SECOND - SHORT, SECOND)
    ]
    assert days == [None, 90, 90, 30]


def test_the_label_of_the_rules_is_the_newest_that_holds() -> None:
    labels = [REFERENCE.at(at).ruleversion for at in (FIRST - SHORT, FIRST, SECOND)]
    assert labels == ["none", "rules-0", "rules-1"]


def test_records_between_two_changes_share_what_was_looked_up() -> None:
    assert REFERENCE.at(FIRST) is REFERENCE.at(SECOND - SHORT)
    assert REFERENCE.at(FIRST) is not REFERENCE.at(SECOND)


def test_a_partnership_holds_on_its_days_both_ends_included() -> None:
    periods = [
        {"valid_from": "2023-01-01", "valid_to": "2023-01-31"},
        {"valid_from": "2023-03-01"},
    ]
    body = Partnership.model_validate({"partner_code": "a", "cohort_code": "c", "periods": periods})
    rules = Reference({"partnerships": {"a/c": versions(body)}}).at(FIRST)
    held = [rules.partnership("a", "c", date.fromisoformat(day)) for day in ("2022-12-31", "2023-01-01", "2023-01-31")]
    assert held == [False, True, True]
    assert not rules.partnership("a", "c", date(2023, 2, 1))
    assert rules.partnership("a", "c", date(2099, 1, 1))
    assert not rules.partnership("b", "c", date(2023, 1, 1))


def test_a_code_list_is_the_one_named_or_the_newest_of_its_kind() -> None:
    lists = {name: versions(codes(name)) for name in ("withdrawal-2025.1", "withdrawal-2026.1")}
    lists["zeta-2026.1"] = versions(codes("zeta-2026.1", "deferral"))
    rules = Reference({"code-lists": lists}).at(FIRST)
    assert rules.code_list("withdrawal", None) == codes("withdrawal-2026.1")
    assert rules.code_list("withdrawal", "withdrawal-2025.1") == codes("withdrawal-2025.1")
    assert rules.code_list("withdrawal", "zeta-2026.1") is None
    assert rules.code_list("deferral", "withdrawal-2026.1") is None
    assert Reference().at(FIRST).code_list("withdrawal", None) is None


def test_each_kind_of_body_comes_back_from_the_topic_as_itself() -> None:
    written = versions(cohort(), codes("withdrawal-2026.1")).model_dump_json()
    assert [type(version.body) for version in Versions.model_validate_json(written).versions] == [Cohort, CodeList]


SENSELESS: tuple[dict[str, Any], ...] = (
    {"schedule_months": 0},
    {"reinstatement_days": -1},
    {"note": "free text"},
    {"units": []},
    {"max_attempts": 0},
    {"completion_requires": "attendance"},
    {"mentoring_minimum": -1},
    {"sessions": [{"session_id": "s-1", "activity_type": "lecture", "on": "2023-01-10"}]},
)


@pytest.mark.parametrize("change", SENSELESS)
def test_a_body_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        cohort(**change)
