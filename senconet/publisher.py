"""A partner's side: publish events with the partner's own credential, and read the answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from senconet.access import KafkaAccess
from shared import topics
from shared.kafka import raw_record, reading
from shared.messages import decode
from shared.producer import BatchProducer, producing

SEND_SECONDS: Final = 30.0
FINAL: Final = frozenset({"accepted", "duplicate", "rejected"})


class EventFileError(ValueError):
    """A line of a file of events cannot be sent at all; the message names the line, never a value."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to publish."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def from_structured(line: str, number: int) -> Outgoing:
    """One CloudEvent in structured JSON as a record in binary mode. Raises EventFileError."""
    try:
        event = json.loads(line)
        data = event.pop("data")
        subject = event["subject"]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise EventFileError(f"line {number} is not a CloudEvent in structured JSON with subject and data") from None
    content_type = event.pop("datacontenttype", "application/json")
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items()]
    return Outgoing(
        str(subject).encode(), json.dumps(data).encode(), (*headers, ("content-type", str(content_type).encode()))
    )


def publishing(access: KafkaAccess) -> AbstractAsyncContextManager[BatchProducer]:
    """A partner's producer."""
    return producing(access.client_options(), SEND_SECONDS)


async def send(producer: BatchProducer, partner: str, records: Sequence[Outgoing]) -> list[int]:
    """Publish records in order; returns their offsets."""
    topic = topics.events(partner)
    sent = await producer.send([(topic, record.key, record.value, record.headers) for record in records])
    return [offset for _, _, offset in await producer.acknowledged(sent)]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One answer as a partner reads it."""

    id: str
    offset: int
    outcome: str
    body: Mapping[str, Any]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the answer."""
        return tuple(dict.fromkeys(error["code"] for error in self.body["errors"]))


@asynccontextmanager
async def receipts_of(access: KafkaAccess, partner: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of a partner's receipts, at their beginning."""
    async with reading(access.client_options()) as consumer:
        place = TopicPartition(topics.receipts(partner), 0)
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        yield consumer


async def next_receipts(consumer: AIOKafkaConsumer, wait_ms: int = 200) -> list[Receipt]:
    """The answers that have come since; notices are left out."""
    fetched = await consumer.getmany(timeout_ms=wait_ms, max_records=5000)
    records = [raw_record(row) for rows in fetched.values() for row in rows]
    found = [(dict(record.headers), decode(record.value or b"{}")) for record in records]
    return [
        Receipt((headers["ce_id"] or b"").decode(), body["position"]["offset"], body["outcome"], body)
        for headers, body in found
        if "position" in body
    ]
