"""Assessment's rules over what was loaded for one batch, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.assessment import domain
from shared.contract import Event
from shared.handover import StatusChange
from shared.history import Bound, Decision, Fact, Ledger
from shared.judging import Change
from shared.messages import Message, derived_message, fact_message, notice
from shared.reference import Reference

SET_ASIDE: Final = "fact_set_aside"
RESTORED: Final = "fact_restored"


class AssessmentJudge:
    """See `shared.judging.Judge`."""

    service = domain.OWNER

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def ruleversion(self, received: datetime) -> str:
        """The label of the rules that hold for what was received then."""
        return self._reference.at(received).ruleversion

    def decide(self, ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        """The owner's answer."""
        return domain.decide(ledger, event, bound)

    def accept(self, ledger: Ledger, event: Event, decided: datetime) -> Change:
        """The fact, with what stands after it under the newest status."""
        fact = Fact(event.kind, event.sender, event.source, event.id, event.moment, event.received, event.data)
        history = ledger.history.plus(fact)
        after = replace(ledger, history=history, version=ledger.version + 1, decided=decided)
        state = _state(after)
        rules = self.ruleversion(event.received)
        told = fact_message(self.service, event.registration, fact, state, decided, rules, after.version)
        return Change(after, (told, *self._moves(ledger, after, {"type": event.kind.name}, decided)), fact)

    def observe(self, ledger: Ledger, change: StatusChange, decided: datetime) -> Change:
        """A newer status sets facts aside, or restores them. An older one says nothing new."""
        if ledger.status is not None and change.status.version <= ledger.status.version:
            return Change(ledger)
        after = replace(ledger, status=change.status)
        before, now = _stands(ledger), _stands(after)
        if before == now:
            return Change(after)
        after = replace(after, version=ledger.version + 1, decided=decided)
        name = SET_ASIDE if before - now else RESTORED
        told = derived_message(
            self.service, ledger.registration, name, change.cause, _state(after), decided, after.version
        )
        return Change(after, (told, *self._moves(ledger, after, change.cause, decided)))

    def hand_on(self, ledger: Ledger, event: Event) -> Message:
        """Assessment answers all that it is given."""
        raise AssertionError("assessment hands nothing on")

    def _moves(self, before: Ledger, after: Ledger, cause: Mapping[str, Any], decided: datetime) -> tuple[Message, ...]:
        """A notice for each fact that stood and does not, or the other way, apart from what was voided."""
        aside = domain.standing(after.history, after.status).aside
        stood = _stands(before)
        known = {fact.name for fact in before.history.facts}
        messages = []
        for fact in after.history.facts:
            code = aside.get(fact.name)
            if code and (fact.name in stood or fact.name not in known):
                told = {**_shown(cause, fact), "code": code}
                messages.append(self._notice(SET_ASIDE, fact, after, told, decided))
            elif not code and fact.name in known and fact.name not in stood:
                messages.append(self._notice(RESTORED, fact, after, _shown(cause, fact), decided))
        return tuple(messages)

    def _notice(self, name: str, fact: Fact, ledger: Ledger, cause: Mapping[str, Any], decided: datetime) -> Message:
        return notice(self.service, name, fact, ledger.registration, cause, decided, ledger.version)


def _stands(ledger: Ledger) -> frozenset[tuple[str, str]]:
    return frozenset(fact.name for fact in domain.standing(ledger.history, ledger.status).facts)


def _state(ledger: Ledger) -> dict[str, Any]:
    facts = domain.standing(ledger.history, ledger.status).facts
    return domain.completion(facts, ledger.version).model_dump(mode="json")


def _shown(cause: Mapping[str, Any], fact: Fact) -> dict[str, Any]:
    """The cause as the fact's sender may see it: another sender's event is not named."""
    return dict(cause) if cause.get("partner") == fact.sender else {"type": cause["type"]}
