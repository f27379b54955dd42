"""The life of a registration: the state table of enrolment's own facts, and the periods that they make. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from shared import clock
from shared.events.catalogue import DEFERRED, REGISTERED, RESUMED, WITHDREW
from shared.events.codes import Problem
from shared.history import Fact, History
from shared.reference import Reference, Rules
from shared.status import Period


def fold(facts: Sequence[Fact], reference: Reference) -> tuple[tuple[Period, ...], tuple[Fact, ...]]:
    """The periods that facts in order make, and those facts that are illegal after the ones that stand."""
    periods: tuple[Period, ...] = ()
    fallen: list[Fact] = []
    for fact in facts:
        period = step(periods, fact, reference.at(fact.received))
        if isinstance(period, Problem):
            fallen.append(fact)
        else:
            periods = (*periods, period)
    return periods, tuple(fallen)


def step(periods: tuple[Period, ...], fact: Fact, rules: Rules) -> Period | Problem:
    """One cell of the state table (reference: events 5): the period that a fact begins, or its code."""
    current = periods[-1] if periods else None
    if fact.kind is REGISTERED:
        return _opened(fact) if current is None else Problem("same_fact_exists")
    if current is None:
        return Problem("registration_unknown")
    since = {"since": clock.london_day(current.begins).isoformat(), "state": current.state.capitalize()}
    match fact.kind.name, current.state:
        case DEFERRED.name, "registered":
            return _next(current, fact, "deferred", fact.data["reason"])
        case DEFERRED.name, "withdrawn":
            return Problem("after_withdrawal", "ce_time", since)
        case RESUMED.name, "withdrawn" if (until := _return_until(current, rules)) < clock.london_day(fact.moment.time):
            return Problem("reinstatement_closed", "ce_time", {"until": until.isoformat()})
        case RESUMED.name, "deferred" | "withdrawn":
            return _next(current, fact, "registered", None)
        case WITHDREW.name, "registered" | "deferred":
            return _next(current, fact, "withdrawn", fact.data["reason"])
    return Problem("already_in_state", "ce_time", since)


def _opened(fact: Fact) -> Period:
    return Period(
        begins=fact.moment.time,
        order=fact.moment.order,
        state="registered",
        partner=fact.sender,
        cohort=fact.data["cohort_code"],
        setting_key=fact.data.get("setting_key", ""),
        provider_type=fact.data["provider_type"],
    )


def _next(current: Period, fact: Fact, state: str, reason: str | None) -> Period:
    cohort = fact.data.get("cohort_code") or current.cohort
    return current.model_copy(
        update={
            "begins": fact.moment.time,
            "order": fact.moment.order,
            "state": state,
            "cohort": cohort,
            "reason": reason,
            "reason_group": fact.data.get("reason_group") if reason else None,
        }
    )


def _return_until(current: Period, rules: Rules) -> date:
    """The last London day on which a withdrawn trainee may return; without a cohort's rules there is no bound."""
    cohort = rules.cohort(current.cohort)
    if cohort is None:
        return date.max
    return clock.london_day(current.begins) + timedelta(days=cohort.reinstatement_days)


def periods_of(history: History, reference: Reference) -> tuple[Period, ...]:
    """The periods of a registration's status after all its accepted facts.

    A voided registration has one: voided, since the time of the void, though it admits nothing of any date.
    """
    first = next((fact for fact in history.accepted if fact.kind is REGISTERED), None)
    void = next((fact for fact in history.accepted if first and fact.target == first.name), None)
    if first is not None and void is not None:
        taken_back = {"state": "voided", "begins": void.moment.time, "order": void.moment.order}
        return (_opened(first).model_copy(update=taken_back),)
    return fold(history.facts, reference)[0]
