"""The dated periods of a registration: what figures count of it from one moment until another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from services.reporting.projection import Known
from shared import clock
from shared.clock import Moment
from shared.states import AssessmentState, Mentor, Result, Signal
from shared.status import Period, Place, Status

Shown = Literal["registered", "deferred", "withdrawn", "completed"]

FLAGGED_BEFORE: Final = timedelta(days=14)
"""So long before the end of a course a signal must have begun, to count as a warning of it."""

_DAY: Final = timedelta(days=1)


class Area(NamedTuple):
    """A local authority and its region, by code and name."""

    la_code: str
    la_name: str
    region_code: str
    region_name: str


NOWHERE: Final = Area("x", "Place not known", "x", "Place not known")


@dataclass(frozen=True, slots=True)
class Dated:
    """What is counted of a registration from `begins` until just before `ends`; no end: still in force.

    Withdrawn or completed have `ended_on`, the London day of that, and `flagged`: a signal that the trainee was at
    risk began at least `FLAGGED_BEFORE` it. `outcome`, `first_time` and `resubmitted` are those of the completed.
    `start` is the London day on which training began, whenever that is; `mentor` whom the trainee has then.
    """

    begins: datetime
    ends: datetime | None
    state: Shown
    partner: str
    cohort: str
    provider_type: str
    setting_key: str
    area: Area
    allocation: str
    start: date | None = None
    reason_group: str | None = None
    mentor: str | None = None
    ended_on: date | None = None
    flagged: bool = False
    outcome: Result | None = None
    first_time: bool = False
    resubmitted: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    """A state shown from a moment on. `ended_on`: the day whose place it keeps; None where the place moves on."""

    begins: datetime
    state: Shown
    period: Period
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """All that periods are made of: those of two equal ones are equal."""

    status: Status | None
    completed: Moment | None
    assessment: AssessmentState | None
    start: date | None
    mentors: tuple[Mentor, ...]
    signals: tuple[Signal, ...]


def basis(known: Known) -> Basis:
    """What the periods of a registration are made of: less than is known, so that most changes leave it alone."""
    completed, start, mentoring = known.completed, known.start, known.mentoring
    return Basis(
        known.status,
        completed,
        known.assessment if completed else None,
        clock.london_day(start) if start else None,
        mentoring.mentors if mentoring else (),
        mentoring.signals if mentoring else (),
    )


def dated(known: Known) -> tuple[Dated, ...]:
    """The periods that figures count, in order and without gaps; none of a voided registration.

    Registered or deferred, it is counted where its setting lies on the day asked for; withdrawn or completed, with
    the partner and where it lay when that began; always in the cohort of the day asked for (reference: events 10).
    """
    return periods_of(basis(known))


def periods_of(of: Basis) -> tuple[Dated, ...]:
    """The periods that follow from all they are made of."""
    if of.status is None or of.status.voided:
        return ()
    spans = tuple(_spans(of.status, of.completed))
    ends = (*(span.begins for span in spans[1:]), None)
    return tuple(
        piece
        for span, end in zip(spans, ends, strict=True)
        if span.begins != end
        for piece in _pieces(of, of.status, span, end)
    )


def _spans(status: Status, completed: Moment | None) -> Iterator[_Span]:
    """The states shown: those of the status up to a completion, then completed for good."""
    before = [p for p in status.periods if completed is None or p.moment <= completed]
    for previous, period in pairwise((None, *before)):
        assert period is not None
        assert period.state != "voided"
        left = period.state == "withdrawn"
        if left and previous is not None and moved(previous, period):
            continue  # who has left stays where that was, whoever has the registration now
        yield _Span(period.begins, period.state, period, clock.london_day(period.begins) if left else None)
    if completed is not None:
        done = _Span(completed.time, "completed", before[-1], clock.london_day(completed.time))
        yield done
        yield from _later_cohorts(done, status.periods[len(before) :])


def moved(earlier: Period, later: Period) -> bool:
    """Whether a period is the next by a transfer: the state goes on with another partner."""
    return earlier.partner != later.partner


def _later_cohorts(done: _Span, later: Iterable[Period]) -> Iterator[_Span]:
    """A completed registration may still change its cohort, by a return dated later; nothing else of it moves."""
    cohort = done.period.cohort
    for period in later:
        if period.cohort != cohort:
            cohort = period.cohort
            yield replace(done, begins=period.begins, period=done.period.model_copy(update={"cohort": cohort}))


def _pieces(of: Basis, status: Status, span: _Span, ends: datetime | None) -> Iterator[Dated]:
    """A span cut where the place or the mentor changes."""
    whole = _whole(of, status, span)
    if span.ended_on is not None:
        yield replace(whole, ends=ends, area=area_on(status.places, span.ended_on))
        return
    begins = [span.begins, *_cuts(of, status, span.begins, ends)]
    for start, end in pairwise((*begins, ends)):
        assert start is not None
        area, mentor = _then(of, status, start)
        yield replace(whole, begins=start, ends=end, area=area, mentor=mentor)


def _whole(of: Basis, status: Status, span: _Span) -> Dated:
    """What all pieces of a span have in common."""
    period, assessment = span.period, of.assessment
    done = assessment is not None and span.state == "completed"
    result = assessment.result if assessment and done else None
    attempts = [attempt.attempt for attempt in assessment.attempts] if assessment and result else []
    return Dated(
        begins=span.begins,
        ends=None,
        state=span.state,
        partner=period.partner,
        cohort=period.cohort,
        provider_type=period.provider_type,
        setting_key=period.setting_key,
        area=NOWHERE,
        allocation=status.places_allocation,
        start=of.start,
        reason_group=None if done else period.reason_group,
        ended_on=span.ended_on,
        flagged=_flagged(of.signals, span.ended_on),
        outcome=result,
        first_time=result == "passed" and max(attempts) == 1,
        resubmitted=max(attempts, default=1) > 1,
    )


def _flagged(signals: Sequence[Signal], ended_on: date | None) -> bool:
    return ended_on is not None and any(signal.begins <= ended_on - FLAGGED_BEFORE for signal in signals)


def _cuts(of: Basis, status: Status, begins: datetime, ends: datetime | None) -> Iterator[datetime]:
    """When the place, at the start of a London day, or the mentor changes between two moments."""
    days = {place.valid_from for place in status.places}
    days |= {place.valid_to + _DAY for place in status.places if place.valid_to and place.valid_to < date.max}
    first = clock.london_day(begins)
    edges = {clock.start_of_day(day) for day in days if day > first}
    edges |= {edge for mentor in of.mentors for edge in (mentor.begins, mentor.ends) if edge}
    last = _then(of, status, begins)
    for edge in sorted(edge for edge in edges if begins < edge and (ends is None or edge < ends)):
        now = _then(of, status, edge)
        if now != last:
            yield edge
        last = now


def _then(of: Basis, status: Status, instant: datetime) -> tuple[Area, str | None]:
    """The place and the mentor of an instant."""
    had = (m.mentor_id for m in of.mentors if m.begins <= instant and (m.ends is None or instant < m.ends))
    return area_on(status.places, clock.london_day(instant)), next(had, None)


def area_on(places: Sequence[Place], day: date) -> Area:
    """The area that covers a day; the codes are those valid then."""
    for place in places:
        if place.valid_from <= day and (place.valid_to is None or day <= place.valid_to):
            return Area(place.la_code, place.la_name, place.region_code, place.region_name)
    return NOWHERE
