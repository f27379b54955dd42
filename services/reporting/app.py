"""The wiring of reporting's consumer: the only place that builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from faststream.asgi import AsgiFastStream
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.identities import Identities, ReportingMetrics
from services.reporting.projection import READ
from services.reporting.projector import project
from services.reporting.receipts import keep
from shared import relay, topics, watch
from shared.consumer import Newcomers, Reader
from shared.database import make_engine, transaction
from shared.kafka import make_broker, subscribe
from shared.pipeline import Done
from shared.records import RawRecord
from shared.relay import Relayed, Snapshot
from shared.runtime import Process, Step, make_app
from shared.settings import Settings

NAME = "reporting"
PACE_SECONDS: Final = 0.25
"""Nobody's system waits for a view: at 200 events a second larger batches halve what reporting takes of a full machine,
which is left to the services that answer."""


def make(settings: Settings, stop: Callable[[], None]) -> AsgiFastStream:
    """The application."""
    engine = make_engine(settings.database_url.get_secret_value())
    metrics, broker = ReportingMetrics(), make_broker(settings)

    async def take_facts(batch: Sequence[RawRecord]) -> Done:
        return await project(engine, batch)

    async def take_receipts(batch: Sequence[RawRecord]) -> Done:
        return await keep(engine, batch)

    told = Reader(engine, metrics, take_facts, stop, settings.batch_records, PACE_SECONDS)
    answered = Reader(engine, metrics, take_receipts, stop, settings.batch_records, PACE_SECONDS)
    told.consumer = subscribe(broker, settings, NAME, told.handle, topics=READ, listener=told)
    answered.consumer = subscribe(
        broker,
        settings,
        topics.RECEIPTS_GROUP,
        answered.handle,
        pattern=topics.RECEIPTS_PATTERN,
        listener=answered,
    )
    readers = (told, answered)
    for reader in readers:
        reader.ready.set()
    failed = metrics.sweep_failures.labels(relay.STEP).inc
    relayed = Relayed(engine, settings, (), _nothing_to_tell, lambda count: metrics.published.inc(count), failed)
    steps = _steps(engine, settings, metrics, told, answered)
    return make_app(Process(NAME, settings, engine, broker, metrics, readers, relayed, steps))


async def _nothing_to_tell() -> Snapshot | None:
    """Nobody waits for reporting, so it tells no progress."""
    return None


def _steps(
    engine: AsyncEngine, settings: Settings, metrics: ReportingMetrics, told: Reader, answered: Reader
) -> tuple[Step, ...]:
    margin = timedelta(seconds=settings.reading_margin_seconds)
    newcomers = Newcomers(answered)

    async def show_outbox() -> None:
        async with transaction(engine) as tx:
            await watch.show_outbox(tx, metrics)

    async def note_reading() -> None:
        for reader in (told, answered):
            if consumer := reader.running():
                await watch.read_line(engine, consumer, margin, metrics)

    return show_outbox, note_reading, newcomers.look, Identities(engine, metrics).check_identities
