"""The event types: name, owner, data, place in the total order. The owner of a record follows from its type alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from shared.events import data
from shared.events.data import Data

TYPE_PREFIX: Final = "uk.eysenco."
VOIDED: Final = ".voided"
SUPERSEDED: Final = ".superseded"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event.

    `order` breaks ties between facts of one moment (reference: events 4.8). `day` says where a fact of day
    precision stands in its London day: openers at the start, closers at the last microsecond, all else at noon.
    `once_by` are the fields of which one registration has one fact at most (reference: events 6); None: no such bound.
    """

    name: str
    owner: str
    order: int
    data: type[Data]
    day: Literal["start", "noon", "end"]
    once_by: tuple[str, ...] | None = None
    corrects: str | None = None

    @property
    def wire(self) -> str:
        """The CloudEvents `type`."""
        return wire(self.name)

    @property
    def supersedes(self) -> bool:
        """Whether it replaces what it corrects; a correction that does not takes it back."""
        return self.name.endswith(SUPERSEDED)


def wire(name: str, major: int = 1) -> str:
    """The CloudEvents `type` of a name: prefix, subject, fact, major version."""
    return f"{TYPE_PREFIX}{name}.v{major}"


REGISTERED: Final = EventType("trainee.registered", "enrolment", 0, data.Registered, "start")
MENTOR: Final = EventType("mentor.assigned", "mentoring", 1, data.MentorAssigned, "start")
SESSION: Final = EventType("session.attended", "mentoring", 2, data.SessionAttended, "noon", ("session_id",))
MENTORING: Final = EventType("mentoring.held", "mentoring", 3, data.MentoringHeld, "noon", ("mentoring_id",))
SUBMITTED: Final = EventType(
    "portfolio.submitted", "assessment", 4, data.PortfolioSubmitted, "noon", ("unit_code", "attempt")
)
DECIDED: Final = EventType(
    "assessment.decided", "assessment", 5, data.AssessmentDecided, "noon", ("unit_code", "attempt")
)
DEFERRED: Final = EventType("trainee.deferred", "enrolment", 7, data.Deferred, "end")
RESUMED: Final = EventType("trainee.resumed", "enrolment", 8, data.Resumed, "start")
OFFERED: Final = EventType("transfer.offered", "enrolment", 11, data.TransferOffered, "noon", ("transfer_id",))
ACCEPTED: Final = EventType("transfer.accepted", "enrolment", 12, data.TransferAccepted, "noon")
DECLINED: Final = EventType("transfer.declined", "enrolment", 13, data.TransferDeclined, "noon")
CANCELLED: Final = EventType("transfer.cancelled", "enrolment", 14, data.TransferCancelled, "noon")
COMPLETED: Final = EventType("trainee.completed", "assessment", 15, data.Completed, "end", ())
WITHDREW: Final = EventType("trainee.withdrew", "enrolment", 16, data.Withdrew, "end")

TRANSFERS: Final = (OFFERED, ACCEPTED, DECLINED, CANCELLED)
"""The handshake by which a trainee moves between partners; it is answered, never corrected."""

ANSWERS: Final = (ACCEPTED, DECLINED, CANCELLED)
"""Those of the handshake that answer an offer: they need not come from the owner of the registration."""

_CORRECTABLE: Final = (
    *(REGISTERED, MENTOR, SESSION, MENTORING, SUBMITTED, DECIDED),
    *(DEFERRED, RESUMED, COMPLETED, WITHDREW),
)


def _correction(kind: EventType, suffix: str, shape: type[Data]) -> EventType:
    return EventType(kind.name + suffix, kind.owner, kind.order, shape, "noon", corrects=kind.name)


def _corrections(kind: EventType) -> tuple[EventType, EventType]:
    replaced = data.Superseded[kind.data]  # type: ignore[name-defined]  # a model made for this type
    return _correction(kind, VOIDED, data.Voided), _correction(kind, SUPERSEDED, replaced)


BY_NAME: Final = {
    kind.name: kind for kind in (*(k for fact in _CORRECTABLE for k in (fact, *_corrections(fact))), *TRANSFERS)
}
BY_WIRE: Final = {kind.wire: kind for kind in BY_NAME.values()}
