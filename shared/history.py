"""What a service has accepted of a registration, and what `decide` may answer about one more record."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from shared import clock
from shared.clock import Moment
from shared.contract import Event
from shared.events.catalogue import EventType
from shared.events.codes import Problem
from shared.status import Status

MAX_FACTS: Final = 100
"""Facts of one registration that a service accepts: each is folded, and its state told, with every further one."""

Name = tuple[str, str]
"""Source and id of an event: unique together."""


@dataclass(frozen=True, slots=True)
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
    """All facts that a service has accepted of one registration. Made by `history_of` and `plus`.

    `accepted` are they as they came, corrections included; `facts` those not taken back, as they are now told, in
    their total order; `voided` the names of those taken back. `folds` remembers what folds of it come to, by the
    version of the status: a history never changes, so what was found once holds. For the same reason `longer` keeps
    what `plus` made last: what was made to judge a fact serves to accept it.
    """

    accepted: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()
    voided: frozenset[Name] = frozenset()
    folds: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)
    longer: list[History] = field(default_factory=list, compare=False, repr=False)

    def plus(self, fact: Fact) -> History:
        """The history with one more fact."""
        if not self.longer or self.longer[0].accepted[-1] != fact:
            self.longer[:] = [self._plus(fact)]
        return self.longer[0]

    def _plus(self, fact: Fact) -> History:
        accepted = (*self.accepted, fact)
        if self.newest(fact):
            return History(accepted, (*self.facts, fact), self.voided)
        return history_of(accepted)

    def newest(self, fact: Fact) -> bool:
        """Whether a fact stands behind all others and corrects none of them: the usual case."""
        return fact.kind.corrects is None and (not self.facts or self.facts[-1].place < fact.place)

    @property
    def full(self) -> bool:
        """Whether it holds as many facts as one registration may have; what replaces one counts as one."""
        return sum(1 for fact in self.accepted if bounded(fact.kind)) >= MAX_FACTS

    def find(self, name: Name) -> Fact | None:
        """The fact of a source and id as it came, voided or not."""
        return next((fact for fact in self.accepted if fact.name == name), None)

    def replacing(self, name: Name) -> Fact | None:
        """The supersede by which a fact is now told: of several the last in their order."""
        return max((f for f in self.accepted if f.kind.supersedes and f.target == name), key=_by_place, default=None)


def history_of(accepted: Iterable[Fact]) -> History:
    """The history that accepted facts make. Of several supersedes of one fact the last in their order holds."""
    came = tuple(accepted)
    voided = frozenset(fact.target for fact in came if fact.target and not fact.kind.supersedes)
    superseding = sorted((fact for fact in came if fact.kind.supersedes), key=_by_place)
    replaced = {fact.target: fact for fact in superseding}
    kept = (fact for fact in came if fact.kind.corrects is None and fact.name not in voided)
    now = (superseded(fact, replaced[fact.name]) if fact.name in replaced else fact for fact in kept)
    return History(came, tuple(sorted(now, key=_by_place)), voided)


def _by_place(fact: Fact) -> tuple[datetime, int, datetime, str, str]:
    return fact.place


def superseded(fact: Fact, correction: Fact) -> Fact:
    """A fact as a correction tells it: its data are replaced, and its place where the correction gives a time."""
    data: Mapping[str, Any] = correction.data["replacement"]
    given = correction.data.get("replacement_time")
    time = clock.parse(given) if given else None
    if time is None:
        return replace(fact, data=data)
    at = clock.placed(time, data.get("time_precision"), fact.kind.day)
    return replace(fact, data=data, moment=Moment(at, fact.kind.order))


def bounded(kind: EventType) -> bool:
    """Whether facts of a type count against `MAX_FACTS`: a void only ever takes one away."""
    return kind.corrects is None or kind.supersedes


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
    history: History = field(default_factory=History)
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


def same_fact(history: History, fact: Fact, sender: str, path: str) -> Rejected | None:
    """Stage 5: another fact of the registration says the same; it is named to its own sender alone."""
    if fact.kind.once_by is None:
        return None
    key = [fact.data[name] for name in fact.kind.once_by]
    for other in history.facts:
        if other.kind is fact.kind and other.name != fact.name and [other.data[n] for n in fact.kind.once_by] == key:
            return reject("same_fact_exists", path, first=other.id if other.sender == sender else None)
    return None


def as_fact(event: Event, data: Mapping[str, Any] | None = None) -> Fact:
    """The fact that an accepted event becomes; `data` is what may be kept of its own."""
    kept = event.data if data is None else data
    return Fact(event.kind, event.sender, event.source, event.id, event.moment, event.received, kept)


def would_invalidate(fallen: Sequence[Fact], event: Event) -> Rejected | None:
    """The refusal of an event by which later facts would fall, with the ids of the sender's own."""
    if not fallen:
        return None
    own = sorted(fact.id for fact in fallen if fact.sender == event.sender)
    return reject("would_invalidate", "ce_time", count=len(fallen), ids=own)


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
