"""What is counted of a registration in the row of its state as at a date (rules of the figures)."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from senconet.demonstration.judge_history import Fact
from senconet.demonstration.judge_moments import Course
from senconet.demonstration.judge_rules import Rules, day_of
from senconet.demonstration.judge_shown import View


def months_later(day: date, months: int) -> date:
    """So many calendar months later: the same day of the month, or the month's last."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class AsAt:
    """A registration as at the end of a London day: its view, and its start if that lies before."""

    view: View
    course: Course
    day: date
    until: datetime

    @property
    def start(self) -> date | None:
        """The London day of the start."""
        start = self.course.start
        return None if start is None or start >= self.until else day_of(start)

    @property
    def days(self) -> int | None:
        """Days from start to completion."""
        start = self.start
        done = self.view.state == "completed" and start is not None
        return (day_of(self.view.since) - start).days if done and start is not None else None


def state_measures(rules: Rules, found: AsAt) -> Counter[str]:
    """The measures of one registration."""
    names = ["registrations", _state(found)]
    start = found.start
    if start is not None:
        names.append("starts")
        names += _windows(found, start)
    if found.view.state == "withdrawn":
        names.append(_stage(found, start))
    if found.view.state == "completed":
        names += _outcome(rules, found)
    counts = Counter(names)
    if found.days is not None:
        counts["days_counted"], counts["days_total"] = 1, found.days
    return counts


def _state(found: AsAt) -> str:
    if found.view.state == "registered":
        return "not_started" if found.start is None else "in_training"
    return found.view.state


def _windows(found: AsAt, start: date) -> Iterable[str]:
    """The windows that have closed, and whether the completion lies within."""
    for months in (4, 6):
        end = months_later(start, months)
        if end <= found.day:
            yield f"window_{months}_closed"
            if found.view.state == "completed" and day_of(found.view.since) <= end:
                yield f"completed_within_{months}"


def _stage(found: AsAt, start: date | None) -> str:
    """When in its course a withdrawal came."""
    began, left = found.course.start, day_of(found.view.since)
    if start is None or began is None or began > found.view.since:
        return "withdrawn_before_start"
    stages = (f"withdrawn_month_{n}" for n in (1, 2, 3) if left < months_later(start, n))
    return next(stages, "withdrawn_month_4_on")


def _outcome(rules: Rules, found: AsAt) -> Iterable[str]:
    """Of a completion: whether each unit has a decision, and what the last ones say."""
    cohort = rules.cohorts.get(found.view.cohort)
    units = () if cohort is None else cohort.units
    facts = [fact for fact in found.course.assessment if fact.moment < found.until]
    latest: dict[str, Fact] = {
        fact.data["unit_code"]: fact for fact in facts if fact.name == "assessment.decided"
    }  # in their order, so that the last one stays
    if not units or any(unit not in latest for unit in units):
        return
    yield "with_outcome"
    passed = [latest[unit] for unit in units if latest[unit].data["outcome"] == "passed"]
    if len(passed) == len(units):
        yield "passed"
        if all(fact.data["attempt"] == 1 for fact in passed):
            yield "passed_first_time"
    if any(fact.name == "portfolio.submitted" and fact.data["attempt"] > 1 for fact in facts):
        yield "resubmitted"
