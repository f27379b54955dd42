"""What reporting makes of the services' messages: one value a registration. Pure.

Messages carry whole states with versions, so the order between topics, and of copies, does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from shared import topics
from shared.clock import Moment
from shared.records import RawRecord
from shared.states import AssessmentState, MentoringState
from shared.status import Status

ENROLMENT: Final = topics.facts("enrolment")
MENTORING: Final = topics.facts("mentoring")
ASSESSMENT: Final = topics.facts("assessment")

State = Status | MentoringState | AssessmentState
Versioned = TypeVar("Versioned", Status, MentoringState, AssessmentState)
Shape = TypeVar("Shape", bound=BaseModel)


class Identity(BaseModel):
    """Identifiers of a registration: for the views of its partners, and for nothing else.

    `refs` are the partners' own references, each under its partner's code.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    trainee_id: str
    setting_urn: str
    refs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The newest that the services have told of a registration. No identity: not told yet, or erased."""

    registration: str
    status: Status | None = None
    mentoring: MentoringState | None = None
    assessment: AssessmentState | None = None
    identity: Identity | None = None

    @property
    def version(self) -> int:
        """A number that grows with each state that is told."""
        return sum(state.version for state in (self.status, self.mentoring, self.assessment) if state)

    @property
    def completed(self) -> Moment | None:
        """Since when the registration is shown as completed; None where no completion stands."""
        moment = self.assessment.completion if self.assessment else None
        if moment is None or self.status is None or self.status.voided:
            return None
        # It may be told before the status in which it stands: until that reaches back to it, it is not shown.
        return moment if self.status.at(moment) else None

    @property
    def start(self) -> datetime | None:
        """When training began: the earliest session or mentoring attended, or submission (reference: events 2)."""
        attended = [each.at for each in self.mentoring.activities if each.attended] if self.mentoring else []
        submitted = [each.submitted for each in self.assessment.attempts] if self.assessment else []
        return min((*attended, *submitted), default=None)


class _Body(BaseModel, Generic[Shape]):
    """The part of a fact that reporting reads. What is derived was sent by no partner."""

    model_config = ConfigDict(hide_input_in_errors=True)

    state: Shape
    partner: str | None = None


_BODIES: Final[Mapping[str, type[_Body[Status]] | type[_Body[MentoringState]] | type[_Body[AssessmentState]]]] = {
    ENROLMENT: _Body[Status],
    MENTORING: _Body[MentoringState],
    ASSESSMENT: _Body[AssessmentState],
}
READ: Final = (*_BODIES, topics.IDENTITY)
"""The topics that reporting makes registrations of."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message: a state and, if it tells of a partner's fact, that partner; or an identity, None where it ends."""

    topic: str
    registration: str
    told: State | Identity | None
    partner: str | None = None

    @property
    def fact(self) -> tuple[str, str, int, str] | None:
        """What tells one fact from another: topic, registration, version; and whose it is. None for what is derived."""
        if self.partner is None or self.told is None or isinstance(self.told, Identity):
            return None
        return self.topic, self.registration, self.told.version, self.partner


def read(record: RawRecord) -> Told:
    """What a message says."""
    assert record.key is not None, "every message of the services has a key"
    registration = record.key.decode()
    if record.topic == topics.IDENTITY:
        identity = Identity.model_validate_json(record.value) if record.value else None
        return Told(record.topic, registration, identity)
    assert record.value is not None, "facts are never erased from their topic"
    body = _BODIES[record.topic].model_validate_json(record.value)
    return Told(record.topic, registration, body.state, body.partner)


def fold(known: Known, messages: Iterable[Told]) -> Known:
    """What is known after some messages of the registration."""
    return reduce(take, messages, known)


def take(known: Known, message: Told) -> Known:
    """What is known after one message. A state of a lower or equal version changes nothing."""
    match message.told:
        case Status() as state:
            return replace(known, status=_newer(known.status, state))
        case MentoringState() as state:
            return replace(known, mentoring=_newer(known.mentoring, state))
        case AssessmentState() as state:
            return replace(known, assessment=_newer(known.assessment, state))
        case Identity() | None as identity:
            return replace(known, identity=identity)


def _newer(held: Versioned | None, told: Versioned) -> Versioned:
    return held if held is not None and told.version <= held.version else told
