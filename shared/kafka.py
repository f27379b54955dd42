"""Kafka clients: the broker, the one factory of subscribers, and bounded reads of topics.

FastStream's own parser loses a batch in which one header is not UTF-8, and its decoder loops on bad JSON
(ag2ai/faststream #2458); so every subscriber is made here, with a parser and a decoder that leave records alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

from shared.record_batches import read_any_header_name
from shared.records import RawRecord
from shared.settings import Settings

Handler = Callable[[list[RawRecord]], Awaitable[None]]


def make_broker(settings: Settings) -> KafkaBroker:
    """The broker of a service. Nothing is published through it: what goes out goes by the outbox."""
    read_any_header_name()
    password = settings.kafka_password.get_secret_value()
    return KafkaBroker(
        settings.kafka_bootstrap,
        client_id=settings.kafka_username,
        security=SASLScram512(settings.kafka_username, password, use_ssl=False),
        allow_auto_create_topics=False,
        metadata_max_age_ms=int(settings.metadata_seconds * 1000),
        logger=logging.getLogger("senconet.faststream"),
        graceful_timeout=10,
    )


async def _parse(message: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """Hide the headers from FastStream, and give the records back whole."""
    bare = tuple(dataclasses.replace(record, headers=()) for record in message)
    parsed = await original(bare)
    parsed.raw_message = message
    return parsed


async def _leave(message: Any) -> Any:
    return message.body


def subscribe(
    broker: KafkaBroker,
    settings: Settings,
    group: str,
    handler: Handler,
    *,
    topics: Sequence[str] = (),
    pattern: str | None = None,
    listener: ConsumerRebalanceListener | None = None,
) -> Callable[[], AIOKafkaConsumer | None]:
    """Make a subscriber of whole batches; returns how to get at its consumer once it runs.

    A handler that raises has its batch sought back: it sleeps before it raises, as a nack seeks at once. Members are
    not static: one that comes back is given its old partitions, is not told that it leads, and then nobody looks for
    new topics (KIP-814 is beyond this client).
    """
    subscriber = broker.subscriber(
        *topics,
        pattern=pattern,
        batch=True,
        group_id=group,
        max_records=settings.batch_records,
        batch_timeout_ms=200,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        session_timeout_ms=int(settings.session_seconds * 1000),
        heartbeat_interval_ms=int(settings.session_seconds * 1000 / 10),
        max_poll_interval_ms=600_000,
        listener=listener,
        parser=_parse,
        decoder=_leave,
        no_reply=True,
    )

    @subscriber
    async def handle(body: Any, message: KafkaMessage) -> None:
        raws: Any = message.raw_message
        await handler([raw_record(record) for record in raws])

    return lambda: subscriber.consumer


def join_anew(consumer: AIOKafkaConsumer, listener: ConsumerRebalanceListener, pattern: str | None) -> None:
    """Join the group once more under the same subscription; see `shared.consumer.Newcomers`."""
    if pattern:
        consumer.subscribe(pattern=pattern, listener=listener)
    else:
        consumer.subscribe(topics=sorted(consumer.subscription()), listener=listener)


def raw_record(record: ConsumerRecord[Any, Any]) -> RawRecord:
    """A consumed record as it lies in its topic."""
    received = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    headers = tuple((name, value) for name, value in record.headers)
    return RawRecord(record.topic, record.partition, record.offset, received, record.key, record.value, headers)


def client_options(bootstrap: str, username: str, password: str) -> dict[str, Any]:
    """What every client of ours connects with."""
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }


def make_producer(options: Mapping[str, Any], timeout_seconds: float) -> AIOKafkaProducer:
    """A producer that acknowledges only what all replicas have, once each."""
    return AIOKafkaProducer(
        **options,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_request_size=2 * 1024 * 1024,
        request_timeout_ms=int(timeout_seconds * 1000),
    )


@asynccontextmanager
async def producing(options: Mapping[str, Any], timeout_seconds: float) -> AsyncIterator[AIOKafkaProducer]:
    """A producer, stopped at the end whatever happens."""
    producer = make_producer(options, timeout_seconds)
    try:
        await producer.start()
        yield producer
    finally:
        await asyncio.wait_for(producer.stop(), timeout_seconds)


@asynccontextmanager
async def reading(options: Mapping[str, Any], group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without automatic commits, stopped at the end whatever happens."""
    consumer = AIOKafkaConsumer(
        **options,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=2000,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await asyncio.wait_for(consumer.stop(), 10)


async def read_to(
    consumer: AIOKafkaConsumer,
    ends: Mapping[TopicPartition, int],
    starts: Mapping[TopicPartition, int] | None = None,
) -> AsyncIterator[list[RawRecord]]:
    """All records from the starts (else the beginnings) up to the ends given, in batches; then it stops."""
    consumer.assign(list(ends))
    first = dict(await consumer.beginning_offsets(list(ends))) | dict(starts or {})
    for partition, offset in first.items():
        consumer.seek(partition, offset)
    left = {partition for partition, end in ends.items() if first[partition] < end}
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=1000, max_records=5000)
        for partition, rows in fetched.items():
            yield [raw_record(row) for row in rows if row.offset < ends[partition]]
        left = {partition for partition in left if await consumer.position(partition) < ends[partition]}
