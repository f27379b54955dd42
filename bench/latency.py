"""How long a partner waits, at a steady pace: for a bare hop through the broker, for the receipt, for its view."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]  # its exports are not marked as such

from bench.figures import HANDED_ON, OWN, Seconds, Waits, spread
from bench.series import PARTNER
from bench.stage import TOPIC, Stage
from senconet import publisher
from senconet.publisher import FINAL, Outgoing
from shared import topics
from shared.events.catalogue import BY_WIRE, COMPLETED, REGISTERED
from shared.kafka import reading
from shared.producer import BatchProducer, InFlight

PATIENCE: Final = 60.0


@dataclass
class Sent:
    """What was sent, by offset: each record, and when the broker had acknowledged it."""

    records: dict[int, Outgoing] = field(default_factory=dict)
    acknowledged: dict[int, float] = field(default_factory=dict)


@dataclass
class Heard:
    """What came back, and when: final outcomes and the offsets that waited, registrations first seen in the view."""

    final: dict[int, tuple[float, str]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    shown: dict[bytes, float] = field(default_factory=dict)
    completed: dict[bytes, float] = field(default_factory=dict)


async def measured(stage: Stage, records: Sequence[Outgoing], rate: int) -> Waits:
    """Send the same records, so many a second, first through a topic of their own and then through the system."""
    hop = await _hop(stage, records, rate)
    return compared(hop, *await _through_the_system(stage, records, rate))


async def _paced(records: Sequence[Outgoing], rate: int) -> AsyncIterator[Outgoing]:
    """One after another, so many a second; who is late catches up."""
    began = time.monotonic()
    for number, record in enumerate(records):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        yield record


async def _hop(stage: Stage, records: Sequence[Outgoing], rate: int) -> Seconds:
    """From the call of send to the consumer's hands, by bare clients, over a topic that nobody else uses."""
    topic = f"benchmark.hop.{rate}"
    admin = stage.programme.system.engines.kafka.admin()
    for future in admin.create_topics([NewTopic(topic, 1, -1)]).values():
        await asyncio.to_thread(future.result, 15)
    place = TopicPartition(topic, 0)
    sent: list[tuple[float, asyncio.Future[RecordMetadata]]] = []
    seen: dict[int, float] = {}
    producer = AIOKafkaProducer(**stage.options, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        async with reading(stage.options) as consumer:
            consumer.assign([place])
            async with _listening(_note_offsets(consumer, seen)):
                async for record in _paced(records, rate):
                    called = time.monotonic()
                    future = await producer.send(topic, record.value, record.key, headers=list(record.headers))
                    sent.append((called, future))
                await _until_all(seen, len(sent))
    finally:
        await producer.stop()
    return spread([seen[(await future).offset] - called for called, future in sent])


async def _note_offsets(consumer: AIOKafkaConsumer, seen: dict[int, float]) -> None:
    while True:
        for rows in (await consumer.getmany(timeout_ms=200)).values():
            now = time.monotonic()
            seen.update((row.offset, now) for row in rows)


async def _through_the_system(stage: Stage, records: Sequence[Outgoing], rate: int) -> tuple[Sent, Heard]:
    """Send records as the partner and hear what comes of them."""
    sent, heard = Sent(), Heard()
    view = TopicPartition(topics.view(PARTNER), 0)
    async with (
        publisher.publishing(stage.partner) as producer,
        publisher.receipts_of(stage.partner, PARTNER) as receipts,
        reading(stage.partner.client_options()) as views,
    ):
        views.assign([view])
        async with _listening(_note_receipts(receipts, heard)), _listening(_note_views(views, heard)):
            await _send(producer, records, rate, sent)
            await _until_all(heard.final, len(records))
            await asyncio.sleep(1)  # the last views follow their receipts
    return sent, heard


async def _send(producer: BatchProducer, records: Sequence[Outgoing], rate: int, sent: Sent) -> None:
    async with asyncio.TaskGroup() as acknowledging:
        async for record in _paced(records, rate):
            flying = await producer.send([(TOPIC, record.key, record.value, record.headers)])
            acknowledging.create_task(_note_acknowledged(producer, flying, record, sent))


async def _note_acknowledged(producer: BatchProducer, flying: Sequence[InFlight], record: Outgoing, sent: Sent) -> None:
    ((_, _, offset),) = await producer.acknowledged(flying)
    sent.records[offset], sent.acknowledged[offset] = record, time.monotonic()


async def _note_receipts(consumer: AIOKafkaConsumer, heard: Heard) -> None:
    while True:
        fresh = await publisher.next_receipts(consumer)
        now = time.monotonic()
        for receipt in fresh:
            if receipt.outcome in FINAL:
                heard.final.setdefault(receipt.offset, (now, receipt.outcome))
            else:
                heard.held.add(receipt.offset)


async def _note_views(consumer: AIOKafkaConsumer, heard: Heard) -> None:
    while True:
        for rows in (await consumer.getmany(timeout_ms=200)).values():
            now = time.monotonic()
            for row in rows:
                heard.shown.setdefault(row.key, now)
                if row.value and json.loads(row.value)["completed"]:
                    heard.completed.setdefault(row.key, now)


def compared(hop: Seconds, sent: Sent, heard: Heard) -> Waits:
    """What was sent against what was heard. A record that waited for its other half is left out; a view is told of
    registrations and completions: they show at once.
    """
    answered: dict[str, list[float]] = {OWN: [], HANDED_ON: []}
    to_view: list[float] = []
    for offset in sent.records.keys() & heard.final.keys() - heard.held:
        record, since = sent.records[offset], sent.acknowledged[offset]
        when, outcome = heard.final[offset]
        kind = BY_WIRE.get((dict(record.headers).get("ce_type") or b"").decode("utf-8", "replace"))
        answered[HANDED_ON if kind and kind.owner != OWN else OWN].append(when - since)
        seen = {REGISTERED: heard.shown, COMPLETED: heard.completed}.get(kind) if kind else None
        if outcome == "accepted" and seen and record.key in seen:
            to_view.append(seen[record.key] - since)
    return Waits(hop, {owner: spread(seconds) for owner, seconds in answered.items()}, spread(to_view))


@asynccontextmanager
async def _listening(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Listen while the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until_all(seen: Mapping[int, object], count: int) -> None:
    """Wait until so many have been seen, or no more are to be hoped for."""
    end = time.monotonic() + PATIENCE
    while True:
        await asyncio.sleep(0.1)
        if len(seen) >= count or time.monotonic() > end:
            return
