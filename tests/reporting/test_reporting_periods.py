"""The dated periods: at each instant they say what the status, the completion and the places of that instant say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.periods import NOWHERE, Area, Dated, dated
from shared import clock
from shared.clock import Moment
from shared.states import AssessmentState, Attempt, Result
from shared.status import Place, State, Status
from tests.reporting import told
from tests.reporting.told import GAINING, PARTNER, at, known

LAST_ORDER = 99
TICK = timedelta(microseconds=1)
EPOCH = at("2024-01-10T09:00:00Z")
# Around both changes of the clock in 2024, and at the edges of London days.
STEPS = st.integers(0, 300).map(lambda days: timedelta(days=days)) | st.sampled_from(
    [timedelta(0), timedelta(hours=14), timedelta(hours=15), timedelta(hours=15) - TICK]
)
STATES: list[State] = ["registered", "deferred", "withdrawn"]


@st.composite
def statuses(draw: st.DrawFn) -> Status:
    begins, periods = EPOCH, [told.registered(EPOCH)]
    for _ in range(draw(st.integers(0, 4))):
        begins += draw(STEPS)
        found = told.period(begins, draw(st.sampled_from(STATES)), cohort=draw(st.sampled_from(["c1", "c2"])))
        periods.append(found)
    periods.sort(key=lambda found: found.moment)
    return told.status(1, *periods, places=draw(st.lists(places(), max_size=3)))


@st.composite
def places(draw: st.DrawFn) -> Place:
    since = date(2023, 12, 1) + timedelta(days=draw(st.integers(0, 500)))
    length = draw(st.none() | st.integers(0, 200).map(lambda days: timedelta(days=days)))
    return told.place(draw(st.sampled_from("abc")), since, since + length if length is not None else None)


@st.composite
def completions(draw: st.DrawFn) -> AssessmentState:
    return told.completion(1, draw(st.none() | STEPS.map(lambda step: EPOCH + step)))


def _area(status: Status, day: date) -> Area:
    covering = (p for p in status.places if p.valid_from <= day and (p.valid_to is None or day <= p.valid_to))
    found = next(covering, None)
    return Area(found.la_code, found.la_name, found.region_code, found.region_name) if found else NOWHERE


def _in_force(periods: tuple[Dated, ...], instant: datetime) -> Dated:
    (found,) = (p for p in periods if p.begins <= instant and (p.ends is None or p.ends > instant))
    return found


def _instants(status: Status, completion: AssessmentState) -> Iterator[datetime]:
    """The edges of everything that may matter, and a tick before each."""
    days = [p.valid_from for p in status.places] + [p.valid_to + timedelta(1) for p in status.places if p.valid_to]
    edges = [p.begins for p in status.periods] + [clock.start_of_day(day) for day in days]
    edges += [completion.completed] if completion.completed else []
    for edge in edges:
        yield from (instant for instant in (edge - TICK, edge) if instant >= EPOCH)


@given(statuses(), completions())
def test_at_every_instant_the_period_in_force_says_what_stands(status: Status, completion: AssessmentState) -> None:
    periods = dated(known(status, None, completion))
    done = completion.completed
    for instant in _instants(status, completion):
        found, now = _in_force(periods, instant), status.at(Moment(instant, LAST_ORDER))
        assert now is not None
        assert found.cohort == now.cohort
        if done is not None and done <= instant:
            assert (found.state, found.reason_group) == ("completed", None)
            assert found.area == _area(status, clock.london_day(done))
        else:
            assert (found.state, found.reason_group) == (now.state, now.reason_group)
            placed = now.begins if now.state == "withdrawn" else instant
            assert found.area == _area(status, clock.london_day(placed))


@given(statuses(), completions())
def test_periods_follow_each_other_without_gap_or_overlap(status: Status, completion: AssessmentState) -> None:
    periods = dated(known(status, None, completion))
    assert periods[0].begins == EPOCH
    assert [period.ends for period in periods] == [*(period.begins for period in periods[1:]), None]
    assert all(period.ends is None or period.begins < period.ends for period in periods)


@given(statuses(), completions())
def test_no_period_is_cut_for_nothing(status: Status, completion: AssessmentState) -> None:
    periods = dated(known(status, None, completion))
    joins = itertools.pairwise(periods)
    starts = {p.begins for p in status.periods}
    assert all(
        second.begins in starts or first.state != second.state or first.area != second.area for first, second in joins
    )


def test_in_summer_time_a_place_changes_at_the_start_of_the_london_day() -> None:
    moved = [told.place("a", until=date(2024, 6, 30)), told.place("b", date(2024, 7, 1))]
    before, after = dated(known(told.status(1, told.registered(EPOCH), places=moved)))
    assert (before.area.la_code, after.area.la_code) == ("a", "b")
    assert before.ends == after.begins == at("2024-06-30T23:00:00Z")


def test_the_withdrawn_keep_the_place_of_their_day_and_the_deferred_move_on() -> None:
    moved = [told.place("a", until=date(2024, 6, 30)), told.place("b", date(2024, 7, 1))]
    midnight = at("2024-06-30T23:00:00Z")  # the first instant of July in London
    for state, codes in (("withdrawn", ["a", "a"]), ("deferred", ["a", "a", "b"])):
        status = told.status(1, told.registered(EPOCH), told.period(midnight - TICK, state), places=moved)
        assert [period.area.la_code for period in dated(known(status))] == codes
    late = told.status(1, told.registered(EPOCH), told.period(midnight, "withdrawn"), places=moved)
    assert [period.area.la_code for period in dated(known(late))] == ["a", "b"]


def test_a_setting_that_is_not_known_counts_under_x_until_it_is() -> None:
    known_later = [told.place("a", date(2024, 2, 1))]
    unknown, placed = dated(known(told.status(1, told.registered(EPOCH), places=known_later)))
    assert unknown.area == NOWHERE
    assert unknown.area.la_code == unknown.area.region_code == "x"
    assert placed.begins == at("2024-02-01T00:00:00Z")


def test_places_that_end_with_the_calendar_are_no_special_case() -> None:
    forever = [told.place("a", date.min, date.max)]
    (only,) = dated(known(told.status(1, told.registered(EPOCH), places=forever)))
    assert (only.area.la_code, only.ends) == ("a", None)


def test_a_completed_registration_changes_its_cohort_and_nothing_else() -> None:
    july, august = at("2024-07-10T09:00:00Z"), at("2024-08-10T09:00:00Z")
    returned = told.status(
        1,
        told.registered(EPOCH),
        told.period(july, "withdrawn"),
        told.period(august, cohort="c2"),
        places=[told.place("a", until=date(2024, 7, 1)), told.place("b", date(2024, 7, 2))],
    )
    periods = dated(known(returned, None, told.completion(1, at("2024-06-10T09:00:00Z"))))
    assert [(p.state, p.cohort, p.area.la_code) for p in periods] == [
        ("registered", "c1", "a"),
        ("completed", "c1", "a"),
        ("completed", "c2", "a"),
    ]
    assert periods[-1].begins == august


# Over a transfer

MAY, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (5, 6, 7))
MOVED_ON = clock.start_of_day(date(2024, 6, 1))


def test_a_transfer_moves_a_trainee_in_training_and_leaves_one_who_has_left() -> None:
    for state, partners in (("deferred", [PARTNER, PARTNER, GAINING]), ("withdrawn", [PARTNER, PARTNER])):
        moved = told.moved(MOVED_ON, state=state)
        status = told.status(1, told.registered(EPOCH), told.period(MAY, state), moved)
        periods = dated(known(status))
        assert [period.partner for period in periods] == partners
        assert periods[-1].ends is None


def test_who_has_completed_stays_with_the_partner_of_then() -> None:
    status = told.status(1, told.registered(EPOCH), told.moved(MOVED_ON))
    periods = dated(known(status, None, told.completion(1, MAY)))
    assert [(period.state, period.partner) for period in periods] == [("registered", PARTNER), ("completed", PARTNER)]


# What is counted of a course


def test_a_period_is_cut_where_the_mentor_changes_and_only_there() -> None:
    mentors = (told.mentor(MAY, JUNE), told.mentor(JUNE, JULY), told.mentor(JULY, mentor_id="other"))
    periods = dated(known(told.status(1, told.registered(EPOCH)), told.mentored(1, mentors=mentors)))
    assert [(period.begins, period.mentor) for period in periods] == [
        (EPOCH, None),
        (MAY, told.MENTOR),
        (JULY, "other"),
    ]


def test_the_start_is_the_same_in_all_periods_and_by_the_day_in_london() -> None:
    status = told.status(1, told.registered(EPOCH), told.period(JULY, "deferred"))
    late = told.mentored(1, told.session(at("2024-06-30T23:30:00Z")))
    assert {period.start for period in dated(known(status, late))} == {date(2024, 7, 1)}


@pytest.mark.parametrize(
    ("attempts", "result", "expected"),
    [
        ([told.attempt(MAY, MAY)], "passed", ("passed", True, False)),
        ([told.attempt(MAY, MAY, "referred"), told.attempt(MAY, MAY, number=2)], "passed", ("passed", False, True)),
        ([told.attempt(MAY, MAY, "not_passed")], "not_passed", ("not_passed", False, False)),
        ([told.attempt(MAY, MAY)], None, (None, False, False)),
    ],
)
def test_the_outcome_of_a_course_is_that_of_its_attempts(
    attempts: list[Attempt], result: Result | None, expected: tuple[Result | None, bool, bool]
) -> None:
    done = told.assessed(1, *attempts, completed=JUNE, result=result)
    before, after = dated(known(told.status(1, told.registered(EPOCH)), None, done))
    assert (before.outcome, before.first_time, before.resubmitted) == (None, False, False)
    assert (after.outcome, after.first_time, after.resubmitted) == expected


@pytest.mark.parametrize(("begins", "flagged"), [(date(2024, 5, 27), True), (date(2024, 5, 28), False)])
def test_an_end_is_flagged_by_a_signal_that_began_two_weeks_before_it(begins: date, flagged: bool) -> None:
    state = told.mentored(1, signals=[told.signal(begins, begins)])
    left = told.status(1, told.registered(EPOCH), told.period(JUNE, "withdrawn"))
    done = known(told.status(1, told.registered(EPOCH)), state, told.completion(1, JUNE))
    for before, after in (dated(known(left, state)), dated(done)):
        assert (before.flagged, after.flagged) == (False, flagged)
        assert after.ended_on == date(2024, 6, 10)
