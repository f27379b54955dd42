"""Assessment's rules: completion, and which of its facts stand under a status. Pure: no clock, no I/O.

A record is accepted if it stands under the status attached to it and nothing falls that stood without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contract import Event
from shared.events.catalogue import COMPLETED
from shared.events.codes import Problem
from shared.history import Accepted, Bound, Decision, Fact, Held, History, Ledger, Name, find_target, reject, same_id
from shared.status import Completion, Status, admits

OWNER = "assessment"


def decide(ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
    """The owner's answer to one handed-on event (reference: events 4.3, stages 3, 5 and 7)."""
    if admits(ledger.status, event.sender, event.kind, event.moment) == "registration_voided":
        return reject("registration_voided", "ce_subject")
    if (known := same_id(bound, ledger, event)) is not None:
        return known
    if event.kind.corrects is not None:
        target = find_target(ledger.history, event)
        return Accepted() if isinstance(target, Fact) else target
    first = next((fact for fact in ledger.history.facts if fact.kind is COMPLETED), None)
    if first is not None:
        return reject("same_fact_exists", "ce_type", first=first.id if first.sender == event.sender else None)
    code = admits(event.attached, event.sender, event.kind, event.moment)
    return Held((Problem(code, "ce_time"),)) if code else Accepted()


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that stand under a status, and those that are set aside with the code that refuses them."""

    facts: tuple[Fact, ...]
    aside: Mapping[Name, str]


def standing(history: History, status: Status | None) -> Standing:
    """Standing facts are a pure function of the facts accepted and the newest status."""
    codes = [(fact, admits(status, fact.sender, fact.kind, fact.moment)) for fact in history.facts]
    return Standing(
        tuple(fact for fact, code in codes if code is None),
        {fact.name: code for fact, code in codes if code is not None},
    )


def completion(facts: tuple[Fact, ...], version: int) -> Completion:
    """What is published of a registration."""
    found = next((fact for fact in facts if fact.kind is COMPLETED), None)
    return Completion(version=version, completed=found.moment.time if found else None)
