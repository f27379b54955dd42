"""Rows are the same however they go into a table: few with the statements, many by COPY."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import bulk
from shared.bulk import filled, finish, putting
from shared.database import run, transaction
from shared.store import HOLDS, JOURNAL, OUTBOX

NOW: Final = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
AWKWARD: Final = 'é "quoted" \\ {braces} \u2028 tab\t\U0001f600'
ANSWER: Final = {
    "topic": "partners.ash.events", "partition": 0, "position": 2**40, "partner": "ash", "registration_id": None,
    "source": AWKWARD, "event_id": "null", "type": None, "outcome": "rejected", "codes": ["a,b", AWKWARD, "NULL", ""],
    "receivedtime": NOW, "decidedtime": NOW, "ruleversion": "", "version": None, "happened": None,
    "digest": bytes(range(256)), "data": {"a": [1, 2.5, None, True, AWKWARD], "b": {}},
}  # fmt: skip
BARE: Final = ANSWER | {"position": 1, "codes": [], "digest": None, "data": None}
TOLD: Final = {"topic": "t", "key": None, "headers": b'[["a","\\u0000"]]', "value": '{"ä":"\U0001f600"}'.encode()}
TOMBSTONE: Final = TOLD | {"key": b"\x00\xff", "value": None}
HOLD: Final = {
    "topic": "t", "partition": 0, "position": 1, "registration_id": "r", "owner": "o", "source": "s", "event_id": "e",
    "digest": b"\x00", "receivedtime": NOW, "deadline": NOW, "receipt_due": None, "record": b"\xff\x00",
    "problems": '[{"code": "one"}]',
}  # fmt: skip


async def kept(engine: AsyncEngine, target: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that are in an empty table after these were written, in order of their ids."""
    async with transaction(engine) as tx:
        await finish(tx, [], (target, rows))
    async with transaction(engine) as tx:
        found = await tx.execute(select(*(target.c[name] for name in rows[0])).order_by(target.c.id))
        told = [dict(row._mapping) for row in found]
        await tx.execute(delete(target))
    return told


@pytest.mark.parametrize(("target", "rows"), [(JOURNAL, [ANSWER, BARE]), (OUTBOX, [TOLD, TOMBSTONE, TOLD])])
@pytest.mark.parametrize("few", [100, 0])
async def test_what_is_written_is_what_is_there(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, target: Any, rows: list[dict[str, Any]], few: int
) -> None:
    monkeypatch.setattr(bulk, "FEW", few)
    assert await kept(engine, target, rows) == rows


@pytest.mark.parametrize("few", [100, 0])
async def test_a_key_that_is_there_is_an_error_of_the_database(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(bulk, "FEW", few)
    with pytest.raises(DBAPIError) as refused:
        await kept(engine, JOURNAL, [BARE, BARE])
    assert getattr(refused.value.orig, "sqlstate", None) == "23505"
    assert AWKWARD not in str(refused.value)


async def test_of_a_row_that_is_there_only_what_is_to_be_is_written_over(engine: AsyncEngine) -> None:
    put = putting(HOLDS, tuple(HOLD), again=["problems"])
    async with transaction(engine) as tx:
        await run(tx, *filled((put, [HOLD])))
        await run(tx, *filled((put, [HOLD | {"problems": [{"code": "two"}], "record": b"other"}])))
        (row,) = await tx.execute(select(HOLDS.c.record, HOLDS.c.problems, HOLDS.c.digest))
    assert tuple(row) == (b"\xff\x00", [{"code": "two"}], b"\x00")
