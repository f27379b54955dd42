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
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512

from shared.record_batches import read_every_batch
from shared.records import RawRecord
from shared.settings import Settings

Handler = Callable[[RawRecord], Awaitable[None]]
FETCH_MS: Final = 500
FETCH_AFTER_SECONDS: Final = 1.0


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
