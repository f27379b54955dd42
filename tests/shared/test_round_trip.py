"""Statements go to the database together, in one packet, and are one transaction, whatever happens to one of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import TextClause, make_url, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import Statement, make_engine, run, snapshot, transaction
from shared.store import OUTBOX

ADD: Final = text("INSERT INTO outbox (topic, headers, value) VALUES (:topic, '', '')")
TOPICS: Final = text("SELECT topic FROM outbox ORDER BY id")
DIVIDE: Final = text("SELECT 1 / CAST(:number AS int)")
ECHO: Final = text("SELECT CAST(:value AS text)")
SLEEP: Final = text("SELECT pg_sleep(60)")
AWKWARD: Final = "é 'quoted' \\ $1 %s :name \U0001f600"
LARGE: Final = 3_000_000


def adding(topic: str) -> Statement:
    return ADD, {"topic": topic}


def asking(statement: TextClause, **values: Any) -> Statement:
    return statement, values


async def topics_of(engine: AsyncEngine) -> list[str]:
    """What has been committed."""
    async with transaction(engine) as tx:
        (rows,) = await run(tx, asking(TOPICS))
    return [topic for (topic,) in rows]


@pytest.fixture
async def alone(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """An engine whose connection is always the same one, as long as it lives."""
    single = make_engine(engine.url.render_as_string(hide_password=False))
    yield single
    await single.dispose()


async def test_each_statement_sees_those_before_it(alone: AsyncEngine) -> None:
    async with transaction(alone) as tx:
        rows = await run(tx, adding("a"), asking(TOPICS), adding(AWKWARD), asking(TOPICS))
    assert rows == [[], [("a",)], [], [("a",), (AWKWARD,)]]
    assert await topics_of(alone) == ["a", AWKWARD]


async def test_values_and_rows_keep_their_types(alone: AsyncEngine) -> None:
    at = datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
    types = text("""
        SELECT CAST(:number AS bigint), CAST(:at AS timestamptz), decode(:hex, 'hex'), CAST(:body AS jsonb),
            CAST(:missing AS text), CAST(:truth AS boolean)
    """)
    values = {"number": 2**40, "at": at, "hex": "ff00", "body": '{"a": [1, null]}', "missing": None, "truth": True}
    async with transaction(alone) as tx:
        ((row,),) = await run(tx, (types, values))
    assert row == (2**40, at, b"\xff\x00", {"a": [1, None]}, None, True)


async def test_a_statement_that_fails_undoes_all_and_spoils_nothing(alone: AsyncEngine) -> None:
    """What was prepared in that round trip is known to the server: to prepare it again would be an error."""
    for _ in range(2):
        with pytest.raises(DBAPIError) as refused:
            async with transaction(alone) as tx:
                await run(tx, adding("a"), asking(DIVIDE, number=0), adding("b"), last=True)
        assert getattr(refused.value.orig, "sqlstate", None) == "22012"
    assert await topics_of(alone) == []
    async with transaction(alone) as tx:
        assert await run(tx, asking(DIVIDE, number=1), adding("c"), last=True) == [[(1,)], []]
    assert await topics_of(alone) == ["c"]


async def test_what_is_last_is_committed_and_nothing_follows(alone: AsyncEngine, engine: AsyncEngine) -> None:
    async with transaction(alone) as tx:
        await run(tx, adding("a"))
        assert await topics_of(engine) == []
        await run(tx, adding("b"), last=True)
        assert await topics_of(engine) == ["a", "b"]
        with pytest.raises(RuntimeError):
            await run(tx, adding("c"))
        with pytest.raises(InvalidRequestError):
            await tx.execute(OUTBOX.delete())
    assert await topics_of(engine) == ["a", "b"]


async def test_nothing_is_last_too(alone: AsyncEngine) -> None:
    async with transaction(alone) as tx:
        await run(tx, adding("a"))
        assert await run(tx, last=True) == []
    assert await topics_of(alone) == ["a"]


async def test_a_commit_that_is_refused_is_an_error(alone: AsyncEngine) -> None:
    async with transaction(alone) as tx:
        await tx.execute(text("CREATE TEMPORARY TABLE late (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    twice = asking(text("INSERT INTO late VALUES (1)"))
    with pytest.raises(DBAPIError) as refused:
        async with transaction(alone) as tx:
            await run(tx, adding("a"), twice, twice, last=True)
    assert getattr(refused.value.orig, "sqlstate", None) == "23505"
    assert await topics_of(alone) == []


async def test_a_snapshot_stays_at_its_moment_and_writes_nothing(alone: AsyncEngine, engine: AsyncEngine) -> None:
    async with snapshot(alone) as tx:
        assert await run(tx, asking(TOPICS)) == [[]]
        async with transaction(engine) as other:
            await run(other, adding("a"), last=True)
        assert await run(tx, asking(TOPICS)) == [[]]
    with pytest.raises(DBAPIError) as refused:
        async with snapshot(alone) as tx:
            await run(tx, adding("b"))
    assert getattr(refused.value.orig, "sqlstate", None) == "25006"
    assert await topics_of(alone) == ["a"]


async def test_a_value_that_is_no_text_is_refused(alone: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with transaction(alone) as tx:
            await run(tx, adding("a"), adding("b\x00c"))
    assert "b\x00c" not in str(refused.value)
    assert await topics_of(alone) == []


async def test_who_is_told_to_stop_while_it_waits_leaves_nothing_behind(alone: AsyncEngine) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5), transaction(alone) as tx:
            await run(tx, adding("a"), asking(SLEEP), adding("b"), last=True)
    assert await topics_of(alone) == []
    async with transaction(alone) as tx:
        await run(tx, adding("c"), last=True)
    assert await topics_of(alone) == ["c"]


async def test_a_value_that_was_forgotten_is_no_null(alone: AsyncEngine) -> None:
    with pytest.raises(KeyError):
        async with transaction(alone) as tx:
            await run(tx, (ECHO, {"valeu": "a"}))


async def test_a_table_that_has_changed_is_an_error_once(alone: AsyncEngine) -> None:
    """A migration while a service runs: the statement is prepared anew, on another connection."""
    everything = asking(text("SELECT * FROM outbox"))
    async with transaction(alone) as tx:
        assert await run(tx, everything) == [[]]
    async with transaction(alone) as tx:
        await tx.execute(text("ALTER TABLE outbox ADD COLUMN more text"))
    with pytest.raises(DBAPIError):
        async with transaction(alone) as tx:
            await run(tx, everything)
    async with transaction(alone) as tx:
        assert await run(tx, everything) == [[]]


async def test_a_server_that_goes_away_is_an_error_once(alone: AsyncEngine) -> None:
    end = asking(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with pytest.raises(DBAPIError):
        async with transaction(alone) as tx:
            await run(tx, adding("a"), end, adding("b"), last=True)
    assert await topics_of(alone) == []


async def test_large_values_go_both_ways_at_once(alone: AsyncEngine) -> None:
    value = "x" * LARGE
    async with transaction(alone) as tx:
        rows = await run(tx, *[asking(ECHO, value=value)] * 4)
    assert rows == [[(value,)]] * 4


class Counting:
    """A proxy before the database that counts how often it receives something from the client."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.server_port, self.packets = host, port, 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(self.host, self.server_port)
        with contextlib.closing(writer), contextlib.closing(requests):
            async with asyncio.TaskGroup() as both:
                back = both.create_task(_pass_on(answers, writer))
                while data := await reader.read(1 << 16):
                    self.packets += 1
                    requests.write(data)
                back.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


async def test_a_round_trip_is_one_packet(engine: AsyncEngine) -> None:
    proxy = Counting(engine.url.host or "", engine.url.port or 0)
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    url = make_url(engine.url).set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    through = make_engine(url.render_as_string(hide_password=False))
    async with transaction(through) as tx:
        await run(tx, adding("a"), asking(TOPICS))
        before = proxy.packets
        await run(tx, adding("b"), asking(TOPICS), adding("c"), last=True)
    async with transaction(through) as tx:
        await run(tx, *[adding("d")] * 6, last=True)
    assert proxy.packets - before == 2
    await through.dispose()
    server.close()
