"""The state table of a registration, cell by cell: what is told next, and what that is answered."""

from __future__ import annotations

import pytest

from senconet.demonstration.wire import Event
from tests.support.histories import THEIRS
from tests.support.telling import answered, shown, told, void

REGISTERED = told("registered", "2023-01-03")
DEFERRED = told("deferred", "2023-02-01T10:00")
WITHDREW = told("withdrew", "2023-02-01T10:00")

STATES: dict[str, list[Event]] = {
    "none": [],
    "registered": [REGISTERED],
    "deferred": [REGISTERED, DEFERRED],
    "withdrawn": [REGISTERED, WITHDREW],
    "voided": [REGISTERED, void(REGISTERED)],
}
LATER = "2023-03-01T10:00"
NEXT = {
    "registered": told("registered", LATER, "next", cohort_code="2023-march"),
    "deferred": told("deferred", LATER, "next"),
    "resumed": told("resumed", LATER, "next"),
    "withdrew": told("withdrew", LATER, "next"),
    "completed": told("completed", LATER, "next"),
    "registered.voided": void(REGISTERED, "next"),
    "completed.voided": void(told("completed", LATER), "next"),
}
TABLE = """
                  | none                | registered        | deferred         | withdrawn        | voided
registered        | accepted            | same_fact_exists  | same_fact_exists | use_resume       | registration_voided
deferred          | registration_unknown| accepted          | already_in_state | after_withdrawal | registration_voided
resumed           | registration_unknown| already_in_state  | accepted         | accepted         | registration_voided
withdrew          | registration_unknown| accepted          | accepted         | already_in_state | registration_voided
completed         | registration_unknown| decision_missing  | while_deferred   | after_withdrawal | registration_voided
registered.voided | target_unknown      | accepted          | would_invalidate | accepted         | already_in_state
completed.voided  | target_unknown      | target_unknown    | target_unknown   | target_unknown   | registration_voided
"""


def cells() -> list[tuple[str, str, str]]:
    """Event, state and answer of each cell."""
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines())
    return [(row[0], state, answer) for row in rows for state, answer in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("event", "state", "answer"), cells())
def test_a_cell_of_the_state_table(event: str, state: str, answer: str) -> None:
    assert answered(*STATES[state], NEXT[event])[-1] == answer


def test_a_trainee_is_registered_within_the_windows_of_the_cohort_alone() -> None:
    assert answered(told("registered", "2023-01-13")) == ["accepted"]
    assert answered(told("registered", "2023-01-14")) == ["cohort_closed"]
    assert answered(told("registered", "2022-10-03")) == ["accepted"]
    assert answered(told("registered", "2022-10-02")) == ["time_before_cohort"]


def test_all_that_speaks_against_a_registration_is_said_at_once() -> None:
    late = told("registered", "2023-01-14", level3_full_relevant=False)
    assert answered(late) == ["cohort_closed not_eligible"]


def test_a_return_is_possible_for_ninety_days() -> None:
    left = [REGISTERED, told("withdrew", "2023-02-01")]
    assert answered(*left, told("resumed", "2023-05-02T22:59"))[-1] == "accepted"
    assert answered(*left, told("resumed", "2023-05-02T23:00"))[-1] == "reinstatement_closed"


def test_a_return_into_another_cohort_needs_it_open_and_one_into_the_same_does_not() -> None:
    left = [REGISTERED, told("withdrew", "2023-02-01")]
    for cohort, answer in (
        ("2023-march", "accepted"),
        ("2023-january", "accepted"),
        ("2022-october", "cohort_closed"),
        ("2024-march", "time_before_cohort"),
        ("1999-march", "partnership_not_active"),
    ):
        assert answered(*left, told("resumed", "2023-02-09", cohort_code=cohort))[-1] == answer


def test_a_late_event_is_judged_where_it_belongs() -> None:
    back = told("resumed", "2023-03-01")
    assert answered(REGISTERED, DEFERRED, back, told("withdrew", "2023-02-15", "late"))[-1] == "accepted"
    assert answered(REGISTERED, DEFERRED, back, told("deferred", "2023-01-15", "late"))[-1] == "would_invalidate"
    assert answered(REGISTERED, DEFERRED, told("withdrew", "2023-03-01", "late"))[-1] == "accepted"


def test_a_fact_that_others_rest_on_is_not_taken_back() -> None:
    back = told("resumed", "2023-03-01")
    assert answered(REGISTERED, DEFERRED, back, void(DEFERRED))[-1] == "would_invalidate"
    assert answered(REGISTERED, DEFERRED, back, void(back), void(DEFERRED))[-2:] == ["accepted", "accepted"]


def test_a_registration_with_more_than_withdrawals_beside_it_is_not_taken_back() -> None:
    gone = told("withdrew", "2023-03-01", "gone")
    assert answered(REGISTERED, gone, void(REGISTERED))[-1] == "accepted"
    assert answered(REGISTERED, DEFERRED, gone, void(REGISTERED))[-1] == "would_invalidate"
    assert answered(REGISTERED, DEFERRED, told("resumed", "2023-02-09"), void(REGISTERED))[-1] == "accepted"


def test_a_reference_is_free_again_once_its_registration_is_taken_back() -> None:
    other = told("registered", "2023-01-04", "other", of="22222222-2222-4222-8222-222222222222")
    assert answered(REGISTERED, other) == ["accepted", "same_fact_exists"]
    assert answered(REGISTERED, void(REGISTERED), other) == ["accepted", "accepted", "accepted"]


def test_another_partner_can_do_nothing_to_a_trainee() -> None:
    theirs = [told(fact, LATER, by=THEIRS) for fact in ("withdrew", "deferred", "completed")]
    assert answered(REGISTERED, *theirs)[1:] == ["not_your_trainee"] * 3
    assert answered(REGISTERED, told("withdrew", "2022-12-20", by=THEIRS))[-1] == "registration_unknown"
    assert answered(REGISTERED, void(REGISTERED, by=THEIRS))[-1] == "target_unknown"
    assert shown(REGISTERED, *theirs) == "registered"


def test_the_lead_may_take_back_what_a_partner_sent_and_tell_nothing_itself() -> None:
    assert answered(REGISTERED, void(REGISTERED, by="lead")) == ["accepted", "accepted"]
    assert answered(REGISTERED, told("withdrew", LATER, by="lead"))[-1] == "not_your_trainee"


def test_what_came_before_its_registration_counts_once_that_is_there() -> None:
    assert answered(WITHDREW, told("resumed", "2023-02-09"), REGISTERED) == ["accepted"] * 3
    assert answered(told("withdrew", "2022-12-31"), REGISTERED) == ["registration_unknown", "accepted"]


def test_a_copy_is_a_duplicate_and_other_content_a_conflict() -> None:
    later = told("withdrew", LATER)
    assert answered(REGISTERED, WITHDREW, WITHDREW, later) == ["accepted", "accepted", "duplicate", "id_conflict"]
    assert answered(REGISTERED, WITHDREW, void(WITHDREW), WITHDREW)[-1] == "duplicate"


def test_a_rejection_frees_the_id() -> None:
    early = told("resumed", "2023-01-20", "one")
    assert answered(REGISTERED, early, told("withdrew", LATER, "one")) == ["accepted", "already_in_state", "accepted"]
