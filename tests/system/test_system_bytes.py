"""The table of bytes, through a real topic: what clients and broker carry is answered as the reader alone says."""

from __future__ import annotations

from aiokafka import AIOKafkaProducer

from tests.support.bytes_table import Row, rows
from tests.system.invariants import invariants
from tests.system.support import Partner, Stage

MEBIBYTE = 1 << 20


async def send_each(partner: Partner, table: list[Row]) -> None:
    """Publish the table, each record as a batch of its own: some are too large to share one."""
    async with AIOKafkaProducer(**partner.access.client_options(), max_batch_size=MEBIBYTE) as producer:
        for row in table:
            batch = producer.create_batch()
            fitted = batch.append(key=row.key, value=row.value, timestamp=None, headers=list(row.headers))
            assert fitted is not None, row.name
            await (await producer.send_batch(batch, partner.topic, partition=0))
            partner.sent.append(row.record)


async def test_each_row_of_the_table_of_bytes_is_answered_once_with_its_codes(stage: Stage):
    partner = await stage.partner("bytes")
    table = rows(partner.code)
    await send_each(partner, table)
    await stage.all_answered(partner)
    answers = {answer.offset: frozenset(answer.codes) for answer in await stage.receipts(partner)}
    named = {row.name: answers[offset] for offset, row in enumerate(table)}
    assert named == {row.name: row.codes for row in table}
    await invariants(stage)
