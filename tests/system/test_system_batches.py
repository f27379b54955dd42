"""What a broker takes as one batch, and a consumer may not get past, stops nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.record_batches import MOST_BYTES
from tests.support.batches import GZIP, LZ4, PACKED, PLAIN, ZSTD, NoUtf8
from tests.system.batches import send_batch
from tests.system.events import Trainee
from tests.system.invariants import invariants
from tests.system.support import Stage


@pytest.mark.parametrize("codec", [PLAIN, *PACKED])
async def test_a_record_with_a_header_name_that_is_no_text_is_answered_and_so_are_all_others(stage: Stage, codec: int):
    partner, other = await stage.partner("odd-batches"), await stage.partner("neighbour")
    begin = len(partner.sent)
    first, odd, last = (Trainee(partner.code).registered() for _ in range(3))
    named = replace(odd, headers=(*odd.headers, (NoUtf8("xx"), b"value")))
    await send_batch(partner, codec, first, named, last)
    await other.send(Trainee(other.code).registered())
    await stage.all_answered(other, partner)
    answers = {answer.offset: (answer.outcome, answer.codes) for answer in await stage.receipts(partner)}
    assert [answers[offset] for offset in range(begin, begin + 3)] == [
        ("accepted", ()),
        ("rejected", ("record_unreadable",)),
        ("accepted", ()),
    ]
    await invariants(stage)


@pytest.mark.parametrize("codec", [GZIP, LZ4, ZSTD])
async def test_a_batch_that_unpacks_to_too_much_is_answered_record_by_record_and_not_unpacked(stage: Stage, codec: int):
    partner, other = await stage.partner("odd-batches"), await stage.partner("neighbour")
    begin = len(partner.sent)
    first, last, after = (Trainee(partner.code).registered() for _ in range(3))
    await send_batch(partner, codec, first, replace(first, value=b"\0" * MOST_BYTES), last)
    await partner.send(after)
    await other.send(Trainee(other.code).registered())
    await stage.all_answered(other, partner)
    answers = {answer.offset: (answer.outcome, answer.codes) for answer in await stage.receipts(partner)}
    assert [answers[offset] for offset in range(begin, begin + 4)] == [
        *[("rejected", ("record_unreadable",))] * 3,
        ("accepted", ()),
    ]
    await invariants(stage)
