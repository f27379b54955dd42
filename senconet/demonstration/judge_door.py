"""Stages 3 to 7 for each kind of event: what is accepted, refused or held (events.md 4 to 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from senconet.demonstration.judge_history import (
    ACCEPTED,
    ANSWERS,
    OFFERED,
    Fact,
    History,
    holds_together,
    midnight,
    offer_of,
    ordered,
    step,
    transfer_code,
)
from senconet.demonstration.judge_owners import Fallen, fallen_of, same_fact
from senconet.demonstration.judge_rules import day_of
from senconet.demonstration.judge_world import (
    ENROLMENT,
    Event,
    Registration,
    World,
    registration_claim,
    superseded,
    transfer_claim,
)
from senconet.demonstration.model import LEAD


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accept, reject or hold, with the codes of the latter two; accepted by an owner: what then does not stand."""

    kind: Literal["accept", "reject", "hold"]
    codes: frozenset[str] = frozenset()
    fallen: Fallen | None = None


ACCEPT = Verdict("accept")
WAITS = frozenset(
    {
        "registration_unknown",
        "not_your_trainee",
        "transfer_not_offered",
        "target_unknown",
        "submission_missing",
        "decision_missing",
    }
)


def reject(*codes: str) -> Verdict:
    """Refused at once."""
    return Verdict("reject", frozenset(codes))


def hold(code: str) -> Verdict:
    """Waits; the code is the answer should the deadline come."""
    return Verdict("hold", frozenset({code}))


def verdict(*codes: str) -> Verdict:
    """Held if another record may bring what is missing, else refused at once; without codes accepted."""
    if not codes:
        return ACCEPT
    return Verdict("hold" if WAITS.issuperset(codes) else "reject", frozenset(codes))


def _cohort_codes(world: World, partner: str, code: str, day: date) -> set[str]:
    """Stage 6: the cohort's windows and the partnership."""
    codes = set()
    cohort = world.rules.cohorts.get(code)
    if cohort is not None and day < cohort.opens:
        codes.add("time_before_cohort")
    if cohort is not None and day > cohort.registration_closes:
        codes.add("cohort_closed")
    if not world.rules.partnered(partner, code, day):
        codes.add("partnership_not_active")
    return codes


def _registration_codes(world: World, fact: Fact) -> set[str]:
    """Stage 6 of a registration."""
    data = fact.data
    codes = _cohort_codes(world, fact.partner, data["cohort_code"], day_of(fact.time))
    cohort = world.rules.cohorts.get(data["cohort_code"])
    if cohort is not None and data["provider_type"] not in cohort.eligible:
        codes.add("not_eligible")
    if cohort is not None and cohort.level3_required and not data["level3_full_relevant"]:
        codes.add("not_eligible")
    return codes


def _registered_again(event: Event, found: Registration) -> Verdict:
    if found.partner != event.partner:
        return reject("not_your_trainee")
    if found.voided is not None:
        return reject("registration_voided")
    status = found.history.status_at(event.fact.place)
    withdrawn = status is not None and status.state == "withdrawn"
    theirs = found.history.owner_at(event.fact.place) == event.partner  # who lost it learns nothing of what follows
    return reject("use_resume" if withdrawn and theirs else "same_fact_exists")


def judge_registered(world: World, event: Event) -> Verdict:
    """Stages 4 to 6 of trainee.registered."""
    fact, found = event.fact, world.registrations.get(event.subject)
    if found is not None:
        return _registered_again(event, found)
    if world.closed(fact.data["cohort_code"]):
        return reject("cohort_closed")
    if world.taken(registration_claim(fact), event.subject):
        return reject("same_fact_exists")
    return verdict(*_registration_codes(world, fact))


def _admission(world: World, fact: Fact, history: History, *, voided: bool) -> str | None:
    """The code of stage 4: known, theirs (or their offer's), not voided, status admits it."""
    status = history.status_at(fact.place)
    if status is None and not voided:  # before the registration's own moment it is not known, to anybody
        return "registration_unknown"
    if fact.name in ANSWERS:
        if transfer_code(history, fact, LEAD) is not None:
            return "registration_voided" if voided and history.had(fact.partner) else "transfer_not_offered"
    elif history.owner_at(fact.place) != fact.partner and (fact.name, fact.partner) != (OFFERED, LEAD):
        return "not_your_trainee"
    if voided:
        return "registration_voided"
    after = step(world.rules, status, fact)
    return after if isinstance(after, str) else None


def admit(world: World, event: Event) -> Verdict:
    """Stage 4 of a fact, the door's own or another service's."""
    found = world.registrations.get(event.subject)
    if found is None:
        return hold("registration_unknown")
    code = _admission(world, event.fact, found.history, voided=found.voided is not None)
    if code is not None:
        return verdict(code)
    status = found.history.status_at(event.fact.place)
    return reject("cohort_closed") if status is not None and world.closed(status.cohort) else ACCEPT


def _offer_codes(world: World, history: History, fact: Fact, cohort: str) -> set[str]:
    """Stage 6 of an offer: another partner, with the partnership on a day not before the offer's."""
    codes = set()
    to, day = fact.data["to_partner"], date.fromisoformat(fact.data["effective_on"])
    if to == history.owner_at(fact.place) or not world.rules.partnered(to, cohort, day):
        codes.add("transfer_partner_invalid")
    if day < day_of(fact.time):
        codes.add("transfer_date_conflict")
    return codes


def _too_late_to_move(history: History, fact: Fact) -> bool:
    """Whether the losing partner has facts of enrolment from the date of the transfer that is accepted."""
    offer = offer_of(fact, history.facts)
    if offer is None:
        return False
    loser, begins = history.loser(offer), midnight(offer.data["effective_on"])
    return any(
        found.partner == loser and found.moment >= begins and found != offer and found.name not in ANSWERS
        for found in history.facts
    )


def _enrolment_form(world: World, subject: str, fact: Fact, history: History) -> Verdict:
    """Stages 5 to 7 of enrolment's facts but the registration, beside the others."""
    status, others = history.status_at(fact.place), list(history.facts)
    cohort = "" if status is None else status.cohort
    claim = transfer_claim(history, fact) if fact.name == ACCEPTED else None
    if same_fact(fact, others) or (claim is not None and world.taken(claim, subject)):
        return reject("same_fact_exists")
    codes: set[str] = set()
    if fact.name == OFFERED:
        codes = _offer_codes(world, history, fact, cohort)
    elif fact.data.get("cohort_code", cohort) != cohort:
        codes = _cohort_codes(world, fact.partner, fact.data["cohort_code"], day_of(fact.time))
    if codes:
        return reject(*codes)
    if fact.name == OFFERED and (code := transfer_code(history, fact, LEAD)) is not None:
        return reject(code)
    if fact.name == ACCEPTED and _too_late_to_move(history, fact):
        return reject("transfer_date_conflict")
    return ACCEPT if holds_together(world.rules, ordered([*others, fact])) else reject("would_invalidate")


def _owned_form(found: Registration, service: str, fact: Fact, others: list[Fact], history: History) -> Verdict:
    """Stages 5 to 7 of another service's fact, beside its others: it stands, and all that stood stands on."""
    if same_fact(fact, others):
        return reject("same_fact_exists")
    after = fallen_of(found.rules, history, ordered([*others, fact]), service)
    if fact.key in after:
        return verdict(after[fact.key])
    if not after.keys() <= found.fallen_under(history, service).keys():
        return reject("would_invalidate")
    return Verdict("accept", fallen=after if history is found.history else None)


def judge_fact(world: World, event: Event, history: History) -> Verdict:
    """The owner's stages 5 to 7 of a fact that was admitted, under the history that it was handed on with."""
    found = world.registrations[event.subject]
    if event.owner == ENROLMENT:
        return _enrolment_form(world, event.subject, event.fact, history)
    return _owned_form(found, event.owner, event.fact, found.facts[event.owner], history)


def admit_correction(world: World, event: Event) -> Verdict:
    """Stage 4 of a correction, in the state after all accepted facts."""
    found = world.registrations.get(event.subject)
    if found is None:
        return hold("target_unknown")
    if found.voided is not None:
        if event.partner != LEAD and not found.history.had(event.partner):
            return hold("target_unknown")
        again = event.correction == "voided" and event.target[0] == "registered"
        return reject("already_in_state" if again else "registration_voided")
    status = found.history.last
    if event.partner != LEAD and status is not None and world.closed(status.cohort):
        return reject("cohort_closed")
    return ACCEPT


def judge_correction(world: World, event: Event, history: History) -> Verdict:
    """The owner's stages of a correction: its target stands, and nothing of the same service falls with it.

    An owner judges under the history that the correction was handed on with.
    """
    found = world.registrations[event.subject]
    if event.target in found.gone:
        return reject("already_in_state")
    target = found.current(event.target)
    if target is None:
        return hold("target_unknown")
    others = [fact for fact in found.facts[event.owner] if fact.key != target.key]
    if event.correction == "superseded":
        corrections = [*found.corrections.get(target.key, ()), event.fact]
        new = superseded(found.sent[target.key], corrections)
        return ACCEPT if new == target else _superseding(world, event, new, others, history)
    if target.name == "registered":
        return _registration_voided(found)
    if event.owner == ENROLMENT:
        return ACCEPT if holds_together(world.rules, others) else reject("would_invalidate")
    after = fallen_of(world.rules, history, others, event.owner)
    falls = not after.keys() <= found.fallen_under(history, event.owner).keys()
    return reject("would_invalidate") if falls else ACCEPT


def _registration_voided(found: Registration) -> Verdict:
    others = {fact.name for fact in found.facts[ENROLMENT]} - {"registered"}
    state = "" if found.history.last is None else found.history.last.state
    legal = state == "registered" or (state == "withdrawn" and others == {"withdrew"})
    return ACCEPT if legal else reject("would_invalidate")


def _gone_by_then(world: World, new: Fact, others: list[Fact]) -> bool:
    """Whether a registration would begin with another partner: what is offered later that day may count from 00:00."""
    following = [fact for fact in others if fact.place > new.place]
    return History(world.rules, [new, *following]).owner_at(new.place) != new.partner


def _superseding(world: World, event: Event, new: Fact, others: list[Fact], history: History) -> Verdict:
    """A fact in its new form passes what a record of its type passes at its place. Owners hold nothing of stage 4."""
    if new.name == "registered":
        if _gone_by_then(world, new, others):
            return hold("not_your_trainee")
        if event.partner != LEAD and world.closed(new.data["cohort_code"]):
            return reject("cohort_closed")
        if world.taken(registration_claim(new), event.subject):
            return reject("same_fact_exists")
        codes = _registration_codes(world, new)
        if codes:
            return reject(*codes)
        return ACCEPT if holds_together(world.rules, ordered([*others, new])) else reject("would_invalidate")
    if event.owner == ENROLMENT:
        rest = History(world.rules, others)
        code = _admission(world, new, rest, voided=False)
        return _enrolment_form(world, event.subject, new, rest) if code is None else verdict(code)
    code = _admission(world, new, history, voided=False)
    if code is not None:
        return reject(code)
    return _owned_form(world.registrations[event.subject], event.owner, new, others, history)
