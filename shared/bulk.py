"""Many rows in one statement, as one JSON document: the driver's own way to pass lists takes three times as long.

Statements are made once; `filled` gives them their rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Table,
    TableValuedAlias,
    Update,
    bindparam,
    cast,
    column,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSON, TEXT, Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import crash
from shared.database import Statement, add_rows, document, run

Rows = Sequence[Mapping[str, Any]]
"""Rows by column, each with the statement's columns. A JSON body is given as it is, or as its text."""

FEW: Final = 100
"""Up to so many rows of a table go with the statements: by COPY a row costs a quarter, and three round trips more."""

_TEXT: Final = TEXT()


async def finish(tx: AsyncConnection, statements: Sequence[Statement], *added: tuple[Table, Rows]) -> None:
    """Run statements, insert rows into tables and commit, all in one round trip where the rows are few.

    Raises DBAPIError.
    """
    few = [(inserting(target, tuple(rows[0])), rows) for target, rows in added if 0 < len(rows) <= FEW]
    many = [(target, rows) for target, rows in added if len(rows) > FEW]
    last = [*statements, *filled(*few)]
    if many:
        await run(tx, *last)
        for target, rows in many:
            await add_rows(tx, target, rows)
        last = []
    # Of few rows this is before anything was sent: their COMMIT goes with them.
    crash.point("before_commit", max((len(rows) for _, rows in added), default=0))
    await run(tx, *last, last=True)


def filled(*statements: tuple[Insert | Update, Rows]) -> list[Statement]:
    """Statements of this module, each with its rows, for `shared.database.run`; none of those that have no rows."""
    return [(statement, {"rows": document(rows)}) for statement, rows in statements if rows]


@cache
def inserting(target: Table, names: tuple[str, ...]) -> Insert:
    """Inserts rows; one whose key is there is an error."""
    source = _given(target, names)
    return upsert(target).from_select(list(names), select(*(_as_kept(target, name, source.c[name]) for name in names)))


def adding(target: Table, names: tuple[str, ...]) -> Insert:
    """Inserts rows; those that are there stay as they are."""
    return inserting(target, names).on_conflict_do_nothing()


def putting(
    target: Table,
    names: tuple[str, ...],
    key: Sequence[str] = (),
    again: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> Insert:
    """Inserts rows, or writes them over those of the same key, the primary one or this; only over such as `where` says.

    `again`: the columns that are written over, if not all.
    """
    statement, same = inserting(target, names), key or [column_.name for column_ in target.primary_key]
    over = again or [name for name in names if name not in same]
    now = {name: statement.excluded[name] for name in over}
    return statement.on_conflict_do_update(index_elements=same, set_=now, where=where)


def changing(target: Table, names: Sequence[str]) -> Update:
    """Writes into the rows of the same key the columns that are given; null leaves a column as it is."""
    key = [column_.name for column_ in target.primary_key]
    new = _given(target, (*key, *names))
    now = {name: func.coalesce(_as_kept(target, name, new.c[name]), target.c[name]) for name in names}
    return update(target).where(*(target.c[name] == new.c[name] for name in key)).values(now)


def _given(target: Table, names: Sequence[str]) -> TableValuedAlias:
    """The rows as a table of their own."""
    whole = cast(bindparam("rows", type_=TEXT()), JSON)
    columns = (column(name, _carried(target, name)) for name in names)
    return func.json_to_recordset(whole).table_valued(*columns).render_derived(with_types=True)


def _as_kept(target: Table, name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of rows given, in the type that it has in the table. Bytes come as hexadecimal: JSON has none."""
    kind = target.c[name].type
    if isinstance(kind, JSON):
        return cast(value, JSON)
    return func.decode(value, text("'hex'")) if isinstance(kind, LargeBinary) else value


def _carried(target: Table, name: str) -> Any:
    kind = target.c[name].type
    return _TEXT if isinstance(kind, JSON | LargeBinary) else kind
