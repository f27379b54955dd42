"""Statements go to the database together, in one packet, and are one transaction, whatever happens to one of them.

The pool hands out the connection that was used last: what follows a failure meets the connection that it left.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database import Statement, run, snapshot, transaction
from shared.store import OUTBOX

ADD: Final = text("INSERT INTO outbox (topic, headers, value) VALUES (:topic, '', '')")
TOPICS: Final = text("SELECT topic FROM outbox ORDER BY id")
DIVIDE: Final = text("SELECT 1 / CAST(:number AS int)")
ECHO: Final = text("SELECT CAST(:value AS text)")
SLEEP: Final = text("SELECT pg_sleep(60)")
AWKWARD: Final = "é 'quoted' \\ $1 %s :name \U0001f600"
LARGE: Final = 3_000_000
DATA_SEGS_OUT: Final = 156
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many segments a socket has sent")


def adding(topic: str) -> Statement:
    return ADD, {"topic": topic}


def asking(statement: TextClause, **values: Any) -> Statement:
    return statement, values


async def topics_of(engine: AsyncEngine) -> list[str]:
    """What has been committed."""
    async with transaction(engine) as tx:
        (rows,) = await run(tx, asking(TOPICS))
    return [topic for (topic,) in rows]


async def test_each_statement_sees_those_before_it(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        rows = await run(tx, adding("a"), asking(TOPICS), adding(AWKWARD), asking(TOPICS))
    assert rows == [[], [("a",)], [], [("a",), (AWKWARD,)]]
    assert await topics_of(engine) == ["a", AWKWARD]


async def test_values_and_rows_keep_their_types(engine: AsyncEngine) -> None:
    at = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
    types = text("""
        SELECT CAST(:number AS bigint), CAST(:at AS timestamptz), decode(:hex, 'hex'), CAST(:body AS jsonb),
            CAST(:missing AS text), CAST(:truth AS boolean)
    """)
    values = {"number": 2**40, "at": at, "hex": "ff00", "body": '{"a": [1, null]}', "missing": None, "truth": True}
    async with transaction(engine) as tx:
        ((row,),) = await run(tx, (types, values))
    assert row == (2**40, at, b"\xff\x00", {"a": [1, None]}, None, True)


async def test_a_statement_that_fails_undoes_all_and_spoils_nothing(engine: AsyncEngine) -> None:
    """What was prepared in that round trip is known to the server: to prepare it again would be an error."""
    for _ in range(2):
        with pytest.raises(DBAPIError) as refused:
            async with transaction(engine) as tx:
                await run(tx, adding("a"), asking(DIVIDE, number=0), adding("b"), last=True)
        assert getattr(refused.value.orig, "sqlstate", None) == "22012"
    assert await topics_of(engine) == []
    async with transaction(engine) as tx:
        assert await run(tx, asking(DIVIDE, number=1), adding("c"), last=True) == [[(1,)], []]
    assert await topics_of(engine) == ["c"]


async def test_what_is_last_is_committed_and_nothing_follows(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        await run(tx, adding("a"))
        assert await topics_of(engine) == []
        await run(tx, adding("b"), last=True)
        assert await topics_of(engine) == ["a", "b"]
        with pytest.raises(RuntimeError):
            await run(tx, adding("c"))
        with pytest.raises(InvalidRequestError):
            await tx.execute(OUTBOX.delete())
    assert await topics_of(engine) == ["a", "b"]


async def test_nothing_is_last_too(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        await run(tx, adding("a"))
        assert await run(tx, last=True) == []
    assert await topics_of(engine) == ["a"]


async def test_a_commit_that_is_refused_is_an_error(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        await tx.execute(text("CREATE TEMPORARY TABLE late (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    twice = asking(text("INSERT INTO late VALUES (1)"))
    with pytest.raises(DBAPIError) as refused:
        async with transaction(engine) as tx:
            await run(tx, adding("a"), twice, twice, last=True)
    assert getattr(refused.value.orig, "sqlstate", None) == "23505"
    assert await topics_of(engine) == []


async def test_a_snapshot_stays_at_its_moment_and_writes_nothing(engine: AsyncEngine) -> None:
    async with snapshot(engine) as tx:
        assert await run(tx, asking(TOPICS)) == [[]]
        async with transaction(engine) as other:
            await run(other, adding("a"), last=True)
        assert await run(tx, asking(TOPICS)) == [[]]
    with pytest.raises(DBAPIError) as refused:
        async with snapshot(engine) as tx:
            await run(tx, adding("b"))
    assert getattr(refused.value.orig, "sqlstate", None) == "25006"
    assert await topics_of(engine) == ["a"]


async def test_a_value_that_is_no_text_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with transaction(engine) as tx:
            await run(tx, adding("a"), adding("b\x00c"))
    assert "b\x00c" not in str(refused.value)
    assert await topics_of(engine) == []


async def test_who_is_told_to_stop_while_it_waits_leaves_nothing_behind(engine: AsyncEngine) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), transaction(engine) as tx:
            await run(tx, adding("a"), asking(SLEEP), adding("b"), last=True)
    assert await topics_of(engine) == []
    async with transaction(engine) as tx:
        await run(tx, adding("c"), last=True)
    assert await topics_of(engine) == ["c"]


async def test_a_value_that_was_forgotten_is_no_null(engine: AsyncEngine) -> None:
    with pytest.raises(KeyError):
        async with transaction(engine) as tx:
            await run(tx, (ECHO, {"valeu": "a"}))


async def test_a_table_that_has_changed_is_an_error_once(engine: AsyncEngine) -> None:
    """A migration while a service runs: the statement is prepared anew, on another connection."""
    everything = asking(text("SELECT * FROM outbox"))
    async with transaction(engine) as tx:
        assert await run(tx, everything) == [[]]
    async with transaction(engine) as tx:
        await tx.execute(text("ALTER TABLE outbox ADD COLUMN more text"))
    with pytest.raises(DBAPIError):
        async with transaction(engine) as tx:
            await run(tx, everything)
    async with transaction(engine) as tx:
        assert await run(tx, everything) == [[]]


async def test_a_server_that_goes_away_is_an_error_once(engine: AsyncEngine) -> None:
    end = asking(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(DBAPIError):
        async with transaction(engine) as tx:
            await run(tx, adding("a"), end, adding("b"), last=True)
    assert await topics_of(engine) == []


async def test_large_values_go_both_ways_at_once(engine: AsyncEngine) -> None:
    value = "x" * LARGE
    async with transaction(engine) as tx:
        rows = await run(tx, *[asking(ECHO, value=value)] * 4)
    assert rows == [[(value,)]] * 4


async def driver_of(tx: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The driver's own connection."""
    driver = (await tx.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver


async def segments(tx: AsyncConnection) -> int:
    """How many segments with data the connection has sent: `tcpi_data_segs_out` of Linux's `struct tcp_info`."""
    with socket.socket(fileno=os.dup((await driver_of(tx)).pgconn.socket)) as shared:
        info = shared.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, DATA_SEGS_OUT + 4)
    return int.from_bytes(info[DATA_SEGS_OUT:], sys.byteorder)


@on_linux
async def test_a_round_trip_is_one_packet(engine: AsyncEngine) -> None:
    """A proxy would not see it: what is sent without a pause it reads at once."""
    for _ in range(2):  # the first time each is prepared, by one packet too
        async with transaction(engine) as tx:
            before = await segments(tx)
            await run(tx, adding("a"), asking(TOPICS))
            assert await segments(tx) == before + 1
            await run(tx, adding("b"), asking(ECHO, value="b"), adding("c"))
            assert await segments(tx) == before + 2
        async with transaction(engine) as tx:
            before = await segments(tx)
            await run(tx, *[adding("d")] * 6, last=True)
        async with transaction(engine) as tx:
            assert await segments(tx) == before + 1


@on_linux
async def test_the_drivers_own_pipeline_is_a_packet_a_statement(engine: AsyncEngine) -> None:
    """Else there were no need for ours, and the test before could not fail."""
    async with transaction(engine) as tx:
        before, driver = await segments(tx), await driver_of(tx)
        async with driver.pipeline():
            for _ in range(3):
                await driver.execute("SELECT 1")
        assert await segments(tx) >= before + 3
