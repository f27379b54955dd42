"""The event types: name, owner, data, place in the total order. The owner of a record follows from its type alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shared.events.data import Completed, Data, Deferred, Registered, Resumed, Voided, Withdrew

TYPE_PREFIX: Final = "uk.eysenco."
VOIDED: Final = ".voided"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    `order` breaks ties between facts of one moment (reference: events 4.8). `day` says where a fact of day
    precision stands in its London day: openers at the start, closers at the last microsecond, all else at noon.
    """

    name: str
    owner: str
    order: int
    data: type[Data]
    day: Literal["start", "noon", "end"]
    corrects: str | None = None

    @property
    def wire(self) -> str:
        """The CloudEvents `type`."""
        return wire(self.name)


def wire(name: str, major: int = 1) -> str:
    """The CloudEvents `type` of a name: prefix, subject, fact, major version."""
    return f"{TYPE_PREFIX}{name}.v{major}"


REGISTERED: Final = EventType("trainee.registered", "enrolment", 0, Registered, "start")
DEFERRED: Final = EventType("trainee.deferred", "enrolment", 7, Deferred, "end")
RESUMED: Final = EventType("trainee.resumed", "enrolment", 8, Resumed, "start")
COMPLETED: Final = EventType("trainee.completed", "assessment", 15, Completed, "end")
WITHDREW: Final = EventType("trainee.withdrew", "enrolment", 16, Withdrew, "end")


def _voiding(kind: EventType) -> EventType:
    return EventType(kind.name + VOIDED, kind.owner, kind.order, Voided, "noon", corrects=kind.name)


_FACTS: Final = (REGISTERED, DEFERRED, RESUMED, COMPLETED, WITHDREW)

BY_NAME: Final = {kind.name: kind for fact in _FACTS for kind in (fact, _voiding(fact))}
BY_WIRE: Final = {kind.wire: kind for kind in BY_NAME.values()}
