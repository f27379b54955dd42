"""The wiring of reporting's consumer: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from faststream.asgi import AsgiFastStream
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.projection import READ
from services.reporting.projector import project
from shared import watch
from shared.consumer import Reader
from shared.database import make_engine, transaction
from shared.kafka import make_broker, subscribe
from shared.metrics import Metrics
from shared.pipeline import Done
from shared.records import RawRecord
from shared.relay import Relayed, Snapshot
from shared.runtime import Process, Step, make_app
from shared.settings import Settings

NAME = "reporting"


def make(settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    engine, metrics, broker = make_engine(settings.database_url.get_secret_value()), Metrics(), make_broker(settings)

    async def process(batch: Sequence[RawRecord]) -> Done:
        return await project(engine, batch)

    reader = Reader(engine, metrics, process, stop)
    reader.ready.set()
    reader.consumer = subscribe(broker, settings, NAME, reader.handle, topics=READ, listener=reader)
    relayed = Relayed(engine, settings, (), _nothing_to_tell, lambda count: metrics.published.inc(count))
    steps = _steps(engine, settings, metrics, reader)
    return make_app(Process(NAME, settings, engine, broker, metrics, (reader,), relayed, steps))


async def _nothing_to_tell() -> Snapshot | None:
    """Nobody waits for reporting, so it tells no progress."""
    return None


def _steps(engine: AsyncEngine, settings: Settings, metrics: Metrics, reader: Reader) -> tuple[Step, ...]:
    margin = timedelta(seconds=settings.reading_margin_seconds)

    async def show_outbox() -> None:
        async with transaction(engine) as tx:
            await watch.show_outbox(tx, metrics)

    async def note_reading() -> None:
        if consumer := reader.running():
            await watch.read_line(engine, consumer, margin, metrics)

    return show_outbox, note_reading
