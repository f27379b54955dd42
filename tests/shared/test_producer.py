"""What a service publishes lies in the order in which it was sent, on a real broker, however it is put into batches."""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from confluent_kafka.admin import NewTopic

from senconet.local.engines import Engines
from shared.kafka import read_to, reading
from shared.producer import Outgoing, producing

KIB = 1024
TOPIC = "order-of-sending"
PARTITIONS = 12


@pytest.fixture(scope="module")
def options(engines: Engines) -> dict[str, Any]:
    """What a client of the operator connects with. The topic is made for these tests: no service could read it."""
    admin = engines.kafka.admin()
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(20)
    return engines.kafka.client_options()


def told(key: str, number: int, size: int) -> Outgoing:
    """One of a registration's records, which says its number."""
    headers = [("number", str(number).encode()), ("nothing", None)]
    return TOPIC, key.encode(), b"." * size, headers


async def ends(options: dict[str, Any]) -> dict[TopicPartition, int]:
    places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    async with reading(options) as consumer:
        return dict(await consumer.end_offsets(places))


async def test_each_registration_reads_in_the_order_sent_also_where_it_fills_many_batches(options: dict[str, Any]):
    keys = [str(uuid.uuid4()) for _ in range(30)]
    long = itertools.cycle([900 * KIB, 100 * KIB, 0])
    records = [told(keys[0], number, next(long)) for number in range(12)]
    records += [told(key, number, KIB) for number in range(12, 40) for key in keys]
    starts = await ends(options)
    async with producing(options, 20) as producer:
        places = await producer.acknowledged(await producer.send(records))
    found: defaultdict[str, list[int]] = defaultdict(list)
    read: set[tuple[str, int, int]] = set()
    async with reading(options) as consumer:
        async for batch in read_to(consumer, await ends(options), starts):
            for record in batch:
                read.add((record.topic, record.partition, record.offset))
                found[(record.key or b"").decode()].append(int(dict(record.headers)["number"] or b""))
    assert found == {key: list(range(0 if key == keys[0] else 12, 40)) for key in keys}
    assert len(places) == len(records)
    assert set(places) == read


async def test_a_record_that_no_topic_takes_is_told_and_not_counted_as_sent(options: dict[str, Any]):
    before = await ends(options)
    async with producing(options, 20) as producer:
        sent = await producer.send([told(str(uuid.uuid4()), 0, 1500 * KIB)])
        with pytest.raises(MessageSizeTooLargeError):
            await producer.acknowledged(sent)
    assert await ends(options) == before
