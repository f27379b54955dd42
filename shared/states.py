"""What mentoring and assessment publish of a registration with each fact: whole states of what stands."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.clock import Moment
from shared.events.catalogue import COMPLETED
from shared.events.data import ActivityType, Outcome

Reason = Literal["capacity_not_declared", "missed_in_a_row", "no_contact", "behind_schedule"]
Result = Literal["passed", "not_passed"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Activity(_Part):
    """A session or a mentoring that stands. `type` is None for mentoring; `attended`: wholly, in part, or held.

    `due`: it counts as one that the trainee should have had; a cancelled mentoring does not. `minutes` of attendance.
    """

    at: datetime
    partner: str
    type: ActivityType | None
    due: bool
    attended: bool
    missed: bool
    minutes: int


class Mentor(_Part):
    """A mentor of the trainee, from a moment until another took over or the trainee moved to another partner."""

    mentor_id: str
    partner: str
    begins: datetime
    ends: datetime | None


class Signal(_Part):
    """A reason to look after a trainee, from a day until the day on which it ends; no end: as long as nothing changes.

    A signal may begin on a day to come: from then on it holds unless something happens before.
    """

    reason: Reason
    begins: date
    ends: date | None = None


class MentoringState(_Part):
    """What mentoring holds of a registration. `version` grows with each change."""

    version: int
    activities: tuple[Activity, ...] = ()
    mentors: tuple[Mentor, ...] = ()
    minimum_met: datetime | None = None
    signals: tuple[Signal, ...] = ()


class Attempt(_Part):
    """A submission of a unit, and what was decided on it."""

    unit_code: str
    attempt: int
    partner: str
    submitted: datetime
    decided: datetime | None = None
    decided_by: str | None = None
    assessor_id: str | None = None
    outcome: Outcome | None = None


class AssessmentState(_Part):
    """What assessment holds of a registration. `result` is there once every unit of the cohort is decided."""

    version: int
    attempts: tuple[Attempt, ...] = ()
    completed: datetime | None = None
    order: int = COMPLETED.order
    result: Result | None = None

    @property
    def completion(self) -> Moment | None:
        """When the course was completed, if that stands."""
        return Moment(self.completed, self.order) if self.completed else None
