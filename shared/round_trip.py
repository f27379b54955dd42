"""One round trip to PostgreSQL: statements leave in one packet, and what they return is waited for once.

The driver's own pipeline sends each statement by itself, which wakes the server as often, and waits for BEGIN and for
COMMIT alone. So this goes beneath its cursors, to its wrapper of libpq.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import abc, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Connection = psycopg.AsyncConnection[Any]

_KNOWN: Final = WeakKeyDictionary[Connection, set[bytes]]()
"""The names of the statements that a connection knows by now."""

_COMMIT: Final = b"COMMIT"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement in PostgreSQL's own notation (`$1`), by the name under which a connection is to know it."""

    name: bytes
    text: bytes


async def round_trip(
    connection: Connection, *statements: tuple[Prepared, Sequence[Any]], commit: bool = False
) -> list[list[Any]]:
    """Run statements, each with its values, in order; returns the rows of each.

    A transaction is begun where the connection would begin one, and committed after them if that is asked for. Values
    go as text, whatever type the statement makes of them. Raises psycopg.Error; the transaction is then over but for
    its rollback.
    """
    server, values = connection.pgconn, Transformer(connection)
    begins = server.transaction_status == TransactionStatus.IDLE and not connection.autocommit
    known = _KNOWN.setdefault(connection, set())
    unknown = {statement.name: statement for statement, _ in statements if statement.name not in known}
    texts = [values.dump_sequence(given, [PyFormat.TEXT] * len(given)) for _, given in statements]
    server.enter_pipeline_mode()
    try:
        if begins:
            server.send_query_params(_begin(connection), None)
        for statement in unknown.values():
            server.send_prepare(statement.name, statement.text)
        for (statement, _), given in zip(statements, texts, strict=True):
            server.send_query_prepared(statement.name, given, result_format=Format.BINARY)
        if commit:
            server.send_query_params(_COMMIT, None)
        server.pipeline_sync()
        results = await connection.wait(_received(server))
    finally:
        if server.status == ConnStatus.OK:
            server.exit_pipeline_mode()
    made = results[begins : begins + len(unknown)]
    known.update(name for name, result in zip(unknown, made, strict=False) if result.status == ExecStatus.COMMAND_OK)
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
    first = begins + len(unknown)
    return [_rows(values, result) for result in results[first : first + len(statements)]]


def _begin(connection: Connection) -> bytes:
    """What the driver would begin a transaction of this connection with."""
    words = ["BEGIN"]
    if connection.isolation_level is not None:
        words.append(f"ISOLATION LEVEL {connection.isolation_level.name.replace('_', ' ')}")
    if connection.read_only:
        words.append("READ ONLY")
    return " ".join(words).encode()


def _received(server: PGconn) -> Generator[Any, Any, list[PGresult]]:
    """Sends what is left to send, and waits for all results up to the end of the pipeline."""
    yield from generators.send(server)
    results: list[PGresult] = []
    while True:
        for result in (yield from generators.fetch_many(server)):
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)


def _rows(values: abc.Transformer, result: PGresult) -> list[Any]:
    if result.status != ExecStatus.TUPLES_OK:
        return []
    values.set_pgresult(result)
    return values.load_rows(0, result.ntuples, tuple)
