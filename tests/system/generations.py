"""How often a consumer group has been shared out anew: Kafka notes each generation in a topic of its own."""

from __future__ import annotations

import struct
from typing import Final

from aiokafka import TopicPartition

from shared.kafka import read_to, reading
from tests.system.support import Stage

OFFSETS: Final = "__consumer_offsets"
_GROUP: Final = 2
"""The version of a key that names a group; lower ones name offsets."""


async def generations(stage: Stage, group: str) -> set[int]:
    """The generations of a group that the log still tells of."""
    found: set[int] = set()
    partitions = stage.local.engines.kafka.admin().list_topics(OFFSETS, timeout=10).topics[OFFSETS].partitions
    async with reading(stage.kafka_options) as consumer:
        ends = await consumer.end_offsets([TopicPartition(OFFSETS, partition) for partition in partitions])
        async for batch in read_to(consumer, ends):
            found |= {_generation(record.value) for record in batch if record.value and _group(record.key) == group}
    return found


def _group(key: bytes | None) -> str | None:
    if key is None or struct.unpack_from(">h", key)[0] != _GROUP:
        return None
    return _text(key, 2)[0]


def _generation(value: bytes) -> int:
    """It follows the value's version and the protocol's type."""
    return int(struct.unpack_from(">i", value, _text(value, 2)[1])[0])


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A string after its length, and where it ends."""
    (length,) = struct.unpack_from(">h", data, at)
    return data[at + 2 : at + 2 + length].decode(), at + 2 + length
