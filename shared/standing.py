"""What stands: the fold of an owner's accepted facts under a status, and the answers that follow from it. Pure.

A record is accepted if it stands under the status attached to it and nothing falls that stood without it. The same
fold under the newest status gives what is published as standing (design: status and standing).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from shared import clock
from shared.contract import Event
from shared.events.codes import WAITING_AT_OWNER, Problem
from shared.history import (
    Accepted,
    Bound,
    Decision,
    Fact,
    Held,
    History,
    Ledger,
    Name,
    Rejected,
    as_fact,
    find_target,
    reject,
    same_fact,
    same_id,
    would_invalidate,
)
from shared.reference import Cohort, Reference
from shared.status import Period, Status, admits

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a fact is judged by beside the facts before it: the status, the period of its moment, its cohort's rules."""

    status: Status
    period: Period
    cohort: Cohort


class Rules(Protocol[S]):
    """An owner's rules over a state that grows fact by fact."""

    @property
    def nothing(self) -> S:
        """The state before any fact."""
        ...

    def step(self, state: S, fact: Fact, terms: Terms) -> S | Problem:
        """The state after a fact that the status admits, or why it is not legal there."""
        ...

    def warnings(self, state: S, fact: Fact, terms: Terms) -> tuple[str, ...]:
        """What the sender of a fact that stands in this state is warned of."""
        ...


@dataclass(frozen=True, slots=True)
class Standing(Generic[S]):
    """What a fold comes to: the state, the facts that stand, and those set aside, each with its reason."""

    state: S
    facts: tuple[Fact, ...] = ()
    aside: Mapping[Name, Problem] = field(default_factory=dict)


@dataclass(frozen=True)
class Owner(Generic[S]):
    """An owner's rules under the reference data: what stands, and the answer to one handed-on event."""

    rules: Rules[S]
    reference: Reference

    def standing(self, history: History, status: Status | None) -> Standing[S]:
        """What stands of a history: admitted by the status, and legal after what stands before it."""
        version = status.version if status else 0
        if version not in history.folds:
            history.folds[version] = self._fold(history.facts, status)
        found: Standing[S] = history.folds[version]
        return found

    def plus(self, history: History, fact: Fact, status: Status | None) -> History:
        """The history with one more fact; the usual one, which is newest, costs one step and not a fold."""
        longer = history.plus(fact)
        if status is not None and status.version not in longer.folds and history.newest(fact):
            longer.folds[status.version] = self.after(self.standing(history, status), fact, status)
        return longer

    def _fold(self, facts: Iterable[Fact], status: Status | None) -> Standing[S]:
        standing = Standing(self.rules.nothing)
        for fact in facts:
            standing = self.after(standing, fact, status)
        return standing

    def after(self, standing: Standing[S], fact: Fact, status: Status | None) -> Standing[S]:
        """What stands with one more fact behind all others."""
        terms = self._terms(fact, status)
        found = terms if isinstance(terms, Problem) else self.rules.step(standing.state, fact, terms)
        if isinstance(found, Problem):
            return Standing(standing.state, standing.facts, {**standing.aside, fact.name: found})
        return Standing(found, (*standing.facts, fact), standing.aside)

    def _terms(self, fact: Fact, status: Status | None) -> Terms | Problem:
        code = admits(status, fact.sender, fact.kind, fact.moment)
        period = status.at(fact.moment) if status else None
        if status is None or period is None or code is not None:
            return Problem(code or "registration_unknown", "ce_time", _since(period))
        return Terms(status, period, self.reference.cohort(period.cohort, fact.received))

    def decide(self, ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        """The answer to one handed-on event (reference: events 4.3, stages 3, 5, 6 and 7)."""
        if ledger.status is not None and ledger.status.voided:
            return reject("registration_voided", "ce_subject")
        if (known := same_id(bound, ledger, event)) is not None:
            return known
        if event.kind.corrects is not None:
            return self._correct(ledger.history, event)
        fact = as_fact(event)
        return same_fact(ledger.history, fact, event.sender, "ce_type") or self._insert(ledger.history, fact, event)

    def _insert(self, history: History, fact: Fact, event: Event) -> Decision:
        after = self.plus(history, fact, event.attached)
        if not history.newest(fact):
            return self._judge(self.standing(history, event.attached), after, fact, event)
        return self._answer(self.standing(after, event.attached), fact, event)

    def _correct(self, history: History, event: Event) -> Decision:
        target = find_target(history, event)
        if not isinstance(target, Fact):
            return target
        before, after = self.standing(history, event.attached), history.plus(as_fact(event))
        if not event.kind.supersedes:
            return _fallen(before, self.standing(after, event.attached), target, event) or Accepted()
        was, now = (next(f for f in told.facts if f.name == target.name) for told in (history, after))
        if now == was:  # it says nothing new, or an earlier supersede that stands later in order holds
            return Accepted()
        if isinstance(refused := self._terms(now, event.attached), Problem):
            return Rejected((refused,))
        path = "data.replacement"
        return same_fact(history, now, event.sender, path) or _within(path, self._judge(before, after, now, event))

    def _judge(self, before: Standing[S], after: History, fact: Fact, event: Event) -> Decision:
        """Whether a fact stands in a history, and nothing falls that stood without it."""
        now = self.standing(after, event.attached)
        answer = self._answer(now, fact, event)
        return (_fallen(before, now, fact, event) or answer) if isinstance(answer, Accepted) else answer

    def _answer(self, now: Standing[S], fact: Fact, event: Event) -> Decision:
        if (problem := now.aside.get(fact.name)) is not None:
            return Held((problem,)) if problem.code in WAITING_AT_OWNER else Rejected((problem,))
        terms = self._terms(fact, event.attached)
        return Accepted(() if isinstance(terms, Problem) else self.rules.warnings(now.state, fact, terms))


def _since(period: Period | None) -> dict[str, object]:
    return {"since": clock.london_day(period.begins).isoformat()} if period else {}


def _within(path: str, decision: Decision) -> Decision:
    """What is wrong with a replacement, by the paths of the record that brought it."""
    if not isinstance(decision, Held | Rejected):
        return decision
    return replace(decision, problems=tuple(_moved(path, problem) for problem in decision.problems))


def _moved(path: str, problem: Problem) -> Problem:
    given = problem.path or ""
    return replace(problem, path=path + given.removeprefix("data")) if given.startswith("data.") else problem


def _fallen(before: Standing[S], now: Standing[S], but: Fact, event: Event) -> Rejected | None:
    return would_invalidate([f for f in before.facts if f.name in now.aside and f.name != but.name], event)
