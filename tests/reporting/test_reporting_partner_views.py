"""The view of a partner: its trainee as it is now, or as it was just before the partner lost it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.reporting.partner_view import shown_on, views
from services.reporting.projection import Identity, Known
from shared import clock
from shared.states import MentoringState
from shared.status import Status
from tests.reporting import told
from tests.reporting.told import ASSESSOR, GAINING, ID, MENTOR, PARTNER, at, known

JANUARY, FEBRUARY, MARCH, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 3, 6, 7))
MOVED_ON = clock.start_of_day(date(2024, 5, 1))
REGISTERED = told.status(1, told.registered(JANUARY))
WITHDRAWN = told.status(2, told.registered(JANUARY), told.period(JULY, "withdrawn"))
MOVED = told.status(2, told.registered(JANUARY), told.moved(MOVED_ON))
NO_TOTALS = {"sessions_due": 0, "sessions_attended": 0, "mentoring_due": 0, "mentoring_held": 0, "minutes": 0}


def shown(known: Known, partner: str = PARTNER) -> dict[str, Any]:
    return views(known)[partner]


def test_the_view_of_one_who_has_not_started() -> None:
    assert views(known(REGISTERED)) == {
        PARTNER: {
            "registration_id": ID,
            "cohort_code": "c1",
            "state": "registered",
            "since": "2024-01-10T09:00:00Z",
            "reason": None,
            "completed": None,
            "start": None,
            "totals": NO_TOTALS,
            "units_passed": [],
            "at_risk": [],
            "findings": [],
        }
    }


def test_the_view_gives_the_start_totals_and_units_passed_by_the_day_in_london() -> None:
    midnight = at("2024-06-30T23:00:00Z")
    activities = (
        told.session(midnight),
        told.session(JULY, attended=False),
        told.mentoring(JULY),
        told.mentoring(JULY, held=False),
        told.mentoring(JULY, due=False),
    )
    attempts = (
        told.attempt(midnight, midnight),
        told.attempt(JULY, JULY, "referred", unit="u2"),
        told.attempt(JULY, unit="u3"),
    )
    body = shown(known(REGISTERED, told.mentored(1, *activities), told.assessed(1, *attempts)))
    assert body["start"] == "2024-07-01"
    assert body["totals"] == {
        "sessions_due": 2,
        "sessions_attended": 1,
        "mentoring_due": 2,
        "mentoring_held": 1,
        "minutes": 165,
    }
    assert body["units_passed"] == [{"unit_code": "u1", "passed_on": "2024-07-01"}]


def test_the_view_of_one_withdrawn_gives_the_reason() -> None:
    body = shown(known(WITHDRAWN))
    assert (body["state"], body["since"]) == ("withdrawn", "2024-07-10T09:00:00Z")
    assert body["reason"] == "no_time_in_working_hours"


def test_a_completion_is_shown_and_its_retraction_takes_it_back() -> None:
    body = shown(known(REGISTERED, None, told.completion(1, JUNE)))
    assert (body["state"], body["since"], body["completed"]) == ("completed", *["2024-06-10T09:00:00Z"] * 2)
    retracted = shown(known(REGISTERED, None, told.completion(2, None)))
    assert (retracted["state"], retracted["completed"]) == ("registered", None)


def test_a_voided_registration_is_shown_as_such_to_each_partner_that_had_it_and_as_nothing_else() -> None:
    voided = [told.period(JUNE, "voided", partner=partner) for partner in (PARTNER, GAINING)]
    seen = views(known(told.status(3, *voided), told.mentored(1, told.session(FEBRUARY)), told.completion(1, MARCH)))
    assert seen.keys() == {PARTNER, GAINING}
    for body in seen.values():
        assert (body["state"], body["since"]) == ("voided", "2024-06-10T09:00:00Z")
        assert (body["completed"], body["start"], body["totals"], body["findings"]) == (None, None, NO_TOTALS, [])


# Over a transfer


def test_the_losing_partner_keeps_the_view_of_the_last_moment_and_the_gaining_one_has_the_present() -> None:
    status = told.status(
        4,
        told.registered(JANUARY),
        told.moved(MOVED_ON),
        told.period(JUNE, "withdrawn", partner=GAINING, cohort="c2"),
    )
    tick_before = MOVED_ON - clock.end_of_day(date(2024, 4, 30)).resolution
    activities = (told.session(tick_before), told.session(MOVED_ON, partner=GAINING))
    attempts = (told.attempt(MARCH, JUNE, decided_by=GAINING), told.attempt(JUNE, JUNE, unit="u2", partner=GAINING))
    seen = views(known(status, told.mentored(2, *activities), told.assessed(2, *attempts)))
    losing, gaining = seen[PARTNER], seen[GAINING]
    assert (losing["state"], losing["since"], losing["cohort_code"]) == ("registered", "2024-01-10T09:00:00Z", "c1")
    assert (losing["totals"]["sessions_due"], losing["units_passed"]) == (1, [])
    assert (gaining["state"], gaining["since"], gaining["cohort_code"]) == ("withdrawn", "2024-06-10T09:00:00Z", "c2")
    assert (gaining["totals"]["sessions_due"], len(gaining["units_passed"])) == (2, 2)
    assert losing["start"] == gaining["start"] == "2024-03-10"


def test_a_transfer_does_not_change_since_when_and_the_reason_stays_with_who_gave_it() -> None:
    deferred = told.period(MARCH, "deferred")
    moved = told.status(3, told.registered(JANUARY), deferred, told.moved(MOVED_ON, state="deferred"))
    seen = views(known(moved))
    assert [seen[partner]["since"] for partner in (PARTNER, GAINING)] == ["2024-03-10T09:00:00Z"] * 2
    assert (seen[PARTNER]["reason"], seen[GAINING]["reason"]) == ("no_time_in_working_hours", None)


def test_a_completion_after_the_transfer_is_not_the_losing_partners() -> None:
    seen = views(known(MOVED, None, told.completion(1, JUNE)))
    assert (seen[PARTNER]["state"], seen[GAINING]["state"]) == ("registered", "completed")
    before = views(known(MOVED, None, told.completion(1, MARCH)))
    assert (before[PARTNER]["state"], before[GAINING]["state"]) == ("completed", "completed")


def test_a_partner_that_gets_a_trainee_back_has_the_present_again() -> None:
    back = clock.start_of_day(date(2024, 7, 1))
    status = told.status(3, told.registered(JANUARY), told.moved(MOVED_ON), told.moved(back, PARTNER))
    sessions = (told.session(FEBRUARY), told.session(JUNE, partner=GAINING), told.session(JULY))
    seen = views(known(status, told.mentored(1, *sessions)))
    assert {partner: body["totals"]["sessions_due"] for partner, body in seen.items()} == {PARTNER: 3, GAINING: 2}


def test_each_partner_sees_its_own_reference_and_no_other() -> None:
    refs = {PARTNER: "ref-1", GAINING: "ref-2", "third": "ref-3"}
    identity = Identity(trainee_id="t", setting_urn="s", refs=refs)
    seen = views(replace(known(MOVED), identity=identity))
    assert {partner: body["partner_ref"] for partner, body in seen.items()} == {PARTNER: "ref-1", GAINING: "ref-2"}
    unnamed = views(replace(known(MOVED), identity=identity.model_copy(update={"refs": {PARTNER: "ref-1"}})))
    assert "partner_ref" not in unnamed[GAINING]
    assert unnamed[GAINING]["trainee_id"] == "t"


# At risk


def test_open_signals_are_shown_while_the_trainee_is_registered() -> None:
    signals = (told.signal(date(2024, 3, 1)), told.signal(date(2024, 2, 1), date(2024, 2, 9), "missed_in_a_row"))
    state = told.mentored(1, signals=signals)
    assert shown(known(REGISTERED, state))["at_risk"] == [{"reason": "no_contact", "since": "2024-03-01"}]
    assert shown(known(WITHDRAWN, state))["at_risk"] == []
    assert shown(known(REGISTERED, state, told.completion(1, JUNE)))["at_risk"] == []


@pytest.mark.parametrize(("day", "shown_then"), [(date(2024, 2, 29), 0), (date(2024, 3, 1), 1)])
def test_a_signal_that_lies_ahead_is_shown_from_its_day_on(day: date, shown_then: int) -> None:
    body = shown(known(REGISTERED, told.mentored(1, signals=[told.signal(date(2024, 3, 1))])))
    assert len(shown_on(body, day)["at_risk"]) == shown_then


@pytest.mark.parametrize(
    ("begins", "ends", "open_then"),
    [
        (date(2024, 4, 30), None, True),
        (date(2024, 4, 30), date(2024, 5, 1), True),
        (date(2024, 4, 1), date(2024, 4, 30), False),
        (date(2024, 5, 1), None, False),
    ],
)
def test_the_losing_partner_sees_the_signals_of_its_last_day(begins: date, ends: date | None, open_then: bool) -> None:
    state = told.mentored(1, signals=[told.signal(begins, ends)])
    assert bool(shown(known(MOVED, state))["at_risk"]) is open_then


# Findings


def test_a_withdrawal_dated_after_the_completion_is_a_finding() -> None:
    body = shown(known(WITHDRAWN, told.mentored(1, told.session(FEBRUARY)), told.completion(1, JUNE)))
    assert (body["state"], body["reason"]) == ("completed", None)
    assert body["findings"] == ["withdrawn_after_completion"]
    before = told.status(2, told.registered(JANUARY), told.period(MARCH, "withdrawn"))
    assert shown(known(before, told.mentored(1, told.session(FEBRUARY)), told.completion(1, JUNE)))["findings"] == []


def test_an_activity_after_the_completion_is_a_finding_for_who_held_it() -> None:
    start = told.session(FEBRUARY)
    later = told.mentored(1, start, told.mentoring(JULY, partner=GAINING))
    seen = views(known(MOVED, later, told.completion(1, MARCH)))
    assert (seen[PARTNER]["findings"], seen[GAINING]["findings"]) == ([], ["activity_after_completion"])
    cancelled = told.mentored(1, start, told.mentoring(JULY, due=False))
    assert shown(known(REGISTERED, cancelled, told.completion(1, JUNE)))["findings"] == []


@pytest.mark.parametrize(
    ("state", "findings"),
    [
        (None, ["no_start"]),
        (told.mentored(1, told.session(FEBRUARY, attended=False)), ["no_start"]),
        (told.mentored(1, told.session(FEBRUARY)), []),
    ],
)
def test_a_completion_without_a_start_is_a_finding(state: MentoringState | None, findings: list[str]) -> None:
    assert shown(known(REGISTERED, state, told.completion(1, JUNE)))["findings"] == findings


@pytest.mark.parametrize(
    ("status", "decided_by", "assessor", "findings"),
    [
        (REGISTERED, PARTNER, MENTOR, {PARTNER: ["assessor_is_mentor"]}),
        (REGISTERED, PARTNER, ASSESSOR, {PARTNER: []}),
        (MOVED, GAINING, MENTOR, {PARTNER: [], GAINING: []}),
    ],
)
def test_an_assessor_who_was_the_mentor_is_a_finding_for_who_sent_both(
    status: Status, decided_by: str, assessor: str, findings: Mapping[str, list[str]]
) -> None:
    attempts = told.assessed(1, told.attempt(FEBRUARY, JUNE, decided_by=decided_by, assessor=assessor))
    seen = views(known(status, told.mentored(1, mentors=[told.mentor(JANUARY, MARCH)]), attempts))
    assert {partner: body["findings"] for partner, body in seen.items()} == findings
