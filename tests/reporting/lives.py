"""Random lives of a registration, as the services would tell them: over transfers, and with what belongs to whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from services.reporting.projection import Identity, Known
from shared import clock
from shared.clock import Moment
from shared.states import Activity, AssessmentState, Attempt, MentoringState
from shared.status import Period, Place, State, Status
from tests.reporting import told

PARTNERS = ("ashdown", "burr", "cedar")
EPOCH = datetime(2024, 1, 10, 9, tzinfo=UTC)
COURSE = 300
LAST = 99


def ref_of(partner: str) -> str:
    """The partner's own reference."""
    return f"ref-of-{partner}"


def mentor_of(partner: str) -> str:
    """A mentor whom only this partner assigns."""
    return f"mentor-of-{partner}"


def assessor_of(partner: str) -> str:
    """An assessor whom only this partner names."""
    return f"assessor-of-{partner}"


_DAYS = st.integers(0, COURSE)
_MOMENTS = st.builds(lambda days, hours: EPOCH + timedelta(days=days, hours=hours), _DAYS, st.integers(0, 23))
_LATER: list[State] = ["registered", "deferred", "withdrawn"]


@st.composite
def places(draw: st.DrawFn) -> Place:
    """A local authority for some days."""
    since = date(2023, 12, 1) + timedelta(days=draw(st.integers(0, COURSE)))
    length = draw(st.none() | st.integers(0, 200).map(lambda days: timedelta(days=days)))
    return told.place(draw(st.sampled_from("abc")), since, since + length if length is not None else None)


@st.composite
def statuses(draw: st.DrawFn) -> Status:
    """A registration that changes its state, and moves between partners."""
    periods = [told.registered(EPOCH)]
    for moment in sorted(draw(st.lists(_MOMENTS, max_size=5, unique=True))):
        last = periods[-1]
        if draw(st.booleans()):
            periods.append(_next(draw, last, moment))
        else:
            periods.append(_moved(draw, last, moment))
    periods = sorted({period.moment: period for period in periods}.values(), key=lambda period: period.moment)
    return told.status(draw(st.integers(1, 9)), *_continued(periods), places=draw(st.lists(places(), max_size=3)))


def _next(draw: st.DrawFn, last: Period, moment: datetime) -> Period:
    state = draw(st.sampled_from([state for state in _LATER if state != last.state]))
    cohort = draw(st.sampled_from([last.cohort, "c2"]))
    return told.period(moment, state, partner=last.partner, cohort=cohort)


def _moved(draw: st.DrawFn, last: Period, moment: datetime) -> Period:
    to_partner = draw(st.sampled_from([partner for partner in PARTNERS if partner != last.partner]))
    begins = clock.start_of_day(clock.london_day(moment) + timedelta(days=1))
    return last.model_copy(update={"begins": begins, "order": -1, "partner": to_partner})


def _continued(periods: list[Period]) -> list[Period]:
    """The periods with owners and states that follow from those before: transfers were drawn for the day after."""
    found = periods[:1]
    for period in periods[1:]:
        last = found[-1]
        if period.order != -1:
            found.append(period.model_copy(update={"partner": last.partner}))
        elif period.partner != last.partner:
            found.append(last.model_copy(update={"begins": period.begins, "order": -1, "partner": period.partner}))
    return found


def _owner(status: Status, moment: datetime) -> str:
    period = status.at(Moment(moment, LAST))
    return period.partner if period else status.periods[0].partner


@st.composite
def mentorings(draw: st.DrawFn, status: Status) -> MentoringState:
    """Sessions and mentoring by who had the trainee, mentors that end with a transfer, and signals."""
    activities = [_activity(draw, status, moment) for moment in sorted(draw(st.lists(_MOMENTS, max_size=6)))]
    began = sorted(draw(st.lists(_MOMENTS, max_size=2, unique=True)))
    moves = [period.begins for period in status.periods if period.order == -1]
    mentors = [
        told.mentor(
            moment,
            min((later for later in (*moves, *began) if later > moment), default=None),
            mentor_id=mentor_of(_owner(status, moment)),
            partner=_owner(status, moment),
        )
        for moment in began
    ]
    first = clock.london_day(EPOCH)
    begun = draw(st.lists(st.tuples(_DAYS, st.none() | st.integers(0, 40)), max_size=2))
    signals = [
        told.signal(first + timedelta(days=since), None if length is None else first + timedelta(days=since + length))
        for since, length in begun
    ]
    held = [activity.at for activity in activities if activity.type is None and activity.attended]
    met = held[0] if held and draw(st.booleans()) else None
    version = draw(st.integers(1, 9))
    return told.mentored(version, *activities, mentors=mentors, signals=signals, minimum_met=met)


def _activity(draw: st.DrawFn, status: Status, moment: datetime) -> Activity:
    partner = _owner(status, moment)
    if draw(st.booleans()):
        return told.session(moment, attended=draw(st.booleans()), partner=partner)
    return told.mentoring(moment, due=draw(st.booleans()), held=draw(st.booleans()), partner=partner)


@st.composite
def assessments(draw: st.DrawFn, status: Status) -> AssessmentState:
    """Attempts by who had the trainee, and perhaps a completion after them."""
    attempts = [_attempt(draw, status, n) for n in range(draw(st.integers(0, 3)))]
    last = max((each.decided or each.submitted for each in attempts), default=EPOCH)
    completed = draw(st.none() | st.integers(0, 60).map(lambda days: last + timedelta(days=days)))
    decided = bool(attempts) and all(attempt.decided for attempt in attempts)
    passed = all(attempt.outcome == "passed" for attempt in attempts)
    result = ("passed" if passed else "not_passed") if decided else None
    return told.assessed(draw(st.integers(1, 9)), *attempts, completed=completed, result=result)


def _attempt(draw: st.DrawFn, status: Status, number: int) -> Attempt:
    submitted = draw(_MOMENTS)
    decided = draw(st.none() | st.integers(0, 60).map(lambda days: submitted + timedelta(days=days)))
    outcome = draw(st.sampled_from(["passed", "referred", "not_passed"]))
    judge = _owner(status, decided) if decided else ""
    return told.attempt(
        submitted,
        decided,
        outcome,
        unit=f"u{number}",
        partner=_owner(status, submitted),
        decided_by=judge,
        assessor=assessor_of(judge),
    )


@st.composite
def lives(draw: st.DrawFn) -> Known:
    """All that is known of one registration."""
    status = draw(statuses())
    refs = {period.partner: ref_of(period.partner) for period in status.periods}
    return Known(
        told.ID,
        status,
        draw(st.none() | mentorings(status)),
        draw(st.none() | assessments(status)),
        Identity(trainee_id="trainee", setting_urn="setting", refs=refs),
    )
