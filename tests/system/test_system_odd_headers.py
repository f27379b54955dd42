"""A header whose name is no UTF-8, which a client library of a partner may well send, stops nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from senconet.demonstration.model import Record
from tests.system.events import Trainee
from tests.system.invariants import invariants
from tests.system.support import Partner, Stage

PLAIN, GZIP = 0, 1


class NoUtf8(str):
    """A header's name that goes out as bytes which no text is encoded as."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def send_odd(partner: Partner, codec: int, *records: Record) -> None:
    """Publish records as one batch, made by the library's Python code, which leaves names to themselves."""
    async with AIOKafkaProducer(**partner.access.client_options()) as producer:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, codec, False, -1, -1, 0, 1 << 20)
        for record in records:
            assert batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
        await (await producer.send_batch(batch, partner.topic, partition=0))
    partner.sent += records


@pytest.mark.parametrize("codec", [PLAIN, GZIP])
async def test_a_record_with_a_header_name_that_is_no_text_is_answered_and_so_are_all_others(stage: Stage, codec: int):
    partner, other = await stage.partner("odd-headers"), await stage.partner("neighbour")
    begin = len(partner.sent)
    first, odd, last = (Trainee(partner.code).registered() for _ in range(3))
    named = replace(odd, headers=(*odd.headers, (NoUtf8("xx"), b"value")))
    await send_odd(partner, codec, first, named, last)
    await other.send(Trainee(other.code).registered())
    await stage.all_answered(other, partner)
    answers = {answer.offset: (answer.outcome, answer.codes) for answer in await stage.receipts(partner)}
    assert [answers[offset] for offset in range(begin, begin + 3)] == [
        ("accepted", ()),
        ("rejected", ("record_unreadable",)),
        ("accepted", ()),
    ]
    await invariants(stage)
