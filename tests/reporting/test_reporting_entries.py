"""The ledger: what happened, counted at the partner and place of its moment; only differences are added to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.entries import Entry, difference, entries
from services.reporting.projection import Known
from shared import clock
from tests.reporting import told
from tests.reporting.lives import lives
from tests.reporting.told import GAINING, PARTNER, at, known

JANUARY, FEBRUARY, MARCH, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 3, 6, 7))
MOVED_ON = clock.start_of_day(date(2024, 5, 1))
REGISTERED = told.status(1, told.registered(JANUARY))
MOVED = told.status(2, told.registered(JANUARY), told.moved(MOVED_ON), places=[told.place("a")])


def measured(known: Known) -> dict[str, int]:
    """The entries by measure alone."""
    found: Counter[str] = Counter()
    for entry, number in entries(known).items():
        found[entry.measure] += number
    return dict(found)


def added(ledger: Mapping[Entry, int], rows: Mapping[Entry, int]) -> dict[Entry, int]:
    sums = {entry: ledger.get(entry, 0) + rows.get(entry, 0) for entry in {**ledger, **rows}}
    return {entry: number for entry, number in sums.items() if number}


@given(lives(), lives())
def test_entries_before_and_the_difference_are_the_entries_after(before: Known, after: Known) -> None:
    assert added(entries(before), difference(before, after)) == entries(after)


@given(lives(), lives())
def test_the_difference_of_one_state_alone_is_right_too(before: Known, other: Known) -> None:
    for after in (
        Known(before.registration, before.status, other.mentoring, before.assessment),
        Known(before.registration, before.status, before.mentoring, other.assessment),
        Known(before.registration, other.status, before.mentoring, before.assessment),
    ):
        assert added(entries(before), difference(before, after)) == entries(after)


@given(lives(), st.lists(lives(), max_size=5))
def test_a_ledger_of_differences_sums_to_the_present(last: Known, way: list[Known]) -> None:
    ledger: dict[Entry, int] = {}
    before = Known(last.registration)
    for after in (*way, last):
        ledger, before = added(ledger, difference(before, after)), after
    assert ledger == entries(last)


def test_sessions_count_by_type_as_due_and_attended() -> None:
    sessions = (told.session(FEBRUARY), told.session(MARCH, attended=False), told.session(MARCH, type="enrichment"))
    assert measured(known(REGISTERED, told.mentored(1, *sessions))) == {
        "sessions_due_facilitated_session": 2,
        "sessions_attended_facilitated_session": 1,
        "sessions_due_enrichment": 1,
        "sessions_attended_enrichment": 1,
    }


def test_mentoring_counts_minutes_of_what_was_held_and_the_trainee_from_the_first_that_was_due() -> None:
    cancelled, missed = told.mentoring(FEBRUARY, due=False), told.mentoring(MARCH, held=False)
    state = told.mentored(1, cancelled, missed, told.mentoring(JUNE), told.mentoring(JULY), minimum_met=JULY)
    assert measured(known(REGISTERED, state)) == {
        "mentoring_due": 3,
        "mentoring_attended": 2,
        "mentoring_minutes": 90,
        "mentoring_trainees": 1,
        "mentoring_minimum_met": 1,
    }
    moments = {entry.measure: entry.at for entry in entries(known(REGISTERED, state))}
    assert (moments["mentoring_trainees"], moments["mentoring_minimum_met"]) == (MARCH, JULY)


def test_marking_takes_the_days_in_london_from_submission_to_decision() -> None:
    attempts = (told.attempt(at("2024-06-30T22:59:00Z"), at("2024-06-30T23:00:00Z")), told.attempt(JULY, unit="u2"))
    assert measured(known(REGISTERED, None, told.assessed(1, *attempts))) == {"decisions": 1, "marking_days": 1}


def test_deferrals_and_returns_from_them_count_and_a_return_from_withdrawal_does_not() -> None:
    periods = (
        told.registered(JANUARY),
        told.period(FEBRUARY, "deferred"),
        told.period(MARCH),
        told.period(JUNE, "withdrawn"),
        told.period(JULY),
    )
    assert measured(known(told.status(1, *periods))) == {"deferrals": 1, "returns": 1}


def test_a_transfer_counts_in_and_out_at_the_place_of_its_day_and_is_no_other_change() -> None:
    moved = told.status(
        3, told.registered(JANUARY), told.period(MARCH, "deferred"), told.moved(MOVED_ON, state="deferred")
    )
    found = {(entry.measure, entry.partner, entry.at) for entry in entries(known(moved))}
    assert found == {
        ("deferrals", PARTNER, MARCH),
        ("moved_in", GAINING, MOVED_ON),
        ("moved_out", PARTNER, MOVED_ON),
    }


def test_each_counts_with_the_partner_and_at_the_place_of_its_own_moment() -> None:
    places = [told.place("a", until=date(2024, 3, 31)), told.place("b", date(2024, 4, 1))]
    status = MOVED.model_copy(update={"places": tuple(places)})
    tick = timedelta(microseconds=1)
    sessions = (told.session(FEBRUARY), told.session(MOVED_ON - tick), told.session(MOVED_ON, partner=GAINING))
    found = entries(known(status, told.mentored(1, *sessions)))
    due = {entry.at: (entry.partner, entry.la_code) for entry in found if entry.measure.startswith("sessions_due")}
    assert due == {FEBRUARY: (PARTNER, "a"), MOVED_ON - tick: (PARTNER, "b"), MOVED_ON: (GAINING, "b")}


def test_a_void_takes_all_entries_back() -> None:
    before = known(MOVED, told.mentored(1, told.session(FEBRUARY)))
    voided = told.status(3, *(told.period(JUNE, "voided", partner=partner) for partner in (PARTNER, GAINING)))
    after = known(voided, before.mentoring)
    assert entries(after) == {}
    assert difference(before, after) == {entry: -number for entry, number in entries(before).items()}


def test_what_the_status_does_not_reach_yet_waits_for_it() -> None:
    early = known(told.status(1, told.registered(JUNE)), told.mentored(1, told.session(MARCH)))
    assert entries(early) == {}
    reached = known(told.status(2, told.registered(JANUARY)), early.mentoring)
    assert sum(difference(early, reached).values()) == 2
