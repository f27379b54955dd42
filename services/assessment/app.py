"""The wiring of assessment: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable

from faststream.asgi import AsgiFastStream

from services.assessment.domain import OWNER
from services.assessment.judge import assessment_judge
from shared.owner import make_owner
from shared.settings import Settings


def make(settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    return make_owner(OWNER, assessment_judge, settings, stop)
