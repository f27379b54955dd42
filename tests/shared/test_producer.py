"""What a service publishes lies in the order in which it was sent, on a real broker, however it is put into batches."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import defaultdict
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from confluent_kafka.admin import NewTopic

from senconet.local.engines import Engines
from shared.kafka import read_to, reading
from shared.producer import BatchProducer, Outgoing, _hash, producing

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


async def test_what_follows_a_record_that_is_refused_does_not_overtake_it(options: dict[str, Any]):
    before, (key, other) = await ends(options), keys_of_two_partitions()
    records = [told(key, number, size * KIB) for number, size in enumerate((900, 1500, 1, 900))]
    async with producing(options, 20) as producer:
        sent = await producer.send([*records, told(other, 4, KIB)])
        await producer.settle(sent)
    taken = {number for each in sent for number in each.numbers[: len(each.taken)]}
    assert taken == {0, 4}
    assert [type(each.error) for each in sent if each.error] == [MessageSizeTooLargeError]
    assert sum((await ends(options)).values()) == sum(before.values()) + 2


def keys_of_two_partitions() -> tuple[str, str]:
    one, *others = (str(uuid.uuid4()) for _ in range(100))
    return one, next(key for key in others if _hash(key.encode()) % PARTITIONS != _hash(one.encode()) % PARTITIONS)


async def test_which_topics_are_missing_is_asked_of_the_broker(options: dict[str, Any]):
    async with producing(options, 20) as producer:
        assert await producer.missing({TOPIC, "of-nobody"}) == {"of-nobody"}
        assert await producer.missing({TOPIC}) == set()


async def test_a_producer_that_is_not_done_in_time_is_ended_all_the_same(options: dict[str, Any]):
    producer = BatchProducer(options, 1)
    await producer.start()
    sent = await producer.send([told("key", 0, KIB)])
    await producer.settle(sent)
    sender = producer._client._sender
    sender._send_produce_req = never
    late = await producer.send([told("key", 1, KIB)])
    with pytest.raises(TimeoutError):
        await producer.stop()
    await producer.settle(late)
    assert isinstance(late[0].error, (KafkaTimeoutError, TimeoutError))
    assert sender.sender_task.done()
    assert not [task for task in asyncio.all_tasks() - {asyncio.current_task()} if "aiokafka" in repr(task)]


async def never(*_: Any) -> None:
    """What a broker does that has gone."""
    await asyncio.Event().wait()
