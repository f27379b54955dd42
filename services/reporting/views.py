"""The queries whose answers leave reporting. Each takes the caller's scope first, and is bound by it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting import counts, reconciliation
from services.reporting.figures import (
    AS_AT,
    MEASURES,
    NATIONAL,
    OF_PARTNERS,
    PARTNER,
    TOTAL,
    Figures,
    Number,
    Row,
    of_partner,
)
from services.reporting.partner_view import shown_on
from services.reporting.reconciliation import Received, reconciled, total
from services.reporting.scope import Scope
from services.reporting.store import VIEWS
from services.reporting.tables import PartnerRow
from shared.database import table
from shared.events.data import UUID_PATTERN

_UUID: Final = re.compile(UUID_PATTERN)
_PARTNERS: Final = table(PartnerRow)


async def trainees(
    scope: Scope, tx: AsyncConnection, today: date, after: str | None, limit: int
) -> list[dict[str, Any]]:
    """The partner's own trainees, by registration id, from behind the id given. Raises NotPermitted."""
    c = VIEWS.c
    own = select(c.body).where(c.partner == scope.own_partner())
    page = own if after is None else own.where(c.registration_id > after)
    rows = await tx.execute(page.order_by(c.registration_id).limit(limit))
    return [shown_on(body, today) for body in rows.scalars()]


async def trainee(scope: Scope, tx: AsyncConnection, today: date, registration: str) -> dict[str, Any] | None:
    """One of the partner's own trainees; None for another's as for one that is not there. Raises NotPermitted."""
    partner = scope.own_partner()
    if not _UUID.fullmatch(registration):  # nor may the database be asked for any text: it refuses a NUL
        return None
    c = VIEWS.c
    own = select(c.body).where(c.partner == partner, c.registration_id == registration)
    body = (await tx.execute(own)).scalar_one_or_none()
    return None if body is None else shown_on(body, today)


async def figures(scope: Scope, tx: AsyncConnection, as_at: date) -> Figures:
    """All figures as at the end of a London day. Raises NotPermitted for a partner."""
    scope.require_national()
    return Figures(
        await _rows(tx, as_at),
        {group: number for group, number in await tx.execute(counts.reasons(as_at))},
        {name: number for name, number in await tx.execute(counts.allocations(as_at))},
    )


async def own_figures(scope: Scope, tx: AsyncConnection, as_at: date) -> Sequence[Row]:
    """The partner's own row as at the end of a London day, and the national total. Raises NotPermitted."""
    return of_partner(await _rows(tx, as_at), scope.own_partner())


async def receipts(scope: Scope, tx: AsyncConnection) -> tuple[list[Received], Received]:
    """What partners' records were answered: of all partners, or of the caller alone; and the total of all."""
    answers = (await tx.execute(reconciliation.answered())).all()
    rejections = [(partner, code, number) for partner, code, number in await tx.execute(reconciliation.codes())]
    told = {partner: number for partner, number in await tx.execute(reconciliation.facts())}
    rows = reconciled(answers, rejections, told)
    return [row for row in rows if scope.partner in (None, row.partner)], total(rows)


async def _rows(tx: AsyncConnection, as_at: date) -> list[Row]:
    """The rows of all cuts: those of which something is counted."""
    found: defaultdict[tuple[str, str], dict[str, Number]] = defaultdict(dict)
    for row in (await tx.execute(counts.states(as_at))).mappings():
        found[_cell(row)] |= {name: row[name] for name in (*AS_AT, *OF_PARTNERS)}
    for row in (await tx.execute(counts.moments(as_at))).mappings():
        found[_cell(row)][row["measure"]] = row["n"]
    names = await _names(tx)
    return [Row(cut, code, names.get((cut, code), code), _whole(cut, given)) for (cut, code), given in found.items()]


def _cell(row: Mapping[str, Any]) -> tuple[str, str]:
    cut = counts.CUT_OF[row["cut"]]
    return cut, TOTAL if cut == NATIONAL else row["code"]


def _whole(cut: str, given: Mapping[str, Number]) -> dict[str, Number]:
    """All measures of a row: nothing where nothing was counted, none where a cut does not have them."""
    whole: dict[str, Number] = {**dict.fromkeys(MEASURES, 0), "days_median": None, **given}
    return whole if cut == PARTNER else {**whole, **dict.fromkeys(OF_PARTNERS, None)}


async def _names(tx: AsyncConnection) -> dict[tuple[str, str], str]:
    partners = {(PARTNER, row.code): row.name for row in await tx.execute(select(_PARTNERS))}
    areas = {(cut, code): name for cut, code, name in await tx.execute(counts.area_names())}
    return {(NATIONAL, TOTAL): "England", **areas, **partners}
