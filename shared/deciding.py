"""The process of a deciding service: one reader that answers, one that learns, the relay, and the regular sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from faststream.asgi import AsgiFastStream
from faststream.kafka import KafkaBroker

from shared import absorb, progress, relay, sweep, topics, watch
from shared.absorb import SettingsMoved
from shared.consumer import Newcomers, Reader
from shared.kafka import make_broker, subscribe
from shared.metrics import Metrics
from shared.pipeline import Deciding, Done, process
from shared.records import RawRecord
from shared.relay import Relayed
from shared.runtime import Process, Step, make_app
from shared.settings import Settings


@dataclass(frozen=True)
class Inbound:
    """What a deciding service answers: a pattern of topics, or topics by name."""

    pattern: str | None = None
    topics: Sequence[str] = ()


def make_deciding(
    service: Deciding,
    settings: Settings,
    stop: Callable[[], None],
    inbound: Inbound,
    *,
    listens_to: Sequence[str] = (),
    hands_on_to: Sequence[str] = (),
    settings_moved: SettingsMoved | None = None,
) -> AsgiFastStream:
    """The application. `listens_to` are services whose progress counts here, `hands_on_to` the owners it feeds."""
    metrics, broker = Metrics(), make_broker(settings)
    answering = _answering(service, settings, broker, metrics, stop, inbound)
    learning = _learning(service, settings, broker, metrics, stop, listens_to, settings_moved)
    relayed = Relayed(
        service.engine,
        settings,
        [topics.requests(owner) for owner in hands_on_to],
        lambda: progress.take_snapshot(service),
        lambda count: metrics.published.inc(count),
        metrics.sweep_failures.labels(relay.STEP).inc,
    )
    readers = (answering, learning)
    steps = _steps(service, settings, metrics, answering, learning)
    return make_app(Process(service.name, settings, service.engine, broker, metrics, readers, relayed, steps))


def _answering(
    service: Deciding,
    settings: Settings,
    broker: KafkaBroker,
    metrics: Metrics,
    stop: Callable[[], None],
    inbound: Inbound,
) -> Reader:
    """Reads what the service answers."""

    async def answer(batch: Sequence[RawRecord]) -> Done:
        return await process(service, batch)

    reader = Reader(service.engine, metrics, answer, stop, settings.batch_records)
    reader.consumer = subscribe(
        broker,
        settings,
        service.name,
        reader.handle,
        topics=inbound.topics,
        pattern=inbound.pattern,
        listener=reader,
    )
    return reader


def _learning(
    service: Deciding,
    settings: Settings,
    broker: KafkaBroker,
    metrics: Metrics,
    stop: Callable[[], None],
    listens_to: Sequence[str],
    settings_moved: SettingsMoved | None,
) -> Reader:
    """Reads reference data, and the progress of services that are listened to."""

    async def learn(batch: Sequence[RawRecord]) -> Done:
        return await absorb.absorb(service.engine, batch, settings_moved)

    reader = Reader(service.engine, metrics, learn, stop, settings.batch_records)
    reader.ready.set()
    told = [topics.reference(kind) for kind in topics.REFERENCE_KINDS] + [
        topics.progress(other) for other in listens_to
    ]
    group = topics.learning_group(service.name)
    reader.consumer = subscribe(broker, settings, group, reader.handle, topics=told, listener=reader)
    return reader


def _steps(
    service: Deciding, settings: Settings, metrics: Metrics, answering: Reader, learning: Reader
) -> tuple[Step, ...]:
    margin = timedelta(seconds=settings.reading_margin_seconds)
    newcomers = Newcomers(answering)

    async def make_ready() -> None:
        told = learning.running()
        if told and not answering.ready.is_set() and await absorb.reference_is_read(service.engine, told):
            answering.ready.set()

    async def note_reading() -> None:
        if consumer := answering.running():
            await watch.read_line(service.engine, consumer, margin, metrics)

    async def answer_queues() -> None:
        answering.count(await sweep.answer_queues(service))

    async def end_holds() -> None:
        answering.count(await sweep.end_holds(service))

    async def show_waiting() -> None:
        await watch.show_waiting(service.engine, metrics)

    async def send_held_receipts() -> None:
        await sweep.send_held_receipts(service)

    return (show_waiting, make_ready, newcomers.look, note_reading, send_held_receipts, answer_queues, end_holds)
