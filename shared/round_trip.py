"""One round trip to PostgreSQL: statements leave together, and what they return is waited for once.

Small ones are one packet. The driver's own pipeline sends each statement by itself, which wakes the server as often,
and waits for BEGIN and for COMMIT alone. So this goes beneath its cursors, to its wrapper of libpq.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import abc, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Connection = psycopg.AsyncConnection[Any]

_KNOWN: Final = WeakKeyDictionary[Connection, set[bytes]]()
"""The names of the statements that a connection knows by now."""

_COMMIT: Final = b"COMMIT"
_NUMBERS: Final = count()
_FORGOTTEN: Final = (errors.FeatureNotSupported, errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)
"""What a connection says whose prepared statements are not as we think, or not of the tables as they are now."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement in PostgreSQL's own notation (`$1`), and the name by which a connection is to know it."""

    text: bytes
    name: bytes = field(default_factory=lambda: f"senconet_{next(_NUMBERS)}".encode())


Asked = tuple[Prepared, Sequence[Any]]
"""A statement with its values, in the order of their numbers."""


async def round_trip(connection: Connection, *statements: Asked, commit: bool = False) -> list[list[Any]]:
    """Run statements in order; returns the rows of each.

    A transaction is begun where the connection would begin one, and committed after them if that is asked for. Values
    go as text, whatever type the statement makes of them. Raises psycopg.Error; the transaction is then undone, unless
    the connection was lost: then it may have been committed, and so it may for who is cancelled meanwhile.
    """
    server, values = connection.pgconn, Transformer(connection)
    known = _KNOWN.setdefault(connection, set())
    unknown = {statement.name: statement for statement, _ in statements if statement.name not in known}
    texts = [values.dump_sequence(given, [PyFormat.TEXT] * len(given)) for _, given in statements]
    results: list[PGresult] = []
    begins = server.transaction_status == TransactionStatus.IDLE and not connection.autocommit
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
        await connection.wait(_receive(server, results))
    finally:
        _leave(server)
        told = zip(unknown, results[begins:], strict=False)
        known.update(name for name, result in told if result.status == ExecStatus.COMMAND_OK)
    try:
        _raise_first(results)
    except _FORGOTTEN:
        server.finish()
        raise
    first = begins + len(unknown)
    return [_rows(values, result) for result in results[first : first + len(statements)]]


def _leave(server: PGconn) -> None:
    """End the pipeline. Where results are left over, nobody could tell what they answer."""
    try:
        if server.status == ConnStatus.OK:
            server.exit_pipeline_mode()
    except psycopg.OperationalError:
        server.finish()


def _raise_first(results: Sequence[PGresult]) -> None:
    """Raise what went wrong first, if anything did: what came after was not done."""
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)


def _begin(connection: Connection) -> bytes:
    """How a transaction of this connection begins, as it is set."""
    words = ["BEGIN"]
    if connection.isolation_level is not None:
        words.append(f"ISOLATION LEVEL {connection.isolation_level.name.replace('_', ' ')}")
    if connection.read_only:
        words.append("READ ONLY")
    return " ".join(words).encode()


def _receive(server: PGconn, results: list[PGresult]) -> Generator[Any, Any, None]:
    """Send what is left to send, and add all results up to the end of the pipeline. Goes on after a cancellation."""
    yield from generators.send(server)
    while True:
        for result in (yield from generators.fetch_many(server)):
            if result.status == ExecStatus.PIPELINE_SYNC:
                return
            results.append(result)


def _rows(values: abc.Transformer, result: PGresult) -> list[Any]:
    if result.status != ExecStatus.TUPLES_OK:
        return []
    values.set_pgresult(result)
    return values.load_rows(0, result.ntuples, tuple)
