"""The wiring of assessment: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from faststream.asgi import AsgiFastStream
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assessment.store import close_judge, open_judge
from shared import handover, progress, topics
from shared.contract import Event
from shared.database import make_engine
from shared.deciding import Inbound, make_deciding
from shared.judging import Item
from shared.pipeline import Deciding
from shared.records import RawRecord
from shared.reference import Reference
from shared.settings import Settings

NAME = "assessment"
DOOR = "enrolment"


def deciding(settings: Settings) -> Deciding:
    """Assessment as the pipeline sees it: it reads requests, and the door tells up to when all has come."""
    return Deciding(
        name=NAME,
        engine=make_engine(settings.database_url.get_secret_value()),
        read=_read,
        read_again=_read_again,
        locate=handover.locate,
        open=open_judge,
        close=close_judge,
        received_until=_received_until,
        blocked=_blocked,
        hold_for=timedelta(seconds=settings.hold_seconds),
        held_receipt_after=timedelta(seconds=settings.held_receipt_seconds),
    )


def _read(raw: RawRecord, reference: Reference) -> Item:
    return handover.read(raw)


def _read_again(raw: RawRecord) -> Event:
    event = handover.read(raw)
    assert isinstance(event, Event)
    return event


async def _received_until(tx: AsyncConnection) -> datetime | None:
    told = await progress.told_by(tx, DOOR)
    return progress.instants(told, "received_until") if told else None


async def _blocked(tx: AsyncConnection) -> frozenset[tuple[str, str]]:
    """Queues here, and at the door."""
    told = await progress.told_by(tx, DOOR)
    return await progress.open_queues(tx) | (progress.queues_of(told) if told else frozenset())


def make(settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    inbound = Inbound(topics=[topics.requests(NAME)])
    return make_deciding(deciding(settings), settings, stop, inbound, listens_to=[DOOR])
