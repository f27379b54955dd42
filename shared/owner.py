"""The process of an owner: it reads its requests, and the door tells up to when all has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from faststream.asgi import AsgiFastStream

from shared import handover, progress, topics
from shared.asking import Asking, beside
from shared.contract import Event
from shared.database import Statement, make_engine
from shared.deciding import Inbound, make_deciding
from shared.judging import Item, Judge
from shared.pipeline import Deciding
from shared.records import RawRecord
from shared.reference import Reference
from shared.settings import Settings

DOOR: Final = "enrolment"

JudgeOf = Callable[[Reference], Judge]
"""Makes the judge of a batch."""


def owner(name: str, judge_of: JudgeOf, settings: Settings) -> Deciding:
    """An owner as the pipeline sees it. It has no rows of its own beside those of the pipeline."""

    def open_judge(reference: Reference, events: Sequence[Event]) -> Asking[Judge]:
        yield ()
        return judge_of(reference)

    return Deciding(
        name=name,
        engine=make_engine(settings.database_url.get_secret_value()),
        read=_read,
        read_again=_read_again,
        locate=handover.locate,
        open=open_judge,
        close=_nothing_to_write,
        received_until=_received_until,
        blocked=_blocked,
        hold_for=timedelta(seconds=settings.hold_seconds),
        held_receipt_after=timedelta(seconds=settings.held_receipt_seconds),
    )


def make_owner(name: str, judge_of: JudgeOf, settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application of an owner."""
    inbound = Inbound(topics=[topics.requests(name)])
    return make_deciding(owner(name, judge_of, settings), settings, stop, inbound, listens_to=[DOOR])


def _nothing_to_write(judge: Judge) -> Sequence[Statement]:
    return ()


def _read(raw: RawRecord, reference: Reference) -> Item:
    return handover.read(raw)


def _read_again(raw: RawRecord) -> Event:
    event = handover.read(raw)
    assert isinstance(event, Event)
    return event


def _received_until() -> Asking[datetime | None]:
    told = yield from progress.told_by(DOOR)
    return progress.instants(told, "received_until") if told else None


def _blocked() -> Asking[frozenset[tuple[str, str]]]:
    """Queues here, and at the door."""
    told, queues = yield from beside(progress.told_by(DOOR), progress.open_queues())
    return queues | (progress.queues_of(told) if told else frozenset())
