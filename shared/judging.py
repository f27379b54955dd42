"""What the judging of a batch works on: items, holds, the world that was loaded, and what is to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol, Self

from shared import clock
from shared.contract import Event, Position, Refusal
from shared.events.codes import Problem
from shared.handover import StatusChange
from shared.history import Bound, Decision, Fact, Ledger
from shared.messages import Answer, Message
from shared.records import RawRecord
from shared.status import Status

Item = Event | Refusal | StatusChange
BoundName = tuple[str, str, str]
"""Owner, source and id."""

SYSTEMIC_BATCH: Final = 20


class SystemicFault(RuntimeError):
    """Over half of a batch failed: the fault is ours and general, so the service stops instead of quarantining."""


def is_systemic(failed: int, records: int) -> bool:
    """Whether over half of a batch of any size failed."""
    return records >= SYSTEMIC_BATCH and 2 * failed > records


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that cannot be judged for a fault of ours: it could not be read, or what it led to not be written."""

    raw: RawRecord
    position: Position
    registration: str | None
    error: str

    @classmethod
    def of(cls, event: Event, error: Exception) -> Self:
        """The fault that judging an event raised."""
        return cls(event.raw, event.position, event.registration, type(error).__name__)


@dataclass(frozen=True)
class Hold:
    """A record that waits, with the problems of its last judging and what it needs to be found and answered."""

    event: Event
    digest: bytes
    deadline: datetime
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Change:
    """What an accepted event, or another's change, makes of a registration and of the world around it."""

    ledger: Ledger
    messages: tuple[Message, ...] = ()
    fact: Fact | None = None


class Judge(Protocol):
    """A service's rules over what it has loaded for one batch."""

    @property
    def service(self) -> str:
        """The name of the service."""
        ...

    def ruleversion(self, received: datetime) -> str:
        """The label of the rules that hold for what was received then."""
        ...

    def decide(self, ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        """The answer to one event. Pure."""
        ...

    def accept(self, ledger: Ledger, event: Event, decided: datetime) -> Change:
        """What follows from an accepted event."""
        ...

    def observe(self, ledger: Ledger, change: StatusChange, decided: datetime) -> Change:
        """What follows from a change of status."""
        ...

    def hand_on(self, ledger: Ledger, event: Event) -> Message:
        """The message that gives the event to its owner."""
        ...


@dataclass
class World:
    """What was loaded, under locks, for the registrations of a batch; brought forward as records are judged."""

    ledgers: dict[str, Ledger]
    bound: dict[BoundName, Bound]
    holds: dict[str, list[Hold]]
    queues: set[tuple[str, str]]
    seen: set[Position] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Written:
    """One row of the journal to be: an answer, with what was decided and kept."""

    answer: Answer
    decided: datetime
    version: int | None = None
    fact: Fact | None = None
    digest: bytes | None = None


@dataclass
class Writes:
    """What a batch writes, in the order in which it came about."""

    answers: list[Written] = field(default_factory=list)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    statuses: dict[str, Status | None] = field(default_factory=dict)
    held: dict[Position, Hold] = field(default_factory=dict)
    released: set[Position] = field(default_factory=set)
    failed: list[tuple[RawRecord, Position, str | None, str]] = field(default_factory=list)
    queued: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)


def registrations_of(items: Iterable[Item | Fault]) -> set[str]:
    """The registrations that a batch needs, whichever kind of item names them."""
    return {item.registration for item in items if isinstance(item, Event | StatusChange)}


def problems_from(rows: Sequence[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Problems as they were stored."""
    return tuple(Problem(row["code"], row["path"], row["detail"]) for row in rows)


def problems_to(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems as they are stored."""
    return [{"code": p.code, "path": p.path, "detail": dict(p.detail)} for p in problems]


def dated(problems: tuple[Problem, ...], deadline: datetime) -> tuple[Problem, ...]:
    """What is held says until when it waited."""
    until = {"deadline": clock.render(deadline)}
    return tuple(replace(problem, detail={**problem.detail, **until}) for problem in problems)


def bound_name(event: Event) -> BoundName:
    """By what an event's source and id are bound, for its owner."""
    return event.kind.owner, event.source, event.id
