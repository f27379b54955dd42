"""Assessment's rules: submissions, decisions and completion, fact by fact. Pure: no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared import clock
from shared.clock import Moment
from shared.events.catalogue import COMPLETED, SUBMITTED
from shared.events.codes import Problem
from shared.history import Fact
from shared.reference import Cohort
from shared.standing import Terms
from shared.states import Attempt, Result

OWNER: Final = "assessment"


@dataclass(frozen=True, slots=True)
class Assessed:
    """What stands of a registration: its attempts in order, its completion, and the units of its cohort."""

    attempts: tuple[Attempt, ...] = ()
    decisions: frozenset[str] = frozenset()
    completed: Moment | None = None
    units: tuple[str, ...] = ()

    def last(self, unit: str) -> Attempt | None:
        """The last attempt at a unit."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.unit_code == unit), None)

    def decided(self, unit: str) -> Attempt | None:
        """The last attempt at a unit that was decided on."""
        return next((a for a in reversed(self.attempts) if a.unit_code == unit and a.outcome), None)

    @property
    def result(self) -> Result | None:
        """Passed if the latest decision on every unit of the cohort says so; None while a unit has none."""
        latest = [self.decided(unit) for unit in self.units]
        if not latest or None in latest:
            return None
        return "passed" if all(attempt and attempt.outcome == "passed" for attempt in latest) else "not_passed"


class AssessmentRules:
    """See `shared.standing.Rules` (reference: events 5, assessment)."""

    nothing: Final = Assessed()

    def step(self, state: Assessed, fact: Fact, terms: Terms) -> Assessed | Problem:
        """One cell of the state table of a unit, or of completion."""
        state = replace(state, units=tuple(terms.cohort.units))
        if fact.kind is COMPLETED:
            return _complete(state, fact, terms.cohort)
        if fact.data["unit_code"] not in state.units:
            detail = {"date": _day(fact.moment.time), "allowed": sorted(state.units)}
            return Problem("code_not_in_list", "data.unit_code", detail)
        if state.completed is not None:
            return Problem("after_completion", "ce_time", {"since": _day(state.completed.time)})
        return _submit(state, fact, terms.cohort) if fact.kind is SUBMITTED else _decide(state, fact)

    def warnings(self, state: Assessed, fact: Fact, terms: Terms) -> tuple[str, ...]:
        """There are none: that the assessor was the mentor is found by reporting."""
        return ()


def _day(at: datetime) -> str:
    return clock.london_day(at).isoformat()


def _submit(state: Assessed, fact: Fact, cohort: Cohort) -> Assessed | Problem:
    """The first attempt, or the one after a referred one; there are so many and no more."""
    unit, attempt = fact.data["unit_code"], fact.data["attempt"]
    last = state.last(unit)
    expected = last.attempt + 1 if last else 1
    if attempt != expected or (last is not None and last.outcome != "referred"):
        detail = {"expected": expected} if last is None or last.outcome == "referred" else {}
        return Problem("attempt_out_of_order", "data.attempt", detail)
    if attempt > cohort.max_attempts:
        return Problem("attempts_exhausted", "data.attempt", {"most": cohort.max_attempts})
    submitted = Attempt(unit_code=unit, attempt=attempt, partner=fact.sender, submitted=fact.moment.time)
    return replace(state, attempts=(*state.attempts, submitted))


def _decide(state: Assessed, fact: Fact) -> Assessed | Problem:
    unit, number = fact.data["unit_code"], fact.data["attempt"]
    found = next((a for a in state.attempts if (a.unit_code, a.attempt) == (unit, number)), None)
    if found is None:
        return Problem("submission_missing", "data.attempt")
    decided = found.model_copy(
        update={
            "decided": fact.moment.time,
            "decided_by": fact.sender,
            "assessor_id": fact.data["assessor_id"],
            "outcome": fact.data["outcome"],
        }
    )
    attempts = tuple(decided if attempt is found else attempt for attempt in state.attempts)
    return replace(state, attempts=attempts, decisions=state.decisions | {fact.id})


def _complete(state: Assessed, fact: Fact, cohort: Cohort) -> Assessed | Problem:
    """A cohort says what a completion requires. Completed is not passed."""
    if cohort.completion_requires != "none" and not _enough(state, fact, cohort):
        return Problem("decision_missing", "ce_type")
    return replace(state, completed=fact.moment)


def _enough(state: Assessed, fact: Fact, cohort: Cohort) -> bool:
    named = fact.data.get("final_decision_id")
    if named is not None and named not in state.decisions:
        return False
    return all(_settled(state.decided(unit), cohort) for unit in cohort.units)


def _settled(latest: Attempt | None, cohort: Cohort) -> bool:
    """Whether the latest decision on a unit is final, or a pass where that is required."""
    if latest is None:
        return False
    if cohort.completion_requires == "pass":
        return latest.outcome == "passed"
    return latest.outcome != "referred" or latest.attempt >= cohort.max_attempts
