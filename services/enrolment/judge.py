"""Enrolment's rules over what was loaded for one batch: the context of each decision, and what follows from it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from services.enrolment import domain, life
from services.enrolment.domain import Claim, Context
from shared import topics
from shared.contract import Event
from shared.events.catalogue import DEFERRED, REGISTERED
from shared.handover import StatusChange, request_message, status_message
from shared.history import Bound, Decision, Ledger, Name
from shared.judging import Change
from shared.messages import Message, encode, fact_message
from shared.reference import Reference, SettingPeriod
from shared.status import Place, Status

OWNERS: Final = tuple(service for service in topics.DECIDING_SERVICES if service != "enrolment")
PERSONAL: Final = "personal"


@dataclass(frozen=True, slots=True)
class Identity:
    """The direct identifiers of a registration."""

    registration: str
    partner: str
    partner_ref: str
    cohort_code: str
    trainee_id: str
    setting_urn: str
    name: Name

    @property
    def claim(self) -> Claim:
        """What no other live registration may have."""
        return self.partner, self.partner_ref, self.cohort_code


@dataclass
class Directory:
    """Keys, claims and places that a batch needs; brought forward as registrations are accepted and voided."""

    person_keys: dict[str, str] = field(default_factory=dict)
    setting_keys: dict[str, str] = field(default_factory=dict)
    places: Mapping[str, Sequence[SettingPeriod]] = field(default_factory=dict)
    claims: dict[Claim, Identity] = field(default_factory=dict)
    registered_persons: set[str] = field(default_factory=set)
    added: dict[str, Identity] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)
    withheld: list[tuple[str, str, str]] = field(default_factory=list)


class EnrolmentJudge:
    """See `shared.judging.Judge`."""

    service = domain.OWNER

    def __init__(self, reference: Reference, directory: Directory) -> None:
        self.directory = directory
        self._reference = reference

    def ruleversion(self, received: datetime) -> str:
        """The label of the rules that hold for what was received then."""
        return self._reference.at(received).ruleversion

    def decide(self, ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        """The door's answer."""
        return domain.decide(ledger, event, self._context(event, bound))

    def _context(self, event: Event, bound: Bound | None) -> Context:
        if event.kind is not REGISTERED:
            return Context(self._reference, bound)
        claimed = self.directory.claims.get(_identity(event).claim)
        return Context(
            self._reference,
            bound,
            claimed.name if claimed else None,
            known_setting=event.data["setting_urn"] in self.directory.places,
            known_person=event.data["trainee_id"] in self.directory.registered_persons,
        )

    def accept(self, ledger: Ledger, event: Event, decided: datetime) -> Change:
        """The fact, the registration's new status, and who is told of them."""
        fact = domain.fact_of(event, self._kept(event))
        history = ledger.history.plus(fact)
        places = self._places(event) if event.kind is REGISTERED else ledger.status.places if ledger.status else ()
        periods = life.periods_of(history, self._reference)
        status = Status(version=ledger.version + 1, periods=periods, places=places)
        after = replace(ledger, history=history, status=status, version=status.version, decided=decided)
        identity = self._identify(event)
        cause = {"type": event.kind.name, "partner": event.sender, "source": event.source, "id": event.id}
        state = status.model_dump(mode="json")
        rules = self.ruleversion(event.received)
        told = [
            fact_message(self.service, event.registration, fact, state, decided, rules, status.version),
            *(status_message(owner, event.registration, status, cause, event.received) for owner in OWNERS),
            *identity,
        ]
        return Change(after, tuple(told), fact)

    def observe(self, ledger: Ledger, change: StatusChange, decided: datetime) -> Change:
        """Enrolment makes the status; nobody tells it one."""
        raise AssertionError("enrolment reads no requests")

    def hand_on(self, ledger: Ledger, event: Event) -> Message:
        """The event for its owner, with the status as of it."""
        assert ledger.status is not None
        return request_message(event, ledger.status)

    def _places(self, event: Event) -> tuple[Place, ...]:
        return places_of(self.directory.places.get(event.data["setting_urn"], ()))

    def _kept(self, event: Event) -> dict[str, Any]:
        """The data without direct identifiers: keys stand for person and setting, groups for personal reasons."""
        data = dict(event.data)
        if event.kind is REGISTERED:
            del data["partner_ref"]
            data["person_key"] = self._key(self.directory.person_keys, data.pop("trainee_id"))
            data["setting_key"] = self._key(self.directory.setting_keys, data.pop("setting_urn"))
        elif "reason" in data:
            data["reason_group"] = self._group(event)
            if data["reason_group"] == PERSONAL:
                self.directory.withheld.append((event.registration, f"{event.source} {event.id}", data["reason"]))
                data["reason"] = PERSONAL
        return data

    @staticmethod
    def _key(keys: dict[str, str], identifier: str) -> str:
        return keys.setdefault(identifier, str(uuid.uuid4()))

    def _group(self, event: Event) -> str:
        kind = "deferral" if event.kind is DEFERRED else "withdrawal"
        found = self._reference.at(event.received).code_list(kind, event.data.get("code_list"))
        assert found is not None
        return next(item.group for item in found.items if item.code == event.data["reason"])

    def _identify(self, event: Event) -> tuple[Message, ...]:
        """A registration claims its reference; the void of one frees it."""
        if event.kind.corrects == REGISTERED.name:
            self._free(event.registration)
        if event.kind is not REGISTERED:
            return ()
        identity = _identity(event)
        self.directory.claims[identity.claim] = identity
        self.directory.registered_persons.add(identity.trainee_id)
        self.directory.added[event.registration] = identity
        body = {
            "partner": identity.partner,
            "partner_ref": identity.partner_ref,
            "trainee_id": identity.trainee_id,
            "setting_urn": identity.setting_urn,
        }
        return (Message(topics.IDENTITY, event.registration, (), encode(body)),)

    def _free(self, registration: str) -> None:
        self.directory.freed.add(registration)
        claims = self.directory.claims
        for claim in [claim for claim, identity in claims.items() if identity.registration == registration]:
            del claims[claim]


def _identity(event: Event) -> Identity:
    data = event.data
    return Identity(
        event.registration,
        event.sender,
        data["partner_ref"],
        data["cohort_code"],
        data["trainee_id"],
        data["setting_urn"],
        (event.source, event.id),
    )


def places_of(periods: Sequence[SettingPeriod]) -> tuple[Place, ...]:
    """Where a setting lies, by date."""
    return tuple(
        Place(
            valid_from=period.valid_from,
            valid_to=period.valid_to,
            la_code=period.la_code,
            la_name=period.la_name,
            region_code=period.region_code,
            region_name=period.region_name,
        )
        for period in periods
    )
