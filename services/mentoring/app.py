"""The wiring of mentoring: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from faststream.asgi import AsgiFastStream
from pydantic import Field

from services.mentoring.domain import OWNER
from services.mentoring.judge import mentoring_judge
from services.mentoring.risk import USUAL, Thresholds
from shared.owner import make_owner
from shared.settings import Settings


class MentoringSettings(Settings):
    """The settings of mentoring: from when on a trainee counts as at risk. A change shows with the next fact."""

    risk_missed_in_a_row: int = Field(
        default=USUAL.missed_in_a_row, ge=1, description="After so many activities missed without one attended."
    )
    risk_no_contact_days: int = Field(
        default=USUAL.no_contact_days, ge=1, le=3660, description="So many days after the last contact."
    )
    risk_sessions_behind: int = Field(
        default=USUAL.sessions_behind, ge=0, description="While more planned sessions than that were not attended."
    )

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds as the rules take them."""
        return Thresholds(self.risk_missed_in_a_row, self.risk_no_contact_days, self.risk_sessions_behind)


def make(settings: MentoringSettings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    return make_owner(OWNER, partial(mentoring_judge, thresholds=settings.thresholds), settings, stop)
