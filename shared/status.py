"""The status of a registration: dated periods that enrolment keeps and every owner is told.

`admits` is the one function by which the door answers, and by which owners say what stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from shared.clock import Moment
from shared.events.catalogue import (
    ANSWERS,
    COMPLETED,
    MENTOR,
    MENTORING,
    OFFERED,
    SESSION,
    SUBMITTED,
    EventType,
)
from shared.topics import LEAD

State = Literal["registered", "deferred", "withdrawn", "voided"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Period(_Part):
    """From a moment on (time, then order of the type that began it) until the next period begins."""

    begins: datetime
    order: int
    state: State
    partner: str
    cohort: str
    setting_key: str
    provider_type: str
    reason: str | None = None
    reason_group: str | None = None

    @property
    def moment(self) -> Moment:
        """When the period begins."""
        return Moment(self.begins, self.order)


class Place(_Part):
    """Where the registration's setting lies, from a day on; codes are those valid then."""

    valid_from: date
    valid_to: date | None
    la_code: str
    la_name: str
    region_code: str
    region_name: str


class Status(_Part):
    """A registration's whole status. `version` grows with each change; a reader ignores a lower one.

    `capacity_declared` and `places_allocation` are what was told at registration.
    """

    version: int
    periods: tuple[Period, ...]
    places: tuple[Place, ...] = ()
    capacity_declared: bool = False
    places_allocation: str = ""

    @property
    def latest(self) -> Period:
        """The period after all accepted facts."""
        return self.periods[-1]

    @property
    def voided(self) -> bool:
        """Whether the registration was taken back: then nothing is admitted, whatever its date."""
        return self.latest.state == "voided"

    def knows(self, partner: str) -> bool:
        """Whether the registration is or was this partner's, or the lead asks."""
        return partner == LEAD or self.has_been_with(partner)

    def has_been_with(self, partner: str) -> bool:
        """Whether the registration is or was this partner's."""
        return any(period.partner == partner for period in self.periods)

    def at(self, moment: Moment) -> Period | None:
        """The period of a moment; None before the registration's own moment."""
        latest = self.periods[-1]
        if latest.state == "voided" or (latest.begins, latest.order) <= moment:  # nearly always
            return latest
        return next((period for period in reversed(self.periods) if period.moment <= moment), None)


_PAUSED: Final[Mapping[str, str]] = {"deferred": "while_deferred", "withdrawn": "after_withdrawal"}

# Which states refuse a type that enrolment does not own, and with which code (reference: events 5).
REFUSED_IN: Final[Mapping[str, Mapping[str, str]]] = {
    SESSION.name: _PAUSED,
    MENTORING.name: _PAUSED,
    SUBMITTED.name: _PAUSED,
    COMPLETED.name: _PAUSED,
    MENTOR.name: {"withdrawn": "after_withdrawal"},
}


def admits(status: Status | None, sender: str, kind: EventType, moment: Moment) -> str | None:
    """The code with which a status refuses a record of this sender, type and moment; None if it admits it.

    The first of: not known, not yours, voided, refused by the state (reference: events 4.3, stage 4).
    """
    if kind.corrects is not None:
        return _admits_correction(status, sender)
    period = status.at(moment) if status else None
    if status is None or period is None:
        return "registration_unknown"
    own = status.has_been_with(sender) if status.voided else period.partner == sender
    if not own and not _exempt(sender, kind):
        return "not_your_trainee"
    if status.voided:
        return "registration_voided"
    return REFUSED_IN.get(kind.name, {}).get(period.state)


def _exempt(sender: str, kind: EventType) -> bool:
    """Whether a record need not come from the owner (reference: events 8): answers to offers, the lead's offers."""
    return kind in ANSWERS or (sender == LEAD and kind is OFFERED)


def _admits_correction(status: Status | None, sender: str) -> str | None:
    """A correction is judged by the state after all facts, and tells a stranger nothing of the registration."""
    if status is None:
        return "target_unknown"
    if status.voided:
        return "registration_voided" if status.knows(sender) else "target_unknown"
    return None
