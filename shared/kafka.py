"""Kafka clients: the broker, the one factory of subscribers, and bounded reads of topics.

FastStream's own parser loses a batch in which one header is not UTF-8, and its decoder loops on bad JSON
(ag2ai/faststream #2458); so every subscriber is made here, with a parser and a decoder that leave records alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

from shared.record_batches import read_every_batch
from shared.records import RawRecord
from shared.settings import Settings

Handler = Callable[[RawRecord], Awaitable[None]]
Header = tuple[str, bytes | None]
Sent = tuple[int, asyncio.Future[RecordMetadata]]
"""How many records a batch in flight holds, and what tells where it came to lie."""

FETCH_MS: Final = 500
FETCH_AFTER_SECONDS: Final = 1.0

_BATCH_BYTES: Final = 512 * 1024
"""Far below what a topic takes as one batch."""


def make_broker(settings: Settings) -> KafkaBroker:
    """The broker of a service. Nothing is published through it: what goes out goes by the outbox."""
    read_every_batch()
    password = settings.kafka_password.get_secret_value()
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),
        client_id=settings.kafka_username,
        security=SASLScram512(settings.kafka_username, password, use_ssl=False),
        allow_auto_create_topics=False,
        metadata_max_age_ms=int(settings.metadata_seconds * 1000),
        logger=logging.getLogger("senconet.faststream"),
        graceful_timeout=10,
    )


async def _parse(message: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """Show FastStream a record without its headers, and give it back whole."""
    parsed = await original(dataclasses.replace(message, headers=()))
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
    """Make a subscriber; returns how to get at its consumer once it runs.

    The handler is given one record as soon as there is one, and takes what else has been fetched from the consumer: by
    batches FastStream sleeps between its looks. It goes back itself if it fails (`shared.consumer`). What the client
    commits in the background is for those who watch a group's lag; where to go on says the database. Members are not
    static: one that comes back is given its old partitions, is not told that it leads, and then nobody looks for new
    topics (KIP-814 is beyond this client).
    """
    subscriber = broker.subscriber(
        *topics,
        pattern=pattern,
        group_id=group,
        fetch_max_wait_ms=FETCH_MS,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK_FIRST,
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
        raw: Any = message.raw_message
        await handler(raw_record(raw))

    return lambda: subscriber.consumer


def fetch_all_at_once(consumer: AIOKafkaConsumer) -> None:
    """Have a consumer that runs ask for all its partitions together, once what it holds is taken.

    By itself it waits for that for 0.1 s only. Then it asks for the others alone, and nothing is fetched of those that
    were left out until something comes there or `FETCH_MS` are over: a fifth of intake's time. The client offers no
    public way.
    """
    consumer._fetcher._prefetch_backoff = FETCH_AFTER_SECONDS


def others_first(consumer: AIOKafkaConsumer, places: Iterable[TopicPartition]) -> None:
    """Have what was fetched of other partitions handed out before more of these.

    By itself the client goes on with the first partition until nothing of it is left, and a packed batch of a mebibyte
    may hold millions of records. It offers no public way.
    """
    fetched = consumer._fetcher._records
    for place in places:
        if place in fetched:
            fetched.move_to_end(place)


def join_anew(consumer: AIOKafkaConsumer) -> None:
    """Join the group once more; see `shared.consumer.Newcomers`.

    The client offers no public way: to subscribe anew under the same pattern does not make it join.
    """
    consumer._coordinator.request_rejoin()


def raw_record(record: ConsumerRecord[Any, Any]) -> RawRecord:
    """A consumed record as it lies in its topic."""
    received = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return RawRecord(
        record.topic, record.partition, record.offset, received, record.key, record.value, tuple(record.headers)
    )


def client_options(bootstrap: str, username: str, password: str) -> dict[str, Any]:
    """What every client of ours connects with."""
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }


Outgoing = tuple[str, bytes | None, bytes | None, Sequence[Header]]
"""Topic, key, value and headers of a record to publish."""

Place = tuple[str, int, int]
"""Topic, partition and offset of a record that the broker has taken."""


class BatchProducer:
    """Publishes records in order, as few batches: the broker and we pay for each batch far more than for a record.

    What is acknowledged, all replicas have, once each. A record without a key goes to the first partition. What is not
    acknowledged within the time given counts as failed.
    """

    def __init__(self, options: Mapping[str, Any], timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._client = AIOKafkaProducer(
            **options,
            enable_idempotence=True,
            acks="all",
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * 1024 * 1024,
            request_timeout_ms=int(timeout_seconds * 1000),
        )

    async def start(self) -> None:
        """Connect, within the time given."""
        await asyncio.wait_for(self._client.start(), self._timeout)

    async def stop(self) -> None:
        """Send or give up all that is in flight, within the time given."""
        await asyncio.wait_for(self._client.stop(), self._timeout)

    async def send(self, records: Sequence[Outgoing]) -> list[Sent]:
        """Send records and do not wait: what `acknowledged` waits for."""
        partitions = {
            topic: len(await self._client.partitions_for(topic)) for topic in {record[0] for record in records}
        }
        batches: dict[tuple[str, int], BatchBuilder] = {}
        sent: list[Sent] = []
        for topic, key, value, headers in records:
            place = topic, _hash(key) % partitions[topic] if key else 0
            batch = batches.get(place) or self._client.create_batch()
            record = {"timestamp": None, "key": key, "value": value, "headers": list(headers)}
            if batch.append(**record) is None:
                sent.append(await self._send_batch(batch, place))
                batch = self._client.create_batch()
                batch.append(**record)
            batches[place] = batch
        return sent + [await self._send_batch(batch, place) for place, batch in batches.items()]

    async def _send_batch(self, batch: BatchBuilder, place: tuple[str, int]) -> Sent:
        topic, partition = place
        return batch.record_count(), await self._client.send_batch(batch, topic, partition=partition)

    async def acknowledged(self, sent: Sequence[Sent]) -> list[Place]:
        """Where the records lie, each partition in order, once the broker has taken them.

        There is a bound: a producer whose broker is gone would wait for ever (aiokafka #1101).
        """
        told = await asyncio.wait_for(asyncio.gather(*(future for _, future in sent)), 2 * self._timeout)
        return [
            (first.topic, first.partition, first.offset + number)
            for (count, _), first in zip(sent, told, strict=True)
            for number in range(count)
        ]


@lru_cache(maxsize=20_000)
def _hash(key: bytes) -> int:
    """By what all clients of Kafka's own kind choose a key's partition."""
    return int(murmur2(key)) & 0x7FFF_FFFF


@asynccontextmanager
async def producing(options: Mapping[str, Any], timeout_seconds: float) -> AsyncIterator[BatchProducer]:
    """A producer, stopped at the end whatever happens."""
    producer = BatchProducer(options, timeout_seconds)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


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
