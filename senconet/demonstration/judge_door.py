"""Stages 3 to 7 for each kind of event: what is accepted, refused or held (events.md 4 to 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from senconet.demonstration.judge_history import Fact, Status, before, holds_together, status_after, step
from senconet.demonstration.judge_rules import Rules, day_of
from senconet.demonstration.model import LEAD

FactKey: TypeAlias = tuple[str, str, str]  # fact name, source, id
RefKey: TypeAlias = tuple[str, str, str]  # partner, partner_ref, cohort


@dataclass(slots=True)
class Registration:
    """What stands of one registration: enrolment's facts in order, the completion, what was voided."""

    partner: str
    facts: list[Fact]
    completion: Fact | None = None
    voided: datetime | None = None
    gone: set[FactKey] = field(default_factory=set)

    def insert(self, fact: Fact) -> list[Fact]:
        """The facts with one more, at its own place."""
        return sorted([*self.facts, fact], key=lambda item: item.place)


@dataclass(frozen=True, slots=True)
class Event:
    """A record that passed stages 1 and 2."""

    partner: str
    offset: int
    subject: str
    content: Any
    fact: Fact

    @property
    def void_of(self) -> str | None:
        """The fact that a correction voids; None: no correction."""
        return self.fact.name.removesuffix(".voided") if self.fact.name.endswith(".voided") else None

    @property
    def handed_on(self) -> bool:
        """Whether assessment owns it, not the door."""
        return self.fact.name.startswith("completed")

    @property
    def target(self) -> FactKey:
        """The fact that a correction names."""
        source = self.fact.data.get("target_source", self.fact.source)
        return self.void_of or "", source, self.fact.data.get("target_id", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accept, reject or hold, with the codes of the latter two."""

    kind: Literal["accept", "reject", "hold"]
    codes: frozenset[str] = frozenset()


ACCEPT = Verdict("accept")


def reject(*codes: str) -> Verdict:
    """Refused at once."""
    return Verdict("reject", frozenset(codes))


def hold(code: str) -> Verdict:
    """Waits; the code is the answer should the deadline come."""
    return Verdict("hold", frozenset({code}))


@dataclass(slots=True)
class World:
    """All that stands: registrations by id, and references taken by a registration."""

    rules: Rules
    today: date
    registrations: dict[str, Registration] = field(default_factory=dict)
    references: dict[RefKey, str] = field(default_factory=dict)

    def closed(self, cohort: str) -> bool:
        """Whether the cohort takes no facts any more (by the date of receipt)."""
        found = self.rules.cohorts.get(cohort)
        return found is not None and self.today > found.late_until


def reference_key(partner: str, fact: Fact) -> RefKey:
    """What makes two registrations the same fact."""
    return partner, fact.data["partner_ref"], fact.data["cohort_code"]


def cohort_codes(world: World, partner: str, code: str, day: date) -> set[str]:
    """Stage 6: a cohort must be open to registration, and the partner's, on the date."""
    codes: set[str] = set()
    cohort = world.rules.cohorts.get(code)
    if cohort is not None and day < cohort.opens:
        codes.add("time_before_cohort")
    if cohort is not None and day > cohort.registration_closes:
        codes.add("cohort_closed")
    if not world.rules.partnered(partner, code, day):
        codes.add("partnership_not_active")
    return codes


def _registered_again(world: World, event: Event, found: Registration) -> Verdict:
    if found.partner != event.partner:
        return reject("not_your_trainee")
    if found.voided is not None:
        return reject("registration_voided")
    status = status_after(world.rules, before(found.facts, event.fact.place))
    withdrawn = status is not None and status.state == "withdrawn"
    return reject("use_resume" if withdrawn else "same_fact_exists")


def judge_registered(world: World, event: Event) -> Verdict:
    """Stages 4 to 6 of trainee.registered."""
    found = world.registrations.get(event.subject)
    if found is not None:
        return _registered_again(world, event, found)
    data = event.fact.data
    if world.closed(data["cohort_code"]):
        return reject("cohort_closed")
    if reference_key(event.partner, event.fact) in world.references:
        return reject("same_fact_exists")
    codes = cohort_codes(world, event.partner, data["cohort_code"], day_of(event.fact.time))
    cohort = world.rules.cohorts.get(data["cohort_code"])
    if cohort is not None and data["provider_type"] not in cohort.eligible:
        codes.add("not_eligible")
    if cohort is not None and cohort.level3_required and not data["level3_full_relevant"]:
        codes.add("not_eligible")
    return reject(*codes) if codes else ACCEPT


def _admission(world: World, event: Event, found: Registration | None) -> Verdict | Status:
    """Stage 4 of a fact about a registration: known, theirs, not voided, status admits it, not closed."""
    if found is None:
        return hold("registration_unknown")
    status = status_after(world.rules, before(found.facts, event.fact.place))
    if status is None and found.voided is None:  # before the registration's own moment it is not known, to anybody
        return hold("registration_unknown")
    if found.partner != event.partner:
        return hold("not_your_trainee")
    if found.voided is not None:
        return reject("registration_voided")
    after = step(world.rules, status, event.fact)
    if isinstance(after, str):
        return hold(after) if after == "registration_unknown" else reject(after)
    return reject("cohort_closed") if status and world.closed(status.cohort) else status or after


def judge_fact(world: World, event: Event) -> Verdict:
    """Stages 4 to 7 of trainee.deferred, resumed, withdrew."""
    found = world.registrations.get(event.subject)
    admitted = _admission(world, event, found)
    if isinstance(admitted, Verdict) or found is None:
        return admitted if isinstance(admitted, Verdict) else ACCEPT
    cohort = event.fact.data.get("cohort_code")
    if cohort is not None and cohort != admitted.cohort:
        codes = cohort_codes(world, event.partner, cohort, day_of(event.fact.time))
        if codes:
            return reject(*codes)
    return ACCEPT if holds_together(world.rules, found.insert(event.fact)) else reject("would_invalidate")


def admit_completed(world: World, event: Event) -> Verdict:
    """The door's stage 4 of trainee.completed."""
    admitted = _admission(world, event, world.registrations.get(event.subject))
    return admitted if isinstance(admitted, Verdict) else ACCEPT


def judge_completed(world: World, event: Event) -> Verdict:
    """Assessment's stages 5 to 7 of trainee.completed: once; the cohorts ask for no decision."""
    taken = world.registrations[event.subject].completion is not None
    return reject("same_fact_exists") if taken else ACCEPT


def admit_correction(world: World, event: Event) -> Verdict:
    """Stage 4 of a correction, in the state after all accepted facts."""
    found = world.registrations.get(event.subject)
    if found is None:
        return hold("target_unknown")
    if found.voided is not None:
        if event.partner not in (LEAD, found.partner):
            return hold("target_unknown")
        return reject("already_in_state" if event.void_of == "registered" else "registration_voided")
    status = status_after(world.rules, found.facts)
    if event.partner != LEAD and status is not None and world.closed(status.cohort):
        return reject("cohort_closed")
    return ACCEPT


def _standing(found: Registration, key: FactKey) -> Fact | None:
    facts = [*found.facts, *([found.completion] if found.completion else [])]
    return next((fact for fact in facts if (fact.name, fact.source, fact.id) == key), None)


def judge_void(world: World, event: Event) -> Verdict:
    """Stage 7 of a correction: its target stands, and no fact of the same service falls with it."""
    found = world.registrations[event.subject]
    target = _standing(found, event.target)
    if target is None:
        gone = event.target in found.gone
        return reject("already_in_state") if gone else hold("target_unknown")
    if target.name == "registered":
        status = status_after(world.rules, found.facts)
        others = {fact.name for fact in found.facts} - {"registered"}
        state = "" if status is None else status.state
        legal = state == "registered" or (state == "withdrawn" and others == {"withdrew"})
        return ACCEPT if legal else reject("would_invalidate")
    rest = [fact for fact in found.facts if fact is not target]
    return ACCEPT if holds_together(world.rules, rest) else reject("would_invalidate")


def apply(world: World, event: Event) -> None:
    """What an accepted event changes."""
    fact, found = event.fact, world.registrations.get(event.subject)
    if found is None:
        world.registrations[event.subject] = Registration(event.partner, [fact])
        world.references[reference_key(event.partner, fact)] = event.subject
    elif event.void_of is not None:
        _void(world, event, found)
    elif event.handed_on:
        found.completion = fact
    else:
        found.facts = found.insert(fact)


def _void(world: World, event: Event, found: Registration) -> None:
    found.gone.add(event.target)
    if event.void_of == "registered":
        found.voided = event.fact.moment
        world.references.pop(reference_key(found.partner, found.facts[0]), None)
    elif event.void_of == "completed":
        found.completion = None
    else:
        key = event.target
        found.facts = [fact for fact in found.facts if (fact.name, fact.source, fact.id) != key]
