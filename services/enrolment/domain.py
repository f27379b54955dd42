"""Enrolment's rules: what the door answers, and what it lets through. Pure: no clock, no I/O.

An event is accepted if, and only if, the history with the event inserted is still legal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from services.enrolment import transfer
from services.enrolment.eligibility import closed, ineligible, no_return
from services.enrolment.life import REGISTRATION_VOIDED, Folded, Life, before_void, fold, step
from shared import clock, topics
from shared.contract import Event
from shared.events.catalogue import ACCEPTED, ANSWERS, OFFERED, REGISTERED, RESUMED, WITHDREW
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
    as_fact,
    find_target,
    reject,
    same_fact,
    same_id,
    superseded,
    would_invalidate,
)
from shared.reference import Reference, Rules
from shared.status import Status, admits

OWNER: Final = "enrolment"

# What the history alone refuses: said only where nothing else speaks against an event (reference: events 4.3).
_LAST: Final = frozenset({"transfer_pending"})


@dataclass(frozen=True)
class Context:
    """What a decision may look at beside the registration's own history.

    `bound` is what source and id are bound to, `claimed` the fact that claimed for another registration what this
    one would claim (partner, reference and cohort), `known_setting` and `known_person` what the directory says of
    the ids in the data.
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
        return _decide_correction(ledger, event, context)
    if event.kind is REGISTERED:
        return _decide_registration(ledger, event, context)
    return _decide_change(ledger, event, context)


def _pass_on(ledger: Ledger, event: Event, context: Context) -> Decision:
    refusal = _admission(ledger, event, context.reference)
    if refusal is not None and refusal.code in WAITING_AT_DOOR:
        return same_id(context.bound, ledger, event) or Held((refusal,))
    if refusal is not None:
        return Rejected((refusal,))
    return _cohort_closed(ledger.status, event, context.reference.at(event.received)) or HandedOn()


def _admission(ledger: Ledger, event: Event, reference: Reference) -> Problem | None:
    """Why the status does not admit an event. A stranger is told nothing; its own partner is told since when."""
    status = ledger.status
    code = admits(status, event.sender, event.kind, event.moment)
    if code == "registration_voided" and event.kind.corrects is None:
        code = _of_voided(ledger.history, event, reference)
    if code is None:
        return None
    if event.kind.corrects is not None:
        return Problem(code, "data.target_id")
    period = status.at(event.moment) if status else None
    if period is None or period.partner != event.sender or code in WAITING_AT_DOOR:
        return Problem(code, "ce_subject", {"date": clock.london_day(event.time).isoformat()})
    return Problem(code, "ce_time", {"since": clock.london_day(period.begins).isoformat()})


def _of_voided(history: History, event: Event, reference: Reference) -> str:
    """Who had the registration then, or may answer an offer of it, hears that it is voided; others are strangers.

    Of an answer's moment its sender need not have had the registration: that it had it once is enough.
    """
    fact, told = as_fact(event), before_void(history)
    life = fold(told.facts, reference).life
    if life.owner(fact.moment) == fact.sender:
        return "registration_voided"
    if fact.kind not in ANSWERS:
        return "registration_voided" if fact.sender == topics.LEAD else "not_your_trainee"
    offer = _life_before(fact, told, reference).offer
    known = fact.sender in life.owners or (offer is not None and offer.awaits(fact))
    return "registration_voided" if known else "transfer_not_offered"


def _cohort_closed(status: Status | None, event: Event, rules: Rules) -> Rejected | None:
    """The last of stage 4. The lead's corrections are always taken; a stranger's one finds nothing to correct."""
    correction = event.kind.corrects is not None
    if status is None or (correction and not status.has_been_with(event.sender)):
        return None
    period = status.latest if correction else status.at(event.moment)
    return closed(rules, period.cohort, event.received) if period else None


def _decide_registration(ledger: Ledger, event: Event, context: Context) -> Decision:
    if ledger.status is not None:
        return _second_registration(ledger.status, ledger.history, event)
    rules = context.reference.at(event.received)
    if late := closed(rules, event.data["cohort_code"], event.received):
        return late
    if context.claimed is not None:
        return reject("same_fact_exists", "data.partner_ref", first=context.claimed[1])
    if problems := tuple(ineligible(as_fact(event), rules, "data")):
        return Rejected(problems)
    return Accepted(tuple(_warnings(context)))


def _second_registration(status: Status, history: History, event: Event) -> Decision:
    """There is one `registered` of a registration, whatever its date."""
    first = next(fact for fact in history.accepted if fact.kind is REGISTERED)
    if first.sender != event.sender:
        return reject("not_your_trainee", "ce_subject", date=clock.london_day(event.time).isoformat())
    if status.voided:
        return reject("registration_voided", "ce_subject")
    period = status.at(event.moment)
    if period is not None and period.state == "withdrawn" and period.partner == event.sender:
        return reject("use_resume", "ce_type")
    return reject("same_fact_exists", "ce_subject", first=first.id)


def _warnings(context: Context) -> Iterator[str]:
    if not context.known_setting:
        yield "place_unknown"
    if context.known_person:
        yield "possible_duplicate_person"


def _decide_change(ledger: Ledger, event: Event, context: Context) -> Decision:
    """Stages 4 to 7 of deferred, resumed and withdrew, and of a transfer's offer and answers."""
    reference, rules = context.reference, context.reference.at(event.received)
    if (refusal := _admission(ledger, event, reference)) is not None:
        return _refused(refusal)
    fact = as_fact(event)
    life = _life_before(fact, ledger.history, reference)
    after = step(life, fact, rules)
    if isinstance(after, Problem) and after.code not in _LAST:
        return _refused(after)
    if late := _cohort_closed(ledger.status, event, rules):
        return late
    if taken := _taken(ledger.history, fact, context, "data"):
        return taken
    if problems := tuple(_unfit(life, ledger.status, fact, rules, "data")):
        return Rejected(problems)
    if isinstance(after, Problem):
        return Rejected((after,))
    if event.kind is ACCEPTED and (conflict := _date_conflict(ledger.history, after, event)):
        return conflict
    return _answer(fold(ledger.history.plus(fact).facts, reference), fact, event, context)


def _life_before(fact: Fact, history: History, reference: Reference) -> Life:
    """The life up to a fact's place, without it."""
    before = (other for other in history.facts if other.place < fact.place and other.name != fact.name)
    return fold(before, reference).life


def _refused(problem: Problem) -> Held | Rejected:
    return Held((problem,)) if problem.code in WAITING_AT_DOOR else Rejected((problem,))


def _taken(history: History, fact: Fact, context: Context, path: str) -> Rejected | None:
    """Stage 5: a reference is claimed once, and a transfer offered once."""
    if context.claimed is not None:
        return reject("same_fact_exists", f"{path}.partner_ref", first=context.claimed[1])
    return same_fact(history, fact, fact.sender, f"{path}.transfer_id")


def _unfit(life: Life, status: Status | None, fact: Fact, rules: Rules, path: str) -> Iterator[Problem]:
    """Stage 6: what cohort and partnership ask of a fact in its place."""
    owner = status.at(fact.moment) if status else None
    if fact.kind is REGISTERED:
        yield from ineligible(fact, rules, path)
    elif fact.kind is RESUMED and life.states:
        yield from no_return(fact, life.states[-1].cohort, rules, path)
    elif fact.kind is OFFERED and owner is not None:
        yield from transfer.invalid(fact, owner, rules)


def _date_conflict(history: History, after: Life, event: Event) -> Rejected | None:
    """The losing partner has told what would not be its to tell any more; its ids are told to nobody else."""
    assert after.offer is not None
    found = transfer.conflicts(history, after.offer)
    own = sorted(fact.id for fact in found if fact.sender == event.sender)
    day = clock.london_day(after.offer.effective).isoformat()
    return reject("transfer_date_conflict", "data.transfer_id", date=day, ids=own) if found else None


def _decide_correction(ledger: Ledger, event: Event, context: Context) -> Decision:
    reference = context.reference
    refusal = _admission(ledger, event, reference)
    if refusal is not None and refusal.code == "registration_voided" and event.kind is REGISTRATION_VOIDED:
        return reject("already_in_state", "data.target_id", state="Voided")
    if refusal is not None:
        return _refused(refusal)
    if late := _cohort_closed(ledger.status, event, reference.at(event.received)):
        return late
    target = find_target(ledger.history, event)
    if not isinstance(target, Fact):
        return target
    if event.kind.supersedes:
        return _supersede(ledger, target, event, context)
    if target.kind is REGISTERED:
        return _void_registration(ledger, event)
    return _answer(fold(ledger.history.plus(as_fact(event)).facts, reference), target, event, context)


def _supersede(ledger: Ledger, target: Fact, event: Event, context: Context) -> Decision:
    """A fact in its new form passes what a record of its type passes at its place."""
    correction, path = as_fact(event), "data.replacement"
    after = ledger.history.plus(correction)
    if after.replacing(target.name) != correction:
        return Accepted()  # another supersede stands later in the order, and holds
    told = superseded(target, correction)
    now = fold(after.facts, context.reference)
    if (code := _no_place(told, ledger.status, now.life)) is not None:
        return _refused(Problem(code, "data.replacement_time"))
    if own := next((problem for fallen, problem in now.fallen if fallen.name == told.name), None):
        return _refused(replace(own, path="data.replacement_time"))
    rules = context.reference.at(event.received)
    if late := _replacement_late(told, event, rules):
        return late
    if taken := _taken(ledger.history, told, context, path):
        return taken
    life = _life_before(told, ledger.history, context.reference)
    if problems := tuple(_unfit(life, ledger.status, told, rules, path)):
        return Rejected(problems)
    return _answer(now, told, event, context)


def _no_place(told: Fact, status: Status | None, life: Life) -> str | None:
    """Why a fact may not stand where a correction puts it; a registration that has moved on no longer begins late."""
    if told.kind is REGISTERED:
        return None if life.owner(told.moment) == told.sender else "not_your_trainee"
    return admits(status, told.sender, told.kind, told.moment)


def _replacement_late(told: Fact, event: Event, rules: Rules) -> Rejected | None:
    """The cohort into which a registration is moved takes facts still; the lead's corrections are always taken."""
    if told.kind is not REGISTERED or event.sender == topics.LEAD:
        return None
    return closed(rules, told.data["cohort_code"], event.received)


def _void_registration(ledger: Ledger, event: Event) -> Decision:
    """In `registered`, or where nothing but withdrawals stands beside it."""
    assert ledger.status is not None
    others = [fact for fact in ledger.history.facts if fact.kind is not REGISTERED]
    if ledger.status.latest.state == "registered" or all(fact.kind is WITHDREW for fact in others):
        return Accepted()
    return would_invalidate(others, event) or Accepted()


def _answer(now: Folded, fact: Fact, event: Event, context: Context) -> Decision:
    """Accepted, unless facts that stood would fall; all that enrolment has accepted stands."""
    fallen = [other for other, _ in now.fallen if other.name != fact.name]
    return would_invalidate(fallen, event) or Accepted(tuple(_warnings(context)))
