"""What reporting makes of the services' messages: one value a registration, its view and its dated periods. Pure.

Messages carry whole states with versions, so the order between topics, and of copies, does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from shared import clock, topics
from shared.clock import Moment
from shared.records import RawRecord
from shared.status import Completion, Period, Place, Status

Shown = Literal["registered", "deferred", "withdrawn", "completed"]

ENROLMENT: Final = topics.facts("enrolment")
ASSESSMENT: Final = topics.facts("assessment")
READ: Final = (ENROLMENT, ASSESSMENT, topics.IDENTITY)
"""The topics that reporting reads."""

WITHDRAWN_AFTER_COMPLETION: Final = "withdrawn_after_completion"
_DAY: Final = timedelta(days=1)

Versioned = TypeVar("Versioned", Status, Completion)


class Identity(BaseModel):
    """The partner's own identifiers of a registration: for its own view, and for nothing else."""

    model_config = ConfigDict(frozen=True)

    partner_ref: str
    trainee_id: str
    setting_urn: str


@dataclass(frozen=True, slots=True)
class Known:
    """The newest that the services have told of a registration. No identity: not told yet, or erased."""

    registration: str
    status: Status | None = None
    completion: Completion | None = None
    identity: Identity | None = None

    @property
    def partner(self) -> str | None:
        """Whose trainee it is; None before its status is known."""
        return self.status.latest.partner if self.status else None

    @property
    def completed(self) -> Moment | None:
        """Since when the registration is shown as completed; None where no completion stands."""
        if self.status is None or self.completion is None or self.completion.completed is None:
            return None
        moment = Moment(self.completion.completed, self.completion.order)
        # It may be told before the status in which it stands: until that reaches back to it, it is not shown.
        return None if self.status.voided or self.status.at(moment) is None else moment


def fold(known: Known, records: Iterable[RawRecord]) -> Known:
    """What is known after some records of the registration."""
    return reduce(take, records, known)


def take(known: Known, record: RawRecord) -> Known:
    """What is known after one record. A state of a lower or equal version changes nothing."""
    body = json.loads(record.value) if record.value else None
    if record.topic == topics.IDENTITY:
        return replace(known, identity=Identity.model_validate(body) if body else None)
    assert body is not None, "facts are never erased from their topic"
    if record.topic == ENROLMENT:
        return replace(known, status=_newer(known.status, Status.model_validate(body["state"])))
    return replace(known, completion=_newer(known.completion, Completion.model_validate(body["state"])))


def _newer(held: Versioned | None, told: Versioned) -> Versioned:
    return held if held is not None and told.version <= held.version else told


def view(known: Known) -> dict[str, Any] | None:
    """The partner's own view of a registration; None before its status is known.

    `since` and `completed` are moments in RFC 3339, `reason` that of the state shown. The partner's identifiers are
    left out where they are not known. Of two views of one version, the later on the topic holds.
    """
    if known.status is None:
        return None
    latest, completed = known.status.latest, known.completed
    return {
        "registration_id": known.registration,
        **(known.identity.model_dump() if known.identity else {}),
        "cohort_code": latest.cohort,
        "state": "completed" if completed else latest.state,
        "since": clock.render(completed.time if completed else latest.begins),
        "reason": None if completed else latest.reason,
        "completed": clock.render(completed.time) if completed else None,
        "version": known.status.version + (known.completion.version if known.completion else 0),
        "findings": _findings(known.status, completed),
    }


def _findings(status: Status, completed: Moment | None) -> list[str]:
    withdrawn = any(p.state == "withdrawn" and completed is not None and p.moment > completed for p in status.periods)
    return [WITHDRAWN_AFTER_COMPLETION] if withdrawn else []


class Area(NamedTuple):
    """A local authority and its region, by code and name."""

    la_code: str
    la_name: str
    region_code: str
    region_name: str


NOWHERE: Final = Area("x", "Place not known", "x", "Place not known")


@dataclass(frozen=True, slots=True)
class Dated:
    """What is counted of a registration from `begins` until just before `ends`; no end: still in force."""

    begins: datetime
    ends: datetime | None
    state: Shown
    partner: str
    cohort: str
    provider_type: str
    setting_key: str
    area: Area
    reason_group: str | None


@dataclass(frozen=True, slots=True)
class _Span:
    """A state shown from a moment on. `placed_on`: the day whose place it keeps; None where the place moves on."""

    begins: datetime
    state: Shown
    period: Period
    placed_on: date | None = None


def dated(known: Known) -> tuple[Dated, ...]:
    """The periods that figures count, in order and without gaps; none of a voided registration.

    In training or deferred a registration is counted where its setting lies on the day asked for; withdrawn or
    completed, where it lay when that began; always in the cohort of the day asked for (reference: events 10).
    """
    status = known.status
    if status is None or status.voided:
        return ()
    spans = tuple(_spans(status, known.completed))
    ends = (*(span.begins for span in spans[1:]), None)
    return tuple(
        piece
        for span, end in zip(spans, ends, strict=True)
        if span.begins != end
        for piece in _pieces(span, end, status.places)
    )


def _spans(status: Status, completed: Moment | None) -> Iterator[_Span]:
    """The states shown: those of the status up to a completion, then completed for good."""
    before = [p for p in status.periods if completed is None or p.moment <= completed]
    for period in before:
        if period.state != "voided":
            ended_on = clock.london_day(period.begins) if period.state == "withdrawn" else None
            yield _Span(period.begins, period.state, period, ended_on)
    if completed is not None:
        done = _Span(completed.time, "completed", before[-1], clock.london_day(completed.time))
        yield done
        yield from _later_cohorts(done, status.periods[len(before) :])


def _later_cohorts(done: _Span, later: Iterable[Period]) -> Iterator[_Span]:
    """A completed registration may still change its cohort, by a return dated later; nothing else of it moves."""
    cohort = done.period.cohort
    for period in later:
        if period.cohort != cohort:
            cohort = period.cohort
            yield replace(done, begins=period.begins, period=done.period.model_copy(update={"cohort": cohort}))


def _pieces(span: _Span, ends: datetime | None, places: Sequence[Place]) -> Iterator[Dated]:
    """A span cut where its place changes."""
    starts = [span.begins] if span.placed_on else [span.begins, *_moves(span.begins, ends, places)]
    period = span.period
    for begins, until in pairwise((*starts, ends)):
        assert begins is not None
        yield Dated(
            begins,
            until,
            span.state,
            period.partner,
            period.cohort,
            period.provider_type,
            period.setting_key,
            _area(places, span.placed_on or clock.london_day(begins)),
            None if span.state == "completed" else period.reason_group,
        )


def _moves(begins: datetime, ends: datetime | None, places: Sequence[Place]) -> list[datetime]:
    """When the place changes between two moments: at the start of London days."""
    days = {place.valid_from for place in places}
    days |= {place.valid_to + _DAY for place in places if place.valid_to and place.valid_to < date.max}
    first = clock.london_day(begins)
    moved = (day for day in sorted(days) if day > first and _area(places, day) != _area(places, day - _DAY))
    return [start for start in map(clock.start_of_day, moved) if ends is None or start < ends]


def _area(places: Sequence[Place], day: date) -> Area:
    """The area that covers a day; the codes are those valid then."""
    for place in places:
        if place.valid_from <= day and (place.valid_to is None or day <= place.valid_to):
            return Area(place.la_code, place.la_name, place.region_code, place.region_name)
    return NOWHERE
