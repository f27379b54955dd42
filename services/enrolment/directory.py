"""What a batch knows of identities, keys, claims and places; brought forward as registrations change. No I/O."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.contract import Event
from shared.events.catalogue import ACCEPTED, BY_NAME, REGISTERED, SUPERSEDED
from shared.history import Name
from shared.reference import SettingPeriod

REGISTRATION_SUPERSEDED: Final = BY_NAME[REGISTERED.name + SUPERSEDED]

Claim = tuple[str, str, str]
"""Partner, the partner's own reference, cohort: one live registration at a time."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The direct identifiers of a registration, with the reference by which one fact claims it for its partner.

    The facts that claim are the registration itself, and each acceptance of a transfer that names a reference.
    """

    registration: str
    name: Name
    partner: str
    partner_ref: str
    cohort_code: str
    trainee_id: str
    setting_urn: str

    @property
    def claim(self) -> Claim:
        """What no other live registration may have."""
        return self.partner, self.partner_ref, self.cohort_code


@dataclass
class Directory:
    """See the module. `identities`: of each registration by the facts that claim.

    What is new, and is to be written: `new_persons`, `new_settings`, `changed`, `freed` and `withheld`.
    """

    person_keys: Mapping[str, str] = field(default_factory=dict)
    setting_keys: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Sequence[SettingPeriod]] = field(default_factory=dict)
    claims: dict[Claim, Identity] = field(default_factory=dict)
    registered_persons: set[str] = field(default_factory=set)
    identities: dict[str, dict[Name, Identity]] = field(default_factory=dict)
    new_persons: dict[str, str] = field(default_factory=dict)
    new_settings: dict[str, str] = field(default_factory=dict)
    changed: dict[Name, Identity] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)
    withheld: list[tuple[str, Name, str]] = field(default_factory=list)

    def claimed(self, claim: Claim, registration: str) -> Name | None:
        """The fact that claimed it for another registration."""
        identity = self.claims.get(claim)
        return identity.name if identity and identity.registration != registration else None

    def is_another(self, trainee: str, registration: str) -> bool:
        """Whether a trainee has a registration already, and not only this one."""
        own = self.identities.get(registration, {}).values()
        return trainee in self.registered_persons and all(identity.trainee_id != trainee for identity in own)

    def person_key(self, trainee: str) -> str:
        """The random key of a person, made once."""
        return self.person_keys.get(trainee) or self.new_persons.setdefault(trainee, str(uuid.uuid4()))

    def setting_key(self, urn: str) -> str:
        """The random key of a setting, made once."""
        return self.setting_keys.get(urn) or self.new_settings.setdefault(urn, str(uuid.uuid4()))

    def keep(self, identity: Identity) -> None:
        """A fact claims this now; what it claimed before is free. Another of the registration may claim the same."""
        held = self.identities.setdefault(identity.registration, {})
        before, other = held.get(identity.name), self.claims.get(identity.claim)
        if before is not None and self.is_live(before):
            del self.claims[before.claim]
        if other is not None:
            self.changed[other.name] = other
        held[identity.name] = self.claims[identity.claim] = self.changed[identity.name] = identity
        self.registered_persons.add(identity.trainee_id)

    def is_live(self, identity: Identity) -> bool:
        """Whether an identity that was loaded or kept has its claim: of those that claim the same the last one has."""
        return self.claims.get(identity.claim) == identity

    def retell(self, registration: str, data: Mapping[str, Any]) -> None:
        """A registration is told anew: person and setting are those of the new data, whoever's reference it is."""
        for identity in tuple(self.identities.get(registration, {}).values()):
            self.keep(replace(identity, trainee_id=data["trainee_id"], setting_urn=data["setting_urn"]))

    def free(self, registration: str) -> None:
        """A registration was voided: what it claimed is free."""
        self.freed.add(registration)
        for claim in [claim for claim, identity in self.claims.items() if identity.registration == registration]:
            del self.claims[claim]


def told(event: Event) -> dict[str, Any] | None:
    """The data of a registration that an event tells, anew or as a replacement."""
    if event.kind is REGISTERED:
        return event.data
    return event.data["replacement"] if event.kind is REGISTRATION_SUPERSEDED else None


def references(event: Event) -> Iterator[tuple[str, str]]:
    """Partner and reference that an event would claim."""
    data = told(event)
    if data is not None:
        yield teller(event), data["partner_ref"]
    elif event.kind is ACCEPTED and "partner_ref" in event.data:
        yield event.sender, event.data["partner_ref"]


def teller(event: Event) -> str:
    """The partner whose fact an event tells: the lead corrects for the partner that the target's source names."""
    source = event.target[0] if event.target else event.source
    return source.split("/")[2]
