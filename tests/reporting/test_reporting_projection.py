"""What is known follows from what was told, whatever the order; the view follows from what is known."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.projection import Known, dated, fold, take, view
from shared.records import RawRecord
from shared.status import Completion, Status
from tests.reporting import told
from tests.reporting.told import ID, IDENTITY, at

JANUARY, MARCH, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 3, 6, 7))
REGISTERED = told.status(1, told.registered(JANUARY))
WITHDRAWN = told.status(2, told.registered(JANUARY), told.period(JULY, "withdrawn"))
VOIDED = told.status(2, told.period(JANUARY, "voided", first=True))


def known(status: Status | None, completion: Completion | None = None) -> Known:
    return Known(ID, status, completion)


def shown(status: Status, completion: Completion | None = None) -> dict[str, Any]:
    body = view(known(status, completion))
    assert body is not None
    return body


def _records(versions: int) -> list[RawRecord]:
    statuses = [told.status(n, told.registered(JANUARY, cohort=f"c{n}")) for n in range(1, versions + 1)]
    completions = [told.completion(n, JUNE if n % 2 else None) for n in range(1, versions + 1)]
    return [told.record(state) for state in (*statuses, *completions)]


@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_neither_order_nor_copies_matter(versions: int, random: Random) -> None:
    records = _records(versions)
    expected = fold(known(None), records)
    disordered = [*records, *random.sample(records, k=versions)]
    random.shuffle(disordered)
    assert fold(known(None), disordered) == expected
    assert expected.status is not None
    assert expected.status.version == versions


@given(st.permutations([told.record(REGISTERED), told.record(told.completion(1, JUNE)), told.record(IDENTITY)]))
def test_topics_may_be_read_in_any_order(records: list[RawRecord]) -> None:
    assert fold(known(None), records) == fold(known(None), sorted(records, key=lambda record: record.topic))


@pytest.mark.parametrize(("held", "told_later"), [(2, 1), (2, 2)])
def test_a_lower_or_equal_version_changes_nothing(held: int, told_later: int) -> None:
    before = fold(known(None), [told.record(told.status(held, told.registered(JANUARY)))])
    assert take(before, told.record(told.status(told_later, told.registered(MARCH)))) == before


def test_an_identity_holds_until_it_is_erased() -> None:
    told_of = fold(known(REGISTERED), [told.record(IDENTITY)])
    body = view(told_of)
    assert body is not None
    assert (body["partner_ref"], body["trainee_id"], body["setting_urn"]) == (
        IDENTITY["partner_ref"],
        IDENTITY["trainee_id"],
        IDENTITY["setting_urn"],
    )
    assert view(take(told_of, told.record(None))) == view(known(REGISTERED))


def test_nothing_is_shown_or_counted_before_the_status_is_known() -> None:
    early = fold(known(None), [told.record(told.completion(1, JUNE)), told.record(IDENTITY)])
    assert view(early) is None
    assert dated(early) == ()
    assert early.partner is None


def test_the_view_of_one_in_training() -> None:
    assert shown(REGISTERED) == {
        "registration_id": ID,
        "cohort_code": "c1",
        "state": "registered",
        "since": "2024-01-10T09:00:00Z",
        "reason": None,
        "completed": None,
        "version": 1,
        "findings": [],
    }


def test_the_view_of_one_withdrawn_gives_the_reason() -> None:
    body = shown(WITHDRAWN)
    assert (body["state"], body["since"]) == ("withdrawn", "2024-07-10T09:00:00Z")
    assert body["reason"] == "no_time_in_working_hours"


def test_a_completion_is_shown_and_its_retraction_takes_it_back() -> None:
    body = shown(REGISTERED, told.completion(1, JUNE))
    assert (body["state"], body["since"], body["completed"]) == ("completed", *["2024-06-10T09:00:00Z"] * 2)
    assert body["version"] == 2
    retracted = shown(REGISTERED, told.completion(2, None))
    assert (retracted["state"], retracted["completed"], retracted["version"]) == ("registered", None, 3)


def test_a_withdrawal_dated_after_the_completion_is_a_finding() -> None:
    body = shown(WITHDRAWN, told.completion(1, JUNE))
    assert (body["state"], body["reason"]) == ("completed", None)
    assert body["findings"] == ["withdrawn_after_completion"]
    returned = WITHDRAWN.model_copy(update={"periods": (WITHDRAWN.periods[0], told.period(MARCH, "withdrawn"))})
    assert shown(returned, told.completion(1, JUNE))["findings"] == []


def test_a_voided_registration_stays_in_the_view_and_leaves_the_counts() -> None:
    body = shown(VOIDED, told.completion(1, JUNE))
    assert (body["state"], body["since"]) == ("voided", "2024-01-10T09:00:00Z")
    assert (body["completed"], body["findings"]) == (None, [])
    assert dated(known(VOIDED, told.completion(1, JUNE))) == ()


def test_a_completion_before_the_registration_is_not_shown() -> None:
    moved = told.status(2, told.registered(JULY))
    assert shown(moved, told.completion(1, JUNE))["state"] == "registered"
    assert [period.state for period in dated(known(moved, told.completion(1, JUNE)))] == ["registered"]
