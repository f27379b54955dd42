"""The producer of what a service or a partner's system sends: records in order, as few batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

Header = tuple[str, bytes | None]

Outgoing = tuple[str, bytes | None, bytes | None, Sequence[Header]]
"""Topic, key, value and headers of a record to publish."""

Place = tuple[str, int, int]
"""Topic, partition and offset of a record that the broker has taken."""

_BATCH_BYTES: Final = 512 * 1024
"""Far below what a topic takes as one batch."""

REFUSALS: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
"""What the broker answers where it takes what is for other topics."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """What is under way to one partition, batch after batch: one that follows never overtakes one that was refused.

    `numbers` are those of its records among all that were given; `taken` grows, and has a place for each of the first.
    """

    topic: str
    numbers: Sequence[int]
    taken: list[Place]
    task: asyncio.Task[None]

    @property
    def error(self) -> Exception | None:
        """Why the broker did not take all of it, once it is settled."""
        error = TimeoutError() if self.task.cancelled() else self.task.exception()
        assert error is None or isinstance(error, Exception)
        return error


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
        """Send or give up all that is in flight, within the time given. Raises TimeoutError if it was given up."""
        try:
            await asyncio.wait_for(self._client.stop(), self._timeout)
        except TimeoutError:
            await self._give_up()
            raise

    async def _give_up(self) -> None:
        """By itself a client that did not stop in time would go on sending, for ever."""
        await self._client.client.close()  # requests under way fail
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._client._sender.close(), self._timeout)
        self._client._message_accumulator.fail_all(KafkaTimeoutError())

    async def missing(self, topics: Iterable[str]) -> set[str]:
        """Which of these topics the broker does not tell of, or of no leader. It is asked once for each that it has.

        `send` would wait for them, and with them everything else. Raises KafkaError if the broker does not answer.
        """
        unknown = set(topics) - self._known
        if not unknown:
            return set()
        told = await asyncio.wait_for(self._client.client.fetch_all_metadata(), self._timeout)
        self._known |= {topic for topic in unknown if told.available_partitions_for_topic(topic)}
        return unknown - self._known

    async def send(self, records: Sequence[Outgoing]) -> list[InFlight]:
        """Send records and do not wait: what `settle` waits for, or `acknowledged`."""
        partitions = {
            topic: len(await self._client.partitions_for(topic)) for topic in {record[0] for record in records}
        }
        batches: dict[tuple[str, int], list[BatchBuilder]] = {}
        numbers: dict[tuple[str, int], list[int]] = {}
        for number, (topic, key, value, headers) in enumerate(records):
            place = topic, _hash(key) % partitions[topic] if key else 0
            there = batches.setdefault(place, [self._client.create_batch()])
            record = {"timestamp": None, "key": key, "value": value, "headers": list(headers)}
            if there[-1].append(**record) is None:
                there.append(self._client.create_batch())
                there[-1].append(**record)
            numbers.setdefault(place, []).append(number)
        sent = [self._begin(place, there, numbers[place]) for place, there in batches.items()]
        await asyncio.sleep(0)  # the client has the first of each now, before what is sent next
        return sent

    def _begin(self, place: tuple[str, int], batches: Sequence[BatchBuilder], numbers: Sequence[int]) -> InFlight:
        taken: list[Place] = []
        return InFlight(place[0], numbers, taken, asyncio.create_task(self._send_batches(place, batches, taken)))

    async def _send_batches(self, place: tuple[str, int], batches: Sequence[BatchBuilder], taken: list[Place]) -> None:
        topic, partition = place
        for batch in batches:
            first = await (await self._client.send_batch(batch, topic, partition=partition))
            taken += [(topic, partition, first.offset + number) for number in range(batch.record_count())]

    async def settle(self, sent: Sequence[InFlight]) -> None:
        """Wait until the broker has taken or refused what was sent. What is neither within the time given is given up.

        There is a bound: a producer whose broker is gone would wait for ever (aiokafka #1101).
        """
        all_of_them = asyncio.gather(*(each.task for each in sent), return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(all_of_them, 2 * self._timeout)  # which cancels what is late

    async def acknowledged(self, sent: Sequence[InFlight]) -> list[Place]:
        """Where the records lie, in the order given, once the broker has taken them. Raises what came of one if not."""
        await self.settle(sent)
        for each in sent:
            if each.error is not None:
                raise each.error
        places = {number: place for each in sent for number, place in zip(each.numbers, each.taken, strict=True)}
        return [places[number] for number in sorted(places)]


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
