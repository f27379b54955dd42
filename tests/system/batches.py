"""Batches as no client makes them, published as a partner."""

from __future__ import annotations

from aiokafka import AIOKafkaProducer

from senconet.demonstration.model import Record
from tests.support.batches import builder
from tests.system.support import Partner


async def send_batch(partner: Partner, codec: int, *records: Record) -> None:
    """Publish records as one batch."""
    async with AIOKafkaProducer(**partner.access.client_options()) as producer:
        batch = producer.create_batch()
        batch._builder = builder(codec)
        for record in records:
            assert batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
        await (await producer.send_batch(batch, partner.topic, partition=0))
    partner.sent += records
