"""The order of facts and the state tables (events.md 4.8 and 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

from senconet.demonstration.judge_rules import LONDON, Rules, day_of

TYPE_ORDER = {"registered": 0, "deferred": 7, "resumed": 8, "completed": 15, "withdrew": 16}
DAY_STARTS = frozenset({"registered", "resumed"})
DAY_ENDS = frozenset({"deferred", "withdrew", "completed"})
Place: TypeAlias = tuple[datetime, int, int, str, str]


def moment(fact: str, at: datetime, data: dict[str, Any]) -> datetime:
    """The moment (UTC) of an event: its time, or where a day's event stands within the London day."""
    if data.get("time_precision") != "day":
        return at
    day = day_of(at)
    if fact in DAY_STARTS:
        clock = time(0)
    elif fact in DAY_ENDS:
        clock = time(23, 59, 59, 999999)
    else:
        clock = time(12)
    return datetime.combine(day, clock, LONDON).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its place in the order of facts; `seq` stands for the time of receipt."""

    name: str
    source: str
    id: str
    time: datetime
    moment: datetime
    seq: int
    data: dict[str, Any]

    @property
    def place(self) -> Place:
        """Moment, type order, received, source, id."""
        return self.moment, TYPE_ORDER[self.name], self.seq, self.source, self.id


@dataclass(frozen=True, slots=True)
class Status:
    """Enrolment's state after some facts: since when, in which cohort, by which withdrawal or deferral."""

    state: str
    since: datetime
    cohort: str
    last: Fact


def _resumed(rules: Rules, status: Status, fact: Fact) -> Status | str:
    if status.state == "registered":
        return "already_in_state"
    if status.state == "withdrawn":
        cohort = rules.cohorts.get(status.cohort)
        days = 0 if cohort is None else cohort.reinstatement_days
        if day_of(fact.time) > day_of(status.last.time) + timedelta(days=days):
            return "reinstatement_closed"
    return Status("registered", fact.moment, fact.data.get("cohort_code", status.cohort), fact)


def step(rules: Rules, status: Status | None, fact: Fact) -> Status | str:
    """The status after the fact, or the code that refuses it. A completion changes nothing."""
    if fact.name == "registered":
        return Status("registered", fact.moment, fact.data["cohort_code"], fact) if status is None else "none"
    if status is None:
        return "registration_unknown"
    match fact.name, status.state:
        case "resumed", _:
            return _resumed(rules, status, fact)
        case ("deferred", "deferred") | ("withdrew", "withdrawn"):
            return "already_in_state"
        case (("deferred" | "completed"), "withdrawn"):
            return "after_withdrawal"
        case "completed", "deferred":
            return "while_deferred"
        case "deferred", _:
            return replace(status, state="deferred", since=fact.moment, last=fact)
        case "withdrew", _:
            return replace(status, state="withdrawn", since=fact.moment, last=fact)
        case _:
            return status


def status_after(rules: Rules, facts: Iterable[Fact]) -> Status | None:
    """The status after facts that are known to stand, in their order."""
    status: Status | None = None
    for fact in facts:
        after = step(rules, status, fact)
        status = status if isinstance(after, str) else after
    return status


def before(facts: Sequence[Fact], place: Place) -> list[Fact]:
    """The facts that stand before a place."""
    return [fact for fact in facts if fact.place < place]


def holds_together(rules: Rules, facts: Iterable[Fact]) -> bool:
    """Whether every fact is legal after those before it."""
    status: Status | None = None
    for fact in facts:
        after = step(rules, status, fact)
        if isinstance(after, str):
            return False
        status = after
    return True
