"""Mentoring's and assessment's facts under enrolment's history: which stand, and why the others do not.

A fact that an owner accepted stays with its key and its place. Whether it stands follows from enrolment's
history as it is now, and from the owner's facts that stand before it (events.md 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from senconet.demonstration.judge_history import Fact, FactKey, History
from senconet.demonstration.judge_rules import Cohort, Rules

Fallen: TypeAlias = dict[FactKey, str]  # facts that do not stand, each with the code that it would be refused with
Attempt: TypeAlias = tuple[str, int]  # unit, attempt

SAME: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "session.attended": lambda data: (data["session_id"],),
    "mentoring.held": lambda data: (data["mentoring_id"],),
    "portfolio.submitted": lambda data: (data["unit_code"], data["attempt"]),
    "assessment.decided": lambda data: (data["unit_code"], data["attempt"]),
    "completed": lambda data: (),
    "transfer.offered": lambda data: (data["transfer_id"],),
}  # within a registration; what is not named can be said again


def same_fact(fact: Fact, others: Sequence[Fact]) -> bool:
    """Whether another fact says the same under another id."""
    key = SAME.get(fact.name)
    if key is None:
        return False
    wanted = key(fact.data)
    return any(other.name == fact.name and key(other.data) == wanted for other in others)


def mentoring_fallen(rules: Rules, history: History, facts: Sequence[Fact]) -> Fallen:
    """Sessions and mentoring stand if they are admitted; a mentor also, unless beside another."""
    fallen: Fallen = {}
    mentored_in: int | None = None  # the partner's period in which the latest mentor was assigned
    for fact in facts:
        code = history.admits(fact)
        if fact.name == "mentor.assigned" and code is None:
            period = history.period_at(fact.place)
            if not fact.data["ends_previous"] and mentored_in == period:
                code = "already_in_state"
            else:
                mentored_in = period
        if code is not None:
            fallen[fact.key] = code
    return fallen


@dataclass(slots=True)
class Progress:
    """Assessment's state of a registration: the latest submission and decision of each unit, the completion."""

    submitted: dict[str, Fact] = field(default_factory=dict)
    decided: dict[str, Fact] = field(default_factory=dict)  # of the latest submission; none while it waits
    latest: dict[str, Fact] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    completed: bool = False

    def submit(self, fact: Fact, cohort: Cohort | None) -> str | None:
        """Takes a submission, or gives the code that refuses it."""
        unit, attempt = fact.data["unit_code"], fact.data["attempt"]
        previous, decided = self.submitted.get(unit), self.decided.get(unit)
        if self.completed:
            return "after_completion"
        if previous is None:
            expected = 1
        elif decided is not None and decided.data["outcome"] == "referred":
            expected = previous.data["attempt"] + 1
        else:
            return "attempt_out_of_order"
        if attempt != expected:
            return "attempt_out_of_order"
        if cohort is not None and attempt > cohort.max_attempts:
            return "attempts_exhausted"
        self.submitted[unit] = fact
        self.decided.pop(unit, None)
        return None

    def decide(self, fact: Fact) -> str | None:
        """Takes a decision, or gives the code that refuses it or lets it wait."""
        unit = fact.data["unit_code"]
        submitted = self.submitted.get(unit)
        if self.completed:
            return "after_completion"
        if submitted is None or submitted.data["attempt"] != fact.data["attempt"] or unit in self.decided:
            return "submission_missing"
        self.decided[unit] = self.latest[unit] = fact
        self.ids.add(fact.id)
        return None

    def complete(self, fact: Fact, cohort: Cohort | None) -> str | None:
        """Takes a completion, or lets it wait."""
        if cohort is not None and cohort.completion_requires != "none":
            if any(not _settled(cohort, self.latest.get(unit)) for unit in cohort.units):
                return "decision_missing"
            if fact.data.get("final_decision_id", "") not in self.ids | {""}:
                return "decision_missing"
        self.completed = True
        return None


def _settled(cohort: Cohort, decision: Fact | None) -> bool:
    """Whether a unit's latest decision is enough for the cohort's completions."""
    if decision is None:
        return False
    outcome = decision.data["outcome"]
    if cohort.completion_requires == "pass":
        return bool(outcome == "passed")
    return outcome != "referred" or bool(decision.data["attempt"] >= cohort.max_attempts)


def assessment_fallen(rules: Rules, history: History, facts: Sequence[Fact]) -> Fallen:
    """Submissions and decisions of the cohort's units, and the completion, each judged after what stands before it."""
    fallen: Fallen = {}
    progress = Progress()
    for fact in facts:
        code = history.admits(fact)
        if code is None:
            status = history.status_at(fact.place)
            cohort = None if status is None else rules.cohorts.get(status.cohort)
            if cohort is not None and fact.data.get("unit_code", cohort.units[0]) not in cohort.units:
                code = "code_not_in_list"
            elif fact.name == "portfolio.submitted":
                code = progress.submit(fact, cohort)
            elif fact.name == "assessment.decided":
                code = progress.decide(fact)
            else:
                code = progress.complete(fact, cohort)
        if code is not None:
            fallen[fact.key] = code
    return fallen


FALLEN: dict[str, Callable[[Rules, History, Sequence[Fact]], Fallen]] = {
    "mentoring": mentoring_fallen,
    "assessment": assessment_fallen,
}


def fallen_of(rules: Rules, history: History, facts: Sequence[Fact], service: str) -> Fallen:
    """What of a service's facts (in their order) does not stand."""
    return FALLEN[service](rules, history, facts)
