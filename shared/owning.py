"""What follows from an owner's decisions: facts with whole states, facts set aside and restored, and their notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from pydantic import BaseModel

from shared.contract import Event
from shared.handover import StatusChange
from shared.history import Bound, Decision, Fact, Ledger, as_fact
from shared.judging import Change
from shared.messages import Message, derived_message, fact_message, notice
from shared.reference import Cohort
from shared.standing import Owner
from shared.status import Status

SET_ASIDE: Final = "fact_set_aside"
RESTORED: Final = "fact_restored"
CHANGED: Final = "state_changed"

S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


CohortOf = Callable[[str], Cohort]
"""The rules of a cohort, by its code."""


class Publish(Protocol[S_contra]):
    """What a service tells of a registration: a whole state, made of what stands and the newest status."""

    def __call__(self, state: S_contra, status: Status | None, cohort: CohortOf, version: int) -> BaseModel:
        """The state to publish under a version; cohorts are as they are in force when it is made."""
        ...


class OwnerJudge(Generic[S]):
    """The judge of a service that owns facts under enrolment's status. See `shared.judging.Judge`."""

    def __init__(self, service: str, owner: Owner[S], publish: Publish[S]) -> None:
        self.service = service
        self._owner = owner
        self._publish = publish

    def ruleversion(self, received: datetime) -> str:
        """The label of the rules that hold for what was received then."""
        return self._owner.reference.at(received).ruleversion

    def decide(self, ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        """The owner's answer."""
        return self._owner.decide(ledger, event, bound)

    def accept(self, ledger: Ledger, event: Event, decided: datetime) -> Change:
        """The fact, with what stands after it under the newest status."""
        fact = as_fact(event)
        history = self._owner.plus(ledger.history, fact, ledger.status)
        after = replace(ledger, history=history, version=ledger.version + 1, decided=decided)
        state = self._state(after, after.version, event.received)
        rules = self.ruleversion(event.received)
        told = fact_message(self.service, event.registration, fact, state, decided, rules, after.version)
        return Change(after, (told, *self._notices(ledger, after, {"type": event.kind.name}, decided)), fact)

    def observe(self, ledger: Ledger, change: StatusChange, decided: datetime) -> Change:
        """A newer status may set facts aside, or restore them. An older one says nothing new."""
        if ledger.status is not None and change.status.version <= ledger.status.version:
            return Change(ledger)
        after = replace(ledger, status=change.status)
        state = self._state(after, ledger.version + 1, change.received)
        if self._state(ledger, ledger.version + 1, change.received) == state:
            return Change(after)
        after = replace(after, version=ledger.version + 1, decided=decided)
        notices = tuple(self._notices(ledger, after, change.cause, decided))
        told = derived_message(
            self.service,
            ledger.registration,
            self._name(ledger, after),
            change.cause,
            state,
            decided,
            after.version,
        )
        return Change(after, (told, *notices))

    def hand_on(self, ledger: Ledger, event: Event) -> Message:
        """An owner answers all that it is given."""
        raise AssertionError(f"{self.service} hands nothing on")

    def _state(self, ledger: Ledger, version: int, received: datetime) -> BaseModel:
        cohort = partial(self._owner.reference.cohort, received=received)
        return self._publish(self._standing(ledger).state, ledger.status, cohort, version)

    def _standing(self, ledger: Ledger) -> Any:
        return self._owner.standing(ledger.history, ledger.status)

    def _name(self, before: Ledger, after: Ledger) -> str:
        stood, stand = self._standing(before).aside.keys(), self._standing(after).aside.keys()
        return SET_ASIDE if stand - stood else RESTORED if stood - stand else CHANGED

    def _notices(self, before: Ledger, after: Ledger, cause: Mapping[str, Any], decided: datetime) -> Iterator[Message]:
        """A notice for each fact that stood and does not, or the other way, apart from what was voided."""
        was, now = self._standing(before).aside, self._standing(after).aside
        if not was and not now:
            return
        for fact in after.history.facts:
            if (problem := now.get(fact.name)) is not None and fact.name not in was:
                yield self._notice(SET_ASIDE, fact, after, {**_shown(cause, fact), "code": problem.code}, decided)
            elif problem is None and fact.name in was:
                yield self._notice(RESTORED, fact, after, _shown(cause, fact), decided)

    def _notice(self, name: str, fact: Fact, ledger: Ledger, cause: Mapping[str, Any], decided: datetime) -> Message:
        return notice(self.service, name, fact, ledger.registration, cause, decided, ledger.version)


def _shown(cause: Mapping[str, Any], fact: Fact) -> dict[str, Any]:
    """The cause as the fact's sender may see it: another sender's event is not named."""
    return dict(cause) if cause.get("partner") == fact.sender else {"type": cause["type"]}
