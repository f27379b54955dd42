"""The answers that partners get, read back: one row a record, so that it shows whether every fact was told.

Copies of a receipt, and the `held` one before the final, change nothing of a row that has its final answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.tables import ReceiptRow
from shared import clock, topics
from shared.asking import ask
from shared.bulk import filled, finish, putting
from shared.database import document, table, transaction
from shared.pipeline import Done
from shared.positions import claiming
from shared.records import RawRecord

RECEIPTS: Final = table(ReceiptRow)
ACCEPTED: Final = "accepted"
HELD: Final = "held"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the record at a position of a partner's topic was answered; `received`: when the broker took it."""

    partner: str
    position: int
    outcome: str
    codes: tuple[str, ...]
    received: datetime


_COLUMNS: Final = tuple(field.name for field in fields(Receipt))
_PUT: Final = putting(RECEIPTS, _COLUMNS, where=RECEIPTS.c.outcome == HELD)


def read(record: RawRecord) -> Receipt | None:
    """The receipt that a message is; None for a notice."""
    assert record.value is not None, "receipts are never erased from their topic"
    body: Mapping[str, Any] = from_json(record.value)
    if "outcome" not in body:
        return None
    received = clock.parse(body["receivedtime"])
    assert received is not None
    codes = tuple(sorted({error["code"] for error in body["errors"]}))
    partner, position = topics.partner_of(record.topic), body["position"]["offset"]
    return Receipt(partner, position, body["outcome"], codes, received)


def newest(receipts: Iterable[Receipt]) -> dict[tuple[str, int], Receipt]:
    """One receipt a record: the final one if there is one, else the last that says that it is held."""
    found: dict[tuple[str, int], Receipt] = {}
    for receipt in receipts:
        before = found.get((receipt.partner, receipt.position))
        if before is None or before.outcome == HELD:
            found[receipt.partner, receipt.position] = receipt
    return found


async def keep(engine: AsyncEngine, batch: Sequence[RawRecord]) -> Done:
    """Take in a batch of receipts."""
    async with transaction(engine) as tx:
        claim = await ask(tx, claiming(batch))
        fresh = [record for record in batch if claim.takes(record)]
        told = (receipt for record in fresh if (receipt := read(record)))
        rows = [_row(receipt) for receipt in newest(told).values()]
        await finish(tx, [*claim.advance, *filled((_PUT, rows))])
    return Done(gaps=claim.gaps, records=len(fresh))


def _row(receipt: Receipt) -> dict[str, Any]:
    row = {name: getattr(receipt, name) for name in _COLUMNS}
    return {**row, "codes": document(receipt.codes)}
