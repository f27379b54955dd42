"""The wiring of enrolment: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from faststream.asgi import AsgiFastStream

from services.enrolment.domain import OWNER
from services.enrolment.judge import OWNERS
from services.enrolment.store import close_judge, move_places, open_judge
from shared import contract, progress, topics
from shared.database import make_engine
from shared.deciding import Inbound, make_deciding
from shared.pipeline import Deciding
from shared.settings import Settings


def deciding(settings: Settings) -> Deciding:
    """Enrolment as the pipeline sees it: it reads partners' records, and knows itself up to when it has."""
    return Deciding(
        name=OWNER,
        engine=make_engine(settings.database_url.get_secret_value()),
        read=contract.read,
        read_again=contract.read_again,
        locate=contract.locate,
        open=open_judge,
        close=close_judge,
        received_until=progress.door_received_until,
        blocked=progress.open_queues,
        hold_for=timedelta(seconds=settings.hold_seconds),
        held_receipt_after=timedelta(seconds=settings.held_receipt_seconds),
    )


def make(settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    return make_deciding(
        deciding(settings),
        settings,
        stop,
        Inbound(pattern=topics.EVENTS_PATTERN),
        hands_on_to=OWNERS,
        settings_moved=move_places,
    )
