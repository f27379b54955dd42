"""What is counted at its own moment: at the partner and the place of then (rules of the figures)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from senconet.demonstration.judge_history import ACCEPTED, Fact, Place, midnight, offer_of
from senconet.demonstration.judge_rules import Rules, day_of
from senconet.demonstration.judge_world import ENROLMENT, Registration

Row: TypeAlias = tuple[str, str, str]  # partner, local authority, region
ATTENDED = frozenset({"attended", "part_attended"})


@dataclass(frozen=True, slots=True)
class Happening:
    """So much of a measure, at a moment and in a row."""

    moment: datetime
    measure: str
    amount: int
    row: Row


@dataclass(frozen=True, slots=True)
class Course:
    """What stands of a registration at mentoring and assessment, and what happened, in order."""

    start: datetime | None
    mentoring: tuple[Fact, ...]
    assessment: tuple[Fact, ...]
    happenings: tuple[Happening, ...]


def begins(fact: Fact) -> bool:
    """Whether a fact that stands makes a start."""
    status = fact.data.get("status")
    return (
        fact.name == "portfolio.submitted"
        or (fact.name == "session.attended" and status in ATTENDED)
        or (fact.name == "mentoring.held" and status == "held")
    )


class Rows:
    """Where a registration is counted: its partner at a place in its history, its setting's place on the day."""

    def __init__(self, rules: Rules, found: Registration) -> None:
        self.rules, self.found = rules, found
        self.urn = str(found.facts[ENROLMENT][0].data["setting_urn"])

    def at(self, moment: datetime, place: Place) -> Row:
        """The row of a fact."""
        return self.found.history.owner_at(place), *self.rules.place(self.urn, day_of(moment))


def _of_enrolment(found: Registration, rows: Rows) -> Iterator[Happening]:
    history = found.history
    for fact in history.facts:
        before = history.status_at(fact.place)
        if fact.name == "deferred":
            yield Happening(fact.moment, "deferrals", 1, rows.at(fact.moment, fact.place))
        elif fact.name == "resumed" and before is not None and before.state == "deferred":
            yield Happening(fact.moment, "returns", 1, rows.at(fact.moment, fact.place))
        elif fact.name == ACCEPTED and (offer := offer_of(fact, history.facts)) is not None:
            moved = midnight(offer.data["effective_on"])
            _, authority, region = rows.at(moved, fact.place)
            yield Happening(moved, "moved_in", 1, (fact.partner, authority, region))
            yield Happening(moved, "moved_out", 1, (history.loser(offer), authority, region))


def _of_mentoring(facts: tuple[Fact, ...], rows: Rows) -> Iterator[Happening]:
    first = True
    for fact in facts:
        status, row = fact.data.get("status"), rows.at(fact.moment, fact.place)
        if fact.name == "session.attended":
            activity = fact.data["activity_type"]
            yield Happening(fact.moment, f"sessions_due_{activity}", 1, row)
            if status in ATTENDED:
                yield Happening(fact.moment, f"sessions_attended_{activity}", 1, row)
        elif fact.name == "mentoring.held" and status != "cancelled":
            yield Happening(fact.moment, "mentoring_due", 1, row)
            if first:
                yield Happening(fact.moment, "mentoring_trainees", 1, row)
                first = False
            if status == "held":
                yield Happening(fact.moment, "mentoring_attended", 1, row)
                yield Happening(fact.moment, "mentoring_minutes", fact.data["minutes"], row)


def _of_assessment(facts: tuple[Fact, ...], rows: Rows) -> Iterator[Happening]:
    submitted = {}
    for fact in facts:
        attempt = (fact.data.get("unit_code"), fact.data.get("attempt"))
        if fact.name == "portfolio.submitted":
            submitted[attempt] = fact.moment
        elif fact.name == "assessment.decided":
            row = rows.at(fact.moment, fact.place)
            days = (day_of(fact.moment) - day_of(submitted[attempt])).days
            yield Happening(fact.moment, "decisions", 1, row)
            yield Happening(fact.moment, "marking_days", days, row)


def course_of(rules: Rules, found: Registration) -> Course:
    """All that stands and happened, whatever the date."""
    rows = Rows(rules, found)
    mentoring, assessment = tuple(found.standing("mentoring")), tuple(found.standing("assessment"))
    happenings = (
        *_of_enrolment(found, rows),
        *_of_mentoring(mentoring, rows),
        *_of_assessment(assessment, rows),
    )
    start = min((fact.moment for fact in (*mentoring, *assessment) if begins(fact)), default=None)
    return Course(start, mentoring, assessment, happenings)


def minimum_met(course: Course, minimum: int) -> Fact | None:
    """The mentoring with which the minimum was reached."""
    held = [fact for fact in course.mentoring if fact.name == "mentoring.held" and fact.data["status"] == "held"]
    return held[minimum - 1] if 0 < minimum <= len(held) else None
