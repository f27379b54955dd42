"""Mentoring's rules: mentors, sessions and mentoring, fact by fact. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from shared import clock
from shared.events.catalogue import MENTOR, MENTORING
from shared.events.codes import Problem
from shared.history import Fact
from shared.standing import Terms
from shared.states import Activity
from shared.status import Status

OWNER: Final = "mentoring"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A mentor as assigned: by which partner, and from when."""

    mentor_id: str
    partner: str
    begins: datetime


@dataclass(frozen=True, slots=True)
class Mentored:
    """What stands of a registration, in the order of facts; `minimum_met`: when the cohort's minimum was reached."""

    activities: tuple[Activity, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    minimum_met: datetime | None = None

    @property
    def held(self) -> int:
        """How many mentorings were held."""
        return sum(1 for activity in self.activities if activity.type is None and activity.attended)


class MentoringRules:
    """See `shared.standing.Rules` (reference: events 2 and 5, mentoring)."""

    nothing: Final = Mentored()

    def step(self, state: Mentored, fact: Fact, terms: Terms) -> Mentored | Problem:
        """A session or a mentoring always stands; a mentor beside a present one only in its stead."""
        if fact.kind is MENTOR:
            return _assign(state, fact, terms.status)
        activity = _mentoring(fact) if fact.kind is MENTORING else _session(fact)
        after = replace(state, activities=(*state.activities, activity))
        counts = fact.kind is MENTORING and activity.attended
        if not counts or after.minimum_met or after.held < terms.cohort.mentoring_minimum:
            return after
        return replace(after, minimum_met=activity.at)

    def warnings(self, state: Mentored, fact: Fact, terms: Terms) -> tuple[str, ...]:
        """A mentoring without a mentor, or of unusual length, is taken; its sender may want to look again."""
        if fact.kind is not MENTORING:
            return ()
        usual, minutes = terms.cohort.mentoring_minutes, fact.data["minutes"]
        unusual = fact.data["status"] == "held" and not usual.least <= minutes <= usual.most
        missing = current_mentor(state, terms.status, fact.moment.time) is None
        return (*(("mentor_not_assigned",) if missing else ()), *(("minutes_unusual",) if unusual else ()))


def current_mentor(state: Mentored, status: Status, at: datetime) -> Assigned | None:
    """The mentor at a time: the last one assigned up to then, unless the trainee has moved to another partner since."""
    last = next((mentor for mentor in reversed(state.assigned) if mentor.begins <= at), None)
    return last if last is not None and not any(last.begins < move <= at for move in moves(status)) else None


def moves(status: Status | None) -> list[datetime]:
    """When the trainee came to another partner."""
    periods = status.periods if status else ()
    return [later.begins for earlier, later in pairwise(periods) if later.partner != earlier.partner]


def _assign(state: Mentored, fact: Fact, status: Status) -> Mentored | Problem:
    current = current_mentor(state, status, fact.moment.time)
    if current is not None and not fact.data["ends_previous"]:
        since = {"since": clock.london_day(current.begins).isoformat(), "state": "Mentored"}
        return Problem("already_in_state", "data.ends_previous", since)
    assigned = Assigned(fact.data["mentor_id"], fact.sender, fact.moment.time)
    return replace(state, assigned=(*state.assigned, assigned))


def _session(fact: Fact) -> Activity:
    status = fact.data["status"]
    return Activity(
        at=fact.moment.time,
        partner=fact.sender,
        type=fact.data["activity_type"],
        due=True,
        attended=status in ("attended", "part_attended"),
        missed=status in ("absent", "absent_notified"),
        minutes=fact.data["minutes"],
    )


def _mentoring(fact: Fact) -> Activity:
    status = fact.data["status"]
    return Activity(
        at=fact.moment.time,
        partner=fact.sender,
        type=None,
        due=status != "cancelled",
        attended=status == "held",
        missed=status == "trainee_absent",
        minutes=fact.data["minutes"] if status == "held" else 0,
    )
