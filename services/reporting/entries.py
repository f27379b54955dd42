"""The entries of the ledger: what happened to a registration, counted at the partner and place of its own moment. Pure.

A change of what is known appends the difference between the entries before and after it, with its sign; nothing is
ever changed or taken out, so that a figure is a sum (design 7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar, get_args

from services.reporting.periods import area_on, moved
from services.reporting.projection import Known
from shared import clock
from shared.clock import Moment
from shared.events.data import ActivityType
from shared.states import Activity, AssessmentState, MentoringState
from shared.status import Status

SESSIONS: Final = tuple(f"sessions_{what}_{kind}" for kind in get_args(ActivityType) for what in ("due", "attended"))
MOMENTS: Final = (
    *("deferrals", "returns", "moved_in", "moved_out"),
    *SESSIONS,
    *("mentoring_due", "mentoring_attended", "mentoring_minutes", "mentoring_trainees", "mentoring_minimum_met"),
    *("decisions", "marking_days"),
)
"""The measures of the ledger."""

_LAST: Final = 99
"""An order behind that of all types: a period that begins at the moment of a fact has begun."""


class Entry(NamedTuple):
    """What is counted when and where; how much of it stands beside."""

    at: datetime
    measure: str
    partner: str
    provider_type: str
    la_code: str
    region_code: str


Happening = tuple[datetime, str]
"""A moment and a measure, before it is known where that counts."""

K = TypeVar("K")


def entries(known: Known) -> dict[Entry, int]:
    """All entries of a registration; none of a voided one, nor of what its status does not reach yet."""
    status = known.status
    if status is None or status.voided:
        return {}
    happened = _mentoring(known.mentoring) + _assessment(known.assessment)
    return dict(_status(status) + Counter(_placed(status, happened)))


def difference(before: Known, after: Known) -> dict[Entry, int]:
    """What to append to the ledger: entries before + difference = entries after.

    Under one status only what happened anew, or not any more, needs a place.
    """
    status = after.status
    if before.status != status or status is None or status.voided:
        return _minus(entries(after), entries(before))
    change: dict[Happening, int] = {}
    if before.mentoring != after.mentoring:
        change |= _minus(_mentoring(after.mentoring), _mentoring(before.mentoring))
    if before.assessment != after.assessment:
        change |= _minus(_assessment(after.assessment), _assessment(before.assessment))
    return _placed(status, change)


def _minus(after: Mapping[K, int], before: Mapping[K, int]) -> dict[K, int]:
    changes = ((key, after.get(key, 0) - before.get(key, 0)) for key in {**after, **before})
    return {key: number for key, number in changes if number}


def _placed(status: Status, happened: Mapping[Happening, int]) -> dict[Entry, int]:
    """Where things happened: with the partner that had the registration then, at the place of that day."""
    placed: dict[Entry, int] = {}
    for (at, measure), number in happened.items():
        period = status.at(Moment(at, _LAST))
        if period is not None and number:
            placed[_entry(status, at, measure, period.partner, period.provider_type)] = number
    return placed


def _entry(status: Status, at: datetime, measure: str, partner: str, provider_type: str) -> Entry:
    area = area_on(status.places, clock.london_day(at))
    return Entry(at, measure, partner, provider_type, area.la_code, area.region_code)


def _status(status: Status) -> Counter[Entry]:
    """Changes of state, and transfers: in at the gaining partner, out at the losing one."""
    found: Counter[Entry] = Counter()
    for earlier, later in pairwise(status.periods):
        at, kind = later.begins, later.provider_type
        if moved(earlier, later):
            found[_entry(status, at, "moved_in", later.partner, kind)] += 1
            found[_entry(status, at, "moved_out", earlier.partner, kind)] += 1
        elif later.state == "deferred" and earlier.state != "deferred":
            found[_entry(status, at, "deferrals", later.partner, kind)] += 1
        elif later.state == "registered" and earlier.state == "deferred":
            found[_entry(status, at, "returns", later.partner, kind)] += 1
    return found


def _mentoring(state: MentoringState | None) -> Counter[Happening]:
    """Sessions and mentorings due and attended; a trainee counts from the first mentoring that was due."""
    found: Counter[Happening] = Counter()
    if state is None:
        return found
    for activity in state.activities:
        for measure, number in _activity(activity):
            found[activity.at, measure] += number
    due = [activity.at for activity in state.activities if activity.type is None and activity.due]
    if due:
        found[min(due), "mentoring_trainees"] += 1
    if state.minimum_met:
        found[state.minimum_met, "mentoring_minimum_met"] += 1
    return found


def _activity(activity: Activity) -> Iterator[tuple[str, int]]:
    if activity.type is not None:
        yield f"sessions_due_{activity.type}", 1
        if activity.attended:
            yield f"sessions_attended_{activity.type}", 1
    elif activity.due:
        yield "mentoring_due", 1
        if activity.attended:
            yield "mentoring_attended", 1
            yield "mentoring_minutes", activity.minutes


def _assessment(state: AssessmentState | None) -> Counter[Happening]:
    """Decisions, and the London days between submission and decision."""
    found: Counter[Happening] = Counter()
    for attempt in state.attempts if state else ():
        if attempt.decided:
            found[attempt.decided, "decisions"] += 1
            days = (clock.london_day(attempt.decided) - clock.london_day(attempt.submitted)).days
            found[attempt.decided, "marking_days"] += days
    return found
