"""Enrolment's rules over what was loaded for one batch: the context of each decision, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from services.enrolment import domain, life
from services.enrolment.directory import Claim, Directory, Identity, teller, told
from services.enrolment.domain import Context
from shared import clock, topics
from shared.contract import Event
from shared.events.catalogue import ACCEPTED, BY_NAME, DEFERRED, OFFERED, REGISTERED, TRANSFERS
from shared.handover import StatusChange, request_message, status_message
from shared.history import Bound, Decision, Fact, History, Ledger, Name, as_fact
from shared.judging import Change
from shared.messages import Message, encode, fact_message, notice_to
from shared.reference import Reference, SettingPeriod
from shared.status import Place, Status

OWNERS: Final = tuple(service for service in topics.DECIDING_SERVICES if service != "enrolment")
PERSONAL: Final = "personal"


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
        return domain.decide(ledger, event, self._context(ledger, event, bound))

    def _context(self, ledger: Ledger, event: Event, bound: Bound | None) -> Context:
        """What the directory says of the reference that the event would claim, of the setting and the person."""
        directory, data = self.directory, told(event)
        claim = self._claim(ledger, event)
        claimed = directory.claimed(claim, event.registration) if claim else None
        if data is None:
            return Context(self._reference, bound, claimed)
        known_setting = data["setting_urn"] in directory.places
        known_person = directory.is_another(data["trainee_id"], event.registration)
        return Context(self._reference, bound, claimed, known_setting, known_person)

    def _claim(self, ledger: Ledger, event: Event) -> Claim | None:
        """A partner that takes a trainee over claims its reference in the cohort of that moment."""
        if (data := told(event)) is not None:
            return teller(event), data["partner_ref"], data["cohort_code"]
        if event.kind is not ACCEPTED or "partner_ref" not in event.data:
            return None
        period = ledger.status.at(event.moment) if ledger.status else None
        return (event.sender, event.data["partner_ref"], period.cohort) if period else None

    def accept(self, ledger: Ledger, event: Event, decided: datetime) -> Change:
        """The fact, the registration's new status, and who is told of them."""
        fact = as_fact(event, self._kept(event))
        history = ledger.history.plus(fact)
        status = self._status(ledger, history, event)
        after = replace(ledger, history=history, status=status, version=status.version, decided=decided)
        cause = {"type": event.kind.name, "partner": event.sender, "source": event.source, "id": event.id}
        rules = self.ruleversion(event.received)
        messages = [
            fact_message(self.service, event.registration, fact, status, decided, rules, status.version),
            *(status_message(owner, event.registration, status, cause, event.received) for owner in OWNERS),
            *self._identify(ledger, history, event),
            *self._transfer_notices(after, fact, decided),
        ]
        return Change(after, tuple(messages), fact)

    def _status(self, ledger: Ledger, history: History, event: Event) -> Status:
        data = told(event) if _holds(event, history) else None
        registered = next(fact for fact in life.before_void(history).facts if fact.kind is REGISTERED)
        places = ledger.status.places if ledger.status else ()
        return Status(
            version=ledger.version + 1,
            periods=life.periods_of(history, self._reference),
            places=places if data is None else places_of(self.directory.places.get(data["setting_urn"], ())),
            capacity_declared="capacity" in registered.data,
            places_allocation=registered.data["places_allocation"],
        )

    def observe(self, ledger: Ledger, change: StatusChange, decided: datetime) -> Change:
        """Enrolment makes the status; nobody tells it one."""
        raise AssertionError("enrolment reads no requests")

    def hand_on(self, ledger: Ledger, event: Event) -> Message:
        """The event for its owner, with the status as of it."""
        assert ledger.status is not None
        return request_message(event, ledger.status)

    def _kept(self, event: Event) -> dict[str, Any]:
        """The data without direct identifiers, in a replacement too."""
        if not event.kind.supersedes:
            return self._without_identifiers(event, event.kind.name, event.data)
        assert event.kind.corrects is not None
        replacement = self._without_identifiers(event, event.kind.corrects, event.data["replacement"])
        return {**event.data, "replacement": replacement}

    def _without_identifiers(self, event: Event, type_: str, data: dict[str, Any]) -> dict[str, Any]:
        """Keys stand for person and setting, groups for personal reasons."""
        kept = dict(data)
        if type_ == REGISTERED.name:
            del kept["partner_ref"]
            kept["person_key"] = self.directory.person_key(kept.pop("trainee_id"))
            kept["setting_key"] = self.directory.setting_key(kept.pop("setting_urn"))
        elif BY_NAME[type_] in TRANSFERS:
            kept.pop("partner_ref", None)
        elif "reason" in kept:
            kept["reason_group"] = self._group(event, type_, data)
            if kept["reason_group"] == PERSONAL:
                self.directory.withheld.append((event.registration, (event.source, event.id), data["reason"]))
                kept["reason"] = PERSONAL
        return kept

    def _group(self, event: Event, type_: str, data: dict[str, Any]) -> str:
        kind = "deferral" if type_ == DEFERRED.name else "withdrawal"
        found = self._reference.at(event.received).code_list(kind, data.get("code_list"))
        assert found is not None
        return next(item.group for item in found.items if item.code == data["reason"])

    def _identify(self, before: Ledger, history: History, event: Event) -> tuple[Message, ...]:
        """A registration and an acceptance claim references; a supersede moves the claim, a void frees all."""
        directory, registration = self.directory, event.registration
        if event.kind is life.REGISTRATION_VOIDED:
            directory.free(registration)
        claim = self._claim(before, event)
        if claim is None or not _holds(event, history):
            return ()
        data = told(event)
        if data is not None:
            directory.retell(registration, data)
        else:
            known = next(iter(directory.identities[registration].values()))
            data = {"trainee_id": known.trainee_id, "setting_urn": known.setting_urn}
        name = event.target or (event.source, event.id)
        directory.keep(Identity(registration, name, *claim, data["trainee_id"], data["setting_urn"]))
        return (_identity_message(registration, history, directory.identities[registration]),)

    def _transfer_notices(self, after: Ledger, fact: Fact, decided: datetime) -> tuple[Message, ...]:
        """An offer is told to whom it is made, and to the losing partner where the lead makes it; its end to all three.

        None is told who the other partner is, nor what it has itself sent.
        """
        if fact.kind not in TRANSFERS:
            return ()
        upto = (other for other in after.history.facts if other.place <= fact.place)
        offer = life.fold(upto, self._reference).life.offer
        assert offer is not None
        name = "transfer_offered" if fact.kind is OFFERED else "transfer_closed"
        day = clock.london_day(offer.effective).isoformat()
        body = {"transfer_id": offer.transfer_id, "effective_on": day, "cause": {"type": fact.kind.name}}
        return tuple(
            notice_to(self.service, partner, name, after.registration, body, decided, after.version)
            for partner in sorted({offer.to_partner, offer.from_partner, offer.by} - {fact.sender})
        )


def _holds(event: Event, history: History) -> bool:
    """Whether what an event tells is what is now told: of several supersedes the last in their order is."""
    if not event.kind.supersedes or event.target is None:
        return True
    replacing = history.replacing(event.target)
    return replacing is not None and replacing.name == (event.source, event.id)


def _identity_message(registration: str, history: History, held: Mapping[Name, Identity]) -> Message:
    """Person and setting, and each partner's own reference: for reporting, that tells each partner no other's.

    Of a partner that has the trainee again it is the reference that it gave last.
    """
    one = next(iter(held.values()))
    refs = {held[fact.name].partner: held[fact.name].partner_ref for fact in history.accepted if fact.name in held}
    body = {"trainee_id": one.trainee_id, "setting_urn": one.setting_urn, "refs": refs}
    return Message(topics.IDENTITY, registration, (), encode(body))


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
