"""Many rows in one statement, as one JSON document: the driver's own way to pass lists takes three times as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, TableValuedAlias, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSON, TEXT, Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import document

Rows = Sequence[Mapping[str, Any]]
"""Rows by column, each with the same columns. A JSON body is given as its text."""

_TEXT: Final = TEXT()


async def add_once(tx: AsyncConnection, target: Table, rows: Rows) -> None:
    """Insert rows; those that are there stay as they are. Where none can be, `shared.database.add_rows` is faster."""
    if rows:
        await tx.execute(_insert(target, rows).on_conflict_do_nothing())


async def put(tx: AsyncConnection, target: Table, rows: Rows, where: ColumnElement[bool] | None = None) -> None:
    """Insert rows, or write them over those of the same key; only over such as `where` says."""
    if rows:
        statement = _insert(target, rows)
        key = [column_.name for column_ in target.primary_key]
        again = {name: statement.excluded[name] for name in rows[0] if name not in key}
        await tx.execute(statement.on_conflict_do_update(index_elements=key, set_=again, where=where))


def given(target: Table, rows: Rows) -> TableValuedAlias:
    """Rows as a table of their own."""
    whole = bindparam(None, document(rows), type_=TEXT())
    columns = (column(name, _carried(target, name)) for name in rows[0])
    return func.json_to_recordset(cast(whole, JSON)).table_valued(*columns).render_derived(with_types=True)


def as_kept(target: Table, name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of rows given, in the type that it has in the table."""
    return cast(value, JSON) if isinstance(target.c[name].type, JSON) else value


def _carried(target: Table, name: str) -> Any:
    kind = target.c[name].type
    return _TEXT if isinstance(kind, JSON) else kind


def _insert(target: Table, rows: Rows) -> Insert:
    source = given(target, rows)
    return upsert(target).from_select(
        list(rows[0]), select(*(as_kept(target, name, source.c[name]) for name in rows[0]))
    )
