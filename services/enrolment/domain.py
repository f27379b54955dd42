"""Enrolment's rules: what the door answers, and what it lets through. Pure: no clock, no I/O.

An event is accepted if, and only if, the history with the event inserted is still legal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.enrolment.life import fold, step
from shared import clock, topics
from shared.contract import Event
from shared.events.catalogue import REGISTERED, RESUMED, WITHDREW
from shared.events.codes import WAITING_AT_DOOR, Problem
from shared.history import (
    Accepted,
    Bound,
    Decision,
    Fact,
    HandedOn,
    Held,
    History,
    Ledger,
    Name,
    Rejected,
    find_target,
    reject,
    same_id,
)
from shared.reference import Reference, Rules
from shared.status import Status, admits

OWNER: Final = "enrolment"

Claim = tuple[str, str, str]
"""Partner, the partner's own reference, cohort: one registration at a time."""


@dataclass(frozen=True)
class Context:
    """What a decision may look at beside the registration's own history.

    `bound` is what source and id are bound to, `claimed` the fact that made a registration of the same partner,
    reference and cohort, `known_setting` and `known_person` what the directory says of the ids in the data.
    """

    reference: Reference
    bound: Bound | None = None
    claimed: Name | None = None
    known_setting: bool = True
    known_person: bool = False


def decide(ledger: Ledger, event: Event, context: Context) -> Decision:
    """The door's answer: final for enrolment's own types, handed on or refused by the status for the others."""
    if event.kind.owner != OWNER:
        return _pass_on(ledger, event, context)
    if (known := same_id(context.bound, ledger, event)) is not None:
        return known
    if event.kind.corrects is not None:
        return _decide_correction(ledger, event, context.reference)
    if event.kind is REGISTERED:
        return _decide_registration(ledger, event, context)
    return _decide_change(ledger, event, context)


def _pass_on(ledger: Ledger, event: Event, context: Context) -> Decision:
    code = admits(ledger.status, event.sender, event.kind, event.moment)
    if code in WAITING_AT_DOOR:
        return same_id(context.bound, ledger, event) or Held((_status_problem(code, ledger, event),))
    if code is not None:
        return Rejected((_status_problem(code, ledger, event),))
    return _cohort_closed(ledger.status, event, context.reference.at(event.received)) or HandedOn()


def _status_problem(code: str, ledger: Ledger, event: Event) -> Problem:
    """A stranger is told nothing of the registration; its own partner is told since when."""
    period = ledger.status.at(event.moment) if ledger.status else None
    if period is None or period.partner != event.sender or code in WAITING_AT_DOOR:
        return Problem(code, "ce_subject", {"date": clock.london_day(event.time).isoformat()})
    return Problem(code, "ce_time", {"since": clock.london_day(period.begins).isoformat()})


def _cohort_closed(status: Status | None, event: Event, rules: Rules) -> Rejected | None:
    """A cohort takes facts until the end of `late_until`, by received time; the lead's corrections always."""
    correction = event.kind.corrects is not None
    if status is None or (correction and event.sender == topics.LEAD):
        return None
    period = status.latest if correction else status.at(event.moment)
    cohort = rules.cohort(period.cohort) if period else None
    if cohort is None or event.received <= clock.end_of_day(cohort.late_until):
        return None
    return reject("cohort_closed", "ce_time", date=cohort.late_until.isoformat())


def _decide_registration(ledger: Ledger, event: Event, context: Context) -> Decision:
    if ledger.status is not None:
        return _second_registration(ledger.status, ledger.history, event)
    if context.claimed is not None:
        return reject("same_fact_exists", "data.partner_ref", first=context.claimed[1])
    if problems := tuple(_ineligible(event, context.reference.at(event.received))):
        return Rejected(problems)
    return Accepted(tuple(_warnings(event, context)))


def _second_registration(status: Status, history: History, event: Event) -> Decision:
    """There is one `registered` of a registration, whatever its date."""
    if status.latest.partner != event.sender:
        return reject("not_your_trainee", "ce_subject", date=clock.london_day(event.time).isoformat())
    if status.voided:
        return reject("registration_voided", "ce_subject")
    period = status.at(event.moment)
    if period is not None and period.state == "withdrawn":
        return reject("use_resume", "ce_type")
    first = next((fact.id for fact in history.accepted if fact.kind is REGISTERED), None)
    return reject("same_fact_exists", "ce_subject", first=first)


def _ineligible(event: Event, rules: Rules) -> Iterator[Problem]:
    """Stage 6 of a registration: cohort, partnership, eligibility."""
    day = clock.london_day(event.time)
    cohort = rules.cohort(event.data["cohort_code"])
    if cohort is None or not rules.partnership(event.sender, cohort.cohort_code, day):
        yield Problem("partnership_not_active", "data.cohort_code", {"date": day.isoformat()})
    if cohort is None:
        return
    if day < cohort.opens:
        yield Problem("time_before_cohort", "ce_time", {"date": cohort.opens.isoformat()})
    if day > cohort.registration_closes:
        yield Problem("cohort_closed", "ce_time", {"date": cohort.registration_closes.isoformat()})
    elif event.received > clock.end_of_day(cohort.late_until):
        yield Problem("cohort_closed", "ce_time", {"date": cohort.late_until.isoformat()})
    if event.data["provider_type"] not in cohort.eligible_provider_types:
        yield Problem("not_eligible", "data.provider_type", {"rule": "type of provider"})
    if cohort.level3_required and not event.data["level3_full_relevant"]:
        yield Problem("not_eligible", "data.level3_full_relevant", {"rule": "a full and relevant level 3"})


def _warnings(event: Event, context: Context) -> Iterator[str]:
    if event.kind is REGISTERED and not context.known_setting:
        yield "place_unknown"
    if event.kind is REGISTERED and context.known_person:
        yield "possible_duplicate_person"


def _decide_change(ledger: Ledger, event: Event, context: Context) -> Decision:
    """Stages 4, 6 and 7 of deferred, resumed and withdrew."""
    rules = context.reference.at(event.received)
    code = admits(ledger.status, event.sender, event.kind, event.moment)
    if code is not None:
        problem = (_status_problem(code, ledger, event),)
        return Held(problem) if code in WAITING_AT_DOOR else Rejected(problem)
    before = [fact for fact in ledger.history.facts if fact.place < _fact(event).place]
    illegal = step(fold(before, context.reference)[0], _fact(event), rules)
    if isinstance(illegal, Problem):
        return Rejected((illegal,))
    if closed := _cohort_closed(ledger.status, event, rules):
        return closed
    if problems := tuple(_new_cohort_problems(ledger.status, event, rules)):
        return Rejected(problems)
    return _insert(ledger.history, event, context.reference)


def _new_cohort_problems(status: Status | None, event: Event, rules: Rules) -> Iterator[Problem]:
    """A return into another cohort needs it open and the partnership."""
    code = event.data.get("cohort_code")
    current = status.at(event.moment) if status else None
    if event.kind is not RESUMED or code is None or current is None or code == current.cohort:
        return
    day = clock.london_day(event.time)
    cohort = rules.cohort(code)
    if cohort is None or not rules.partnership(event.sender, code, day):
        yield Problem("partnership_not_active", "data.cohort_code", {"date": day.isoformat()})
    if cohort is not None and day < cohort.opens:
        yield Problem("time_before_cohort", "ce_time", {"date": cohort.opens.isoformat()})
    if cohort is not None and day > cohort.registration_closes:
        yield Problem("cohort_closed", "ce_time", {"date": cohort.registration_closes.isoformat()})


def _decide_correction(ledger: Ledger, event: Event, reference: Reference) -> Decision:
    code = admits(ledger.status, event.sender, event.kind, event.moment)
    if code == "registration_voided" and event.kind.corrects == REGISTERED.name:
        return reject("already_in_state", "data.target_id", state="Voided")
    if code is not None:
        problem = (Problem(code, "data.target_id"),)
        return Held(problem) if code in WAITING_AT_DOOR else Rejected(problem)
    if closed := _cohort_closed(ledger.status, event, reference.at(event.received)):
        return closed
    target = find_target(ledger.history, event)
    if not isinstance(target, Fact):
        return target
    if target.kind is REGISTERED:
        return _void_registration(ledger, event)
    rest = [fact for fact in ledger.history.facts if fact.name != target.name]
    return _would_invalidate(fold(rest, reference)[1], event) or Accepted()


def _void_registration(ledger: Ledger, event: Event) -> Decision:
    """In `registered`, or where nothing but withdrawals stands beside it."""
    assert ledger.status is not None
    others = [fact for fact in ledger.history.facts if fact.kind is not REGISTERED]
    only_withdrawals = all(fact.kind is WITHDREW for fact in others)
    if ledger.status.latest.state == "registered" or only_withdrawals:
        return Accepted()
    return _would_invalidate(others, event) or Accepted()


def _insert(history: History, event: Event, reference: Reference) -> Decision:
    """Whether the history with the event in its place is still legal; if not, which later facts would fall."""
    facts = sorted((*history.facts, _fact(event)), key=lambda fact: fact.place)
    return _would_invalidate(fold(facts, reference)[1], event) or Accepted()


def _would_invalidate(fallen: Sequence[Fact], event: Event) -> Rejected | None:
    if not fallen:
        return None
    own = sorted(fact.id for fact in fallen if fact.sender == event.sender)
    return reject("would_invalidate", "ce_time", count=len(fallen), ids=own)


def fact_of(event: Event, kept: Mapping[str, Any]) -> Fact:
    """The fact that an accepted event becomes, with the data that may be kept of it."""
    return Fact(event.kind, event.sender, event.source, event.id, event.moment, event.received, kept)


def _fact(event: Event) -> Fact:
    return fact_of(event, event.data)
