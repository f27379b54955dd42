"""What stands of each registration, and what an accepted event changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from senconet.demonstration.judge_fields import SUPERSEDED, VOIDED, owner_of, target_of
from senconet.demonstration.judge_history import ACCEPTED, Fact, FactKey, History, moment, ordered
from senconet.demonstration.judge_owners import FALLEN, Fallen, fallen_of
from senconet.demonstration.judge_record import moment_of
from senconet.demonstration.judge_rules import Rules

RefKey: TypeAlias = tuple[str, str, str]  # partner, partner_ref, cohort
ENROLMENT = "enrolment"


@dataclass(frozen=True, slots=True)
class Event:
    """A record that passed stages 1 and 2."""

    partner: str
    offset: int
    subject: str
    content: tuple[Any, ...]
    fact: Fact

    @property
    def correction(self) -> Literal["voided", "superseded"] | None:
        """How it corrects another event; None: it is a fact itself."""
        if self.fact.name.endswith(VOIDED):
            return "voided"
        return "superseded" if self.fact.name.endswith(SUPERSEDED) else None

    @property
    def owner(self) -> str:
        """The service that answers it, once the door has admitted it."""
        return owner_of(self.fact.name)

    @property
    def target(self) -> FactKey:
        """The fact that a correction names."""
        source = self.fact.data.get("target_source", self.fact.source)
        return target_of(self.fact.name), source, self.fact.data.get("target_id", "")


def superseded(sent: Fact, corrections: list[Fact]) -> Fact:
    """A fact as the last of its supersedes gives it: content, and place if that names a time."""
    if not corrections:
        return sent
    last = max(corrections, key=lambda found: (found.moment, found.seq, found.source, found.id))
    data, text = last.data["replacement"], last.data.get("replacement_time")
    at = None if text is None else moment_of(text)
    if at is None:
        return replace(sent, data=data)
    return replace(sent, data=data, time=at, moment=moment(sent.name, at, data))


class Registration:
    """One registration: facts by service as they are now, in order, and how they came to be so."""

    __slots__ = ("claims", "corrections", "facts", "fallen", "gone", "history", "partner", "rules", "sent", "voided")

    def __init__(self, rules: Rules, first: Fact) -> None:
        self.rules = rules
        self.partner = first.partner
        self.facts: dict[str, list[Fact]] = {ENROLMENT: [first], **{owner: [] for owner in FALLEN}}
        self.sent: dict[FactKey, Fact] = {first.key: first}
        self.corrections: dict[FactKey, list[Fact]] = {}
        self.gone: set[FactKey] = set()
        self.claims: dict[FactKey, RefKey] = {}
        self.voided: datetime | None = None
        self.history = History(rules, [first])
        self.fallen: dict[str, Fallen] = {owner: {} for owner in FALLEN}

    def current(self, key: FactKey) -> Fact | None:
        """A fact as it is now; None if there is none, or it was voided."""
        facts = self.facts[owner_of(key[0])]
        return next((fact for fact in facts if fact.key == key), None)

    def put(self, service: str, facts: list[Fact], fallen: Fallen | None = None) -> None:
        """Replaces a service's facts, and finds again what stands, unless that is given."""
        self.facts[service] = facts
        if fallen is not None:
            self.fallen[service] = fallen
            return
        if service == ENROLMENT:
            self.history = History(self.rules, facts)
        for owner in FALLEN if service == ENROLMENT else (service,):
            self.fallen[owner] = fallen_of(self.rules, self.history, self.facts[owner], owner)

    def fallen_under(self, history: History, service: str) -> Fallen:
        """What of an owner's facts does not stand under a history, the newest or one before it."""
        if history is self.history:
            return self.fallen[service]
        return fallen_of(self.rules, history, self.facts[service], service)

    def standing(self, service: str) -> list[Fact]:
        """An owner's facts that stand, in order."""
        if self.voided is not None:
            return []
        return [fact for fact in self.facts[service] if fact.key not in self.fallen[service]]


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

    def taken(self, claim: RefKey, subject: str) -> bool:
        """Whether another registration has the reference."""
        return self.references.get(claim, subject) != subject

    def _claim(self, subject: str, fact: Fact, claim: RefKey) -> None:
        found = self.registrations[subject]
        old = found.claims.get(fact.key)
        if old is not None:
            self.references.pop(old, None)
        found.claims[fact.key] = claim
        self.references[claim] = subject

    def apply(self, event: Event, fallen: Fallen | None = None) -> None:
        """What an accepted event changes; `fallen`: what of its owner's facts does not stand then, if known."""
        fact, found = event.fact, self.registrations.get(event.subject)
        if found is None:
            self.registrations[event.subject] = Registration(self.rules, fact)
            self._claim(event.subject, fact, registration_claim(fact))
            return
        if event.correction == "voided":
            self._void(event, found)
        elif event.correction == "superseded":
            self._supersede(event, found)
        else:
            found.sent[fact.key] = fact
            found.put(event.owner, ordered([*found.facts[event.owner], fact]), fallen)
            if fact.name == ACCEPTED and (claim := transfer_claim(found.history, fact)) is not None:
                self._claim(event.subject, fact, claim)

    def _void(self, event: Event, found: Registration) -> None:
        found.gone.add(event.target)
        if event.target[0] == "registered":
            found.voided = event.fact.moment
            for claim in found.claims.values():
                self.references.pop(claim, None)
            return
        found.put(event.owner, [fact for fact in found.facts[event.owner] if fact.key != event.target])

    def _supersede(self, event: Event, found: Registration) -> None:
        found.corrections.setdefault(event.target, []).append(event.fact)
        fact = superseded(found.sent[event.target], found.corrections[event.target])
        others = [other for other in found.facts[event.owner] if other.key != event.target]
        found.put(event.owner, ordered([*others, fact]))
        if fact.name == "registered":
            self._claim(event.subject, fact, registration_claim(fact))


def registration_claim(fact: Fact) -> RefKey:
    """The reference that a registration takes."""
    return fact.partner, fact.data["partner_ref"], fact.data["cohort_code"]


def transfer_claim(history: History, fact: Fact) -> RefKey | None:
    """The reference that an acceptance takes, if it names one."""
    status = history.status_at(fact.place)
    if "partner_ref" not in fact.data or status is None:
        return None
    return fact.partner, fact.data["partner_ref"], status.cohort
