"""Batches as no client makes them, published as a partner."""

from __future__ import annotations

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from senconet.demonstration.model import Record
from tests.system.support import Partner


async def send_batch(partner: Partner, codec: int, *records: Record) -> None:
    """Publish records as one batch, made by the library's Python code, which leaves names to themselves."""
    async with AIOKafkaProducer(**partner.access.client_options()) as producer:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, codec, False, -1, -1, 0, 1 << 30)
        for record in records:
            assert batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
        await (await producer.send_batch(batch, partner.topic, partition=0))
    partner.sent += records
