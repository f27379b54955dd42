"""The database of a service: its engine, and the only place that commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_dumps
from pydantic_core import from_json, to_json
from sqlalchemy import ClauseElement, ColumnElement, Table, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from shared.round_trip import Asked, Connection, Prepared, round_trip

TRANSACTION_TIMEOUT_SECONDS: Final = 5

Statement = tuple[ClauseElement, Mapping[str, Any]]
"""A statement with its values."""

Rows = list[Any]
"""The rows that a statement returns."""

_DIALECT: Final = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_OPTIONS: Final = (
    f"-c transaction_timeout={TRANSACTION_TIMEOUT_SECONDS}s"
    " -c lock_timeout=3s -c idle_in_transaction_session_timeout=5s -c timezone=UTC"
)

NOTICE_THE_DEAD: Final[Mapping[str, Any]] = {
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""A server whose host has gone without a word is noticed within half a minute: by itself the system waits for a quarter
of an hour, and for two hours where nothing is under way."""


def make_engine(url: str, *, tried: bool = False) -> AsyncEngine:
    """The engine of a service. Error texts never carry values.

    No transaction outlives `TRANSACTION_TIMEOUT_SECONDS`: progress rests on that. `tried`: each connection is tried
    before it is used, for who cannot do again what failed because the database was away. The last used is used again:
    it knows the statements. The driver prepares none of its own: it would forget ours with its own after a rollback.
    """
    return create_async_engine(
        url,
        pool_size=5,
        max_overflow=0,
        pool_use_lifo=True,
        pool_pre_ping=tried,
        hide_parameters=True,
        json_serializer=document,
        json_deserializer=from_json,
        connect_args={"options": _OPTIONS, "prepare_threshold": None, **NOTICE_THE_DEAD},
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: committed when the block ends, or with its last statements (`run`), rolled back when it raises.

    There is no other commit.
    """
    async with engine.begin() as connection:
        yield connection


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A read-only view of the database as of one moment."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    async with engine.connect() as connection:
        await connection.execution_options(**options)
        async with connection.begin():
            yield connection


def table(model: type[SQLModel]) -> Table:
    """The table of a model, for statements on many rows."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def among(columns: Sequence[ColumnElement[Any]], rows: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Whether the columns of a row together are one of `rows`: one array a column, however many rows there are."""
    arrays = [
        bindparam(None, [row[index] for row in rows], type_=ARRAY(column.type)) for index, column in enumerate(columns)
    ]
    names = [f"c{index}" for index in range(len(columns))]
    wanted = func.unnest(*arrays).table_valued(*names).render_derived()
    return tuple_(*columns).in_(select(*(wanted.c[name] for name in names)))


async def run(tx: AsyncConnection, *statements: Statement, last: bool = False) -> list[Rows]:
    """Run statements with their values, in order and in one round trip; returns the rows of each.

    A round trip costs more than most statements do, the more so where many processes share a core. `last`: they end the
    transaction, which is committed in the same round trip; nothing can follow. The statements are constants: each is
    compiled once. Raises DBAPIError as any statement; of `last` it may have been committed if the connection was lost.
    """
    if not tx.in_transaction():
        raise RuntimeError("this transaction has been committed")
    rows: list[Rows] = []
    if statements:
        asked = [_prepared(statement, values) for statement, values in statements]
        try:
            rows = await round_trip(await _driver(tx), *asked, commit=last)
        except psycopg.Error as error:
            raise DBAPIError.instance("run", None, error, psycopg.Error, hide_parameters=True) from error
    if last:
        await tx.commit()  # where it was in the round trip, this but ends the block's own
    return rows


def _prepared(statement: ClauseElement, values: Mapping[str, Any]) -> Asked:
    prepared, names, literals = _compiled(statement)
    given = {**literals, **values}
    return prepared, [given[name] for name in names]


@cache
def _compiled(statement: ClauseElement) -> tuple[Prepared, Sequence[str], Mapping[str, Any]]:
    """A statement as PostgreSQL takes it, the names of its values, and the values that stand in it."""
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    literals = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(str(compiled).encode()), compiled.positiontup or (), literals


async def _driver(tx: AsyncConnection) -> Connection:
    connection = (await tx.get_raw_connection()).driver_connection
    assert isinstance(connection, psycopg.AsyncConnection)
    return connection


def document(value: Any) -> str:
    """A value as JSON, bytes as hexadecimal. Rows as one such value, which the statement unfolds, cost a tenth of a
    parameter a value.
    """
    return to_json(value, bytes_mode="hex").decode()


def listed(name: str) -> str:
    """SQL for the texts that are given under a name as a JSON list: the driver's own arrays cost ten times as much."""
    return f"ARRAY(SELECT json_array_elements_text(CAST(:{name} AS json)))"


def paired(name: str) -> str:
    """SQL for the pairs of texts that are given under a name as a JSON list of lists."""
    return f"(SELECT pair ->> 0, pair ->> 1 FROM json_array_elements(CAST(:{name} AS json)) AS given (pair))"


async def add_rows(tx: AsyncConnection, target: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows, in order and by COPY. All have the columns of the first. Raises DBAPIError as any statement."""
    if not rows:
        return
    names = tuple(rows[0])
    cursor = (await _driver(tx)).cursor()
    set_json_dumps(to_json, cursor)
    try:
        async with cursor.copy(_copy(target, names)) as copy:
            copy.set_types(_types(target, names))
            for row in rows:
                await copy.write_row([row[name] for name in names])
    except psycopg.Error as error:
        raise DBAPIError.instance(f"COPY {target.name}", None, error, psycopg.Error, hide_parameters=True) from error


def _copy(target: Table, names: Sequence[str]) -> sql.Composed:
    """Binary: as text, bytes and times would cost three times as much, here and there."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(target.name), columns)


@cache
def _types(target: Table, names: tuple[str, ...]) -> list[str]:
    """The columns' types, as PostgreSQL calls them."""
    return [target.c[name].type.compile(_DIALECT).lower() for name in names]
