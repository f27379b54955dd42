"""What a service has accepted of a registration, and what `decide` may answer about one more record."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from shared.clock import Moment
from shared.contract import Event
from shared.events.catalogue import EventType
from shared.events.codes import Problem
from shared.status import Status

MAX_FACTS: Final = 100
"""Facts of one registration that a service accepts: each is folded, and its state told, with every further one."""

Name = tuple[str, str]
"""Source and id of an event: unique together."""


@dataclass(frozen=True)
class Fact:
    """One accepted event as it is kept: direct identifiers are replaced by keys, personal reasons by their group."""

    kind: EventType
    sender: str
    source: str
    id: str
    moment: Moment
    received: datetime
    data: Mapping[str, Any]

    @property
    def name(self) -> Name:
        """Source and id."""
        return self.source, self.id

    @property
    def place(self) -> tuple[datetime, int, datetime, str, str]:
        """The place in the total order of facts (reference: events 4.8)."""
        return (*self.moment, self.received, self.source, self.id)

    @property
    def target(self) -> Name | None:
        """What a correction corrects."""
        if self.kind.corrects is None:
            return None
        return self.data.get("target_source") or self.source, self.data["target_id"]


@dataclass(frozen=True)
class History:
    """All facts that a service has accepted of one registration, corrections included."""

    accepted: tuple[Fact, ...] = ()

    def plus(self, fact: Fact) -> History:
        """The history with one more fact."""
        return History((*self.accepted, fact))

    @cached_property
    def voided(self) -> frozenset[Name]:
        """The facts that were taken back."""
        return frozenset(fact.target for fact in self.accepted if fact.target)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that were not taken back, in their total order."""
        kept = (f for f in self.accepted if f.kind.corrects is None and f.name not in self.voided)
        return tuple(sorted(kept, key=lambda fact: fact.place))

    @property
    def full(self) -> bool:
        """Whether it holds as many facts as one registration may have."""
        return sum(1 for fact in self.accepted if fact.kind.corrects is None) >= MAX_FACTS

    def find(self, name: Name) -> Fact | None:
        """The fact of a source and id, voided or not."""
        return next((fact for fact in self.accepted if fact.name == name), None)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a source and id are bound to: an accepted or held event, and how to know a copy of it."""

    registration: str
    digest: bytes
    outcome: str
    received: datetime


def digest(key: bytes, event: Event) -> bytes:
    """How a copy is recognised. The key is the registration's own and random: erasing it makes this unreadable."""
    return hmac.digest(key, event.content, "sha256")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event is a fact now."""

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandedOn:
    """The door has nothing against the event; its owner answers it."""


@dataclass(frozen=True, slots=True)
class Held:
    """The event waits for its other half."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event is refused."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A copy: answered with what the first was answered."""

    first: str


Decision = Accepted | HandedOn | Held | Rejected | Duplicate


@dataclass(frozen=True)
class Ledger:
    """What a service holds of one registration. `status` is the newest that it knows."""

    registration: str
    digest_key: bytes = field(repr=False)
    history: History = History()
    status: Status | None = None
    version: int = 0
    decided: datetime | None = None


def same_id(bound: Bound | None, ledger: Ledger, event: Event) -> Decision | None:
    """Stage 3: an id that is bound already makes a duplicate, or a conflict if the content differs."""
    if bound is None:
        return None
    same = bound.registration == event.registration
    if same and hmac.compare_digest(bound.digest, digest(ledger.digest_key, event)):
        return Duplicate(bound.outcome)
    return reject("id_conflict", "ce_id", date=bound.received.date().isoformat())


def reject(code: str, path: str | None = None, **detail: object) -> Rejected:
    """A refusal for one reason."""
    return Rejected((Problem(code, path, detail),))


def find_target(history: History, event: Event) -> Fact | Decision:
    """The fact that a correction corrects, or what to answer where there is none of that name and type."""
    assert event.target is not None
    target = history.find(event.target)
    if target is None or target.kind.name != event.kind.corrects:
        return Held((Problem("target_unknown", "data.target_id"),))
    if target.name in history.voided:
        return reject("already_in_state", "data.target_id", state="Voided")
    return target
