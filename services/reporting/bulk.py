"""Many rows in one statement, as one JSON document: the driver's own way to pass lists takes three times as long.

Statements are made once, when a module is imported, and are run by `write`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, TableValuedAlias, Update, bindparam, cast, column, func, select, update
from sqlalchemy.dialects.postgresql import JSON, TEXT, Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import document, run

Rows = Sequence[Mapping[str, Any]]
"""Rows by column, each with the statement's columns. A JSON body is given as its text."""

_TEXT: Final = TEXT()


async def write(tx: AsyncConnection, *statements: tuple[Insert | Update, Rows]) -> None:
    """Run statements of this module, each on its rows, if there are any."""
    due = [(statement, {"rows": document(rows)}) for statement, rows in statements if rows]
    if due:
        await run(tx, *due)


def adding(target: Table, names: Sequence[str]) -> Insert:
    """Inserts rows; those that are there stay as they are. Where none can be, `shared.database.add_rows` is faster."""
    return _insert(target, names).on_conflict_do_nothing()


def putting(target: Table, names: Sequence[str], where: ColumnElement[bool] | None = None) -> Insert:
    """Inserts rows, or writes them over those of the same key; only over such as `where` says."""
    statement = _insert(target, names)
    key = [column_.name for column_ in target.primary_key]
    again = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=again, where=where)


def changing(target: Table, names: Sequence[str]) -> Update:
    """Writes into the rows of the same key the columns that are given; null leaves a column as it is."""
    key = [column_.name for column_ in target.primary_key]
    new = _given(target, (*key, *names))
    now = {name: func.coalesce(_as_kept(target, name, new.c[name]), target.c[name]) for name in names}
    return update(target).where(*(target.c[name] == new.c[name] for name in key)).values(now)


def _insert(target: Table, names: Sequence[str]) -> Insert:
    source = _given(target, names)
    return upsert(target).from_select(list(names), select(*(_as_kept(target, name, source.c[name]) for name in names)))


def _given(target: Table, names: Sequence[str]) -> TableValuedAlias:
    """The rows as a table of their own."""
    whole = cast(bindparam("rows", type_=TEXT()), JSON)
    columns = (column(name, _carried(target, name)) for name in names)
    return func.json_to_recordset(whole).table_valued(*columns).render_derived(with_types=True)


def _as_kept(target: Table, name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of rows given, in the type that it has in the table."""
    return cast(value, JSON) if isinstance(target.c[name].type, JSON) else value


def _carried(target: Table, name: str) -> Any:
    kind = target.c[name].type
    return _TEXT if isinstance(kind, JSON) else kind
