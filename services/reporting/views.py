"""The queries whose answers leave reporting. Each takes the caller's scope first, and is bound by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.figures import MEASURES, NATIONAL, TOTAL, UNKNOWN_GROUP, Figures, Row
from services.reporting.projection import view
from services.reporting.scope import Scope
from services.reporting.store import PERIODS, TRAINEES, known_of
from services.reporting.tables import PartnerRow
from shared import clock
from shared.database import table
from shared.events.data import UUID_PATTERN

_UUID: Final = re.compile(UUID_PATTERN)
_PARTNERS: Final = table(PartnerRow)
_PERIOD: Final = PERIODS.c
_CUT_COLUMNS: Final = {
    "region": _PERIOD.region_code,
    "local_authority": _PERIOD.la_code,
    "provider_type": _PERIOD.provider_type,
    "cohort": _PERIOD.cohort,
    "partner": _PERIOD.partner,
}
_CUT_OF: Final = {
    (1 << len(_CUT_COLUMNS)) - 1: NATIONAL,
    **{(1 << len(_CUT_COLUMNS)) - 1 - (1 << bit): cut for bit, cut in enumerate(reversed(_CUT_COLUMNS))},
}
"""Cuts by PostgreSQL's GROUPING: a bit a column, the last column lowest, set where the row is not grouped by it."""


async def trainees(scope: Scope, tx: AsyncConnection, after: str | None, limit: int) -> list[dict[str, Any]]:
    """The partner's own trainees, by registration id, from behind the id given. Raises NotPermitted."""
    c = TRAINEES.c
    own = select(TRAINEES).where(c.partner == scope.own_partner())
    page = own if after is None else own.where(c.registration_id > after)
    rows = await tx.execute(page.order_by(c.registration_id).limit(limit))
    return [shown for row in rows if (shown := view(known_of(row))) is not None]


async def trainee(scope: Scope, tx: AsyncConnection, registration: str) -> dict[str, Any] | None:
    """One of the partner's own trainees; None for another's as for one that is not there. Raises NotPermitted."""
    partner = scope.own_partner()
    if not _UUID.fullmatch(registration):  # nor may the database be asked for any text: it refuses a NUL
        return None
    c = TRAINEES.c
    own = select(TRAINEES).where(c.partner == partner, c.registration_id == registration)
    row = (await tx.execute(own)).first()
    return view(known_of(row)) if row else None


async def figures(scope: Scope, tx: AsyncConnection, as_at: date) -> Figures:
    """All figures as at the end of a London day. Raises NotPermitted for a partner."""
    scope.require_national()
    names = {row.code: row.name for row in await tx.execute(select(_PARTNERS))}
    rows = [_row(counted, names) for counted in await tx.execute(_counts(as_at))]
    return Figures(rows, {group: number for group, number in await tx.execute(_reasons(as_at))})


def _in_force(as_at: date) -> ColumnElement[bool]:
    end = clock.end_of_day(as_at)
    return (_PERIOD.begins <= end) & (_PERIOD.ends.is_(None) | (_PERIOD.ends > end))


def _counts(as_at: date) -> Select[*tuple[Any, ...]]:
    """One row a cut and code. `cut` tells by which columns a row is grouped; of several names of an area, one."""
    columns = tuple(_CUT_COLUMNS.values())
    return (
        select(
            func.grouping(*columns).label("cut"),
            *(column.label(cut) for cut, column in _CUT_COLUMNS.items()),
            func.max(_PERIOD.region_name).label("region_name"),
            func.max(_PERIOD.la_name).label("la_name"),
            func.count().label("registrations"),
            _in_state("registered").label("in_training"),
            *(_in_state(state).label(state) for state in ("deferred", "withdrawn", "completed")),
            func.count(_PERIOD.setting_key.distinct()).label("settings"),
        )
        .where(_in_force(as_at))
        .group_by(func.grouping_sets(tuple_(), *(tuple_(column) for column in columns)))
    )


def _in_state(state: str) -> ColumnElement[int]:
    return func.count().filter(_PERIOD.state == state)


def _row(counted: Any, names: Mapping[str, str]) -> Row:
    cut = _CUT_OF[counted.cut]
    code = TOTAL if cut == NATIONAL else str(getattr(counted, cut))
    shown = {
        NATIONAL: "England",
        "region": counted.region_name,
        "local_authority": counted.la_name,
        "partner": names.get(code, code),
    }
    measures = {measure: getattr(counted, measure) for measure in MEASURES}
    return Row(cut, code, shown.get(cut, code), **measures)


def _reasons(as_at: date) -> Select[*tuple[Any, ...]]:
    group = func.coalesce(_PERIOD.reason_group, UNKNOWN_GROUP)
    return select(group, func.count()).where(_in_force(as_at), _PERIOD.state == "withdrawn").group_by(group)
