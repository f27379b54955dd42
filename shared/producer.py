"""The producer of what a service or a partner's system sends: records in order, as few batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

Header = tuple[str, bytes | None]

Outgoing = tuple[str, bytes | None, bytes | None, Sequence[Header]]
"""Topic, key, value and headers of a record to publish."""

Place = tuple[str, int, int]
"""Topic, partition and offset of a record that the broker has taken."""

InFlight = tuple[str, int, asyncio.Future[RecordMetadata]]
"""The topic of a batch in flight, how many records it holds, and what tells where it came to lie."""

_BATCH_BYTES: Final = 512 * 1024
"""Far below what a topic takes as one batch."""

_REFUSALS: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""What the broker answers where it takes what is for other topics."""


class BatchProducer:
    """Publishes records in order, as few batches: the broker and we pay for each batch far more than for a record.

    What is acknowledged, all replicas have, once each. A record without a key goes to the first partition. What is not
    acknowledged within the time given counts as failed.
    """

    def __init__(self, options: Mapping[str, Any], timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._known: set[str] = set()
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

    async def missing(self, topics: Iterable[str]) -> set[str]:
        """Which of these topics the broker does not have, or has without a leader, of those that none was sent to.

        `send` would wait for them, and with them everything else.
        """
        client, missing = self._client.client, set(topics) - self._known
        for topic in missing:
            client.add_topic(topic)
        for _ in range(2 if missing else 0):  # the first may have been asked before
            await asyncio.wait_for(client.force_metadata_update(), self._timeout)
        self._known |= {topic for topic in missing if client.cluster.available_partitions_for_topic(topic)}
        return missing - self._known

    async def send(self, records: Sequence[Outgoing]) -> list[InFlight]:
        """Send records and do not wait: what `acknowledged` waits for."""
        partitions = {
            topic: len(await self._client.partitions_for(topic)) for topic in {record[0] for record in records}
        }
        batches: dict[tuple[str, int], BatchBuilder] = {}
        sent: list[InFlight] = []
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

    async def _send_batch(self, batch: BatchBuilder, place: tuple[str, int]) -> InFlight:
        topic, partition = place
        return topic, batch.record_count(), await self._client.send_batch(batch, topic, partition=partition)

    async def acknowledged(self, sent: Sequence[InFlight]) -> list[Place]:
        """Where the records lie, each partition in order, once the broker has taken them.

        There is a bound: a producer whose broker is gone would wait for ever (aiokafka #1101).
        """
        told = await asyncio.wait_for(asyncio.gather(*(future for *_, future in sent)), 2 * self._timeout)
        return [
            (first.topic, first.partition, first.offset + number)
            for (_, count, _), first in zip(sent, told, strict=True)
            for number in range(count)
        ]


def refusing(sent: Sequence[InFlight]) -> set[str]:
    """The topics for which the broker has refused what it takes for others."""
    done = ((topic, future) for topic, _, future in sent if future.done() and not future.cancelled())
    return {topic for topic, future in done if isinstance(future.exception(), _REFUSALS)}


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
