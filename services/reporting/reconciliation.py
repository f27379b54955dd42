"""What partners' records were answered, against the facts that were told: each accepted record is one fact.

The two come by different topics and share no row; that they agree says that nothing was lost or told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ScalarSelect, Select, func, select

from services.reporting.receipts import ACCEPTED, HELD, RECEIPTS
from services.reporting.store import FACTS
from shared import clock

_R: Final = RECEIPTS.c


@dataclass(frozen=True, slots=True)
class Received:
    """What the records of a partner, or of all (None), were answered, and how many facts of it were told.

    `held` are those that wait now, the oldest received at `oldest_held`. A record with two codes counts under both.
    """

    partner: str | None
    accepted: int
    duplicate: int
    rejected: int
    held: int
    oldest_held: datetime | None
    codes: Mapping[str, int]
    facts: int

    @property
    def received(self) -> int:
        """All that was answered, or is held."""
        return self.accepted + self.duplicate + self.rejected + self.held

    @property
    def difference(self) -> int:
        """Accepted records less facts: nothing but what is under way."""
        return self.accepted - self.facts


def answered() -> Select[Any]:
    """One row a partner: its records by outcome, and since when the oldest that is held waits."""
    outcomes = (
        func.count().filter(_R.outcome == name).label(name) for name in (ACCEPTED, "duplicate", "rejected", HELD)
    )
    oldest = func.min(_R.received).filter(_R.outcome == HELD).label("oldest_held")
    return select(_R.partner, *outcomes, oldest).group_by(_R.partner)


def codes() -> Select[Any]:
    """How many records of each partner were rejected with each code."""
    code = func.json_array_elements_text(_R.codes).label("code")
    rejected = select(_R.partner, code).where(_R.outcome == "rejected").subquery()
    return select(rejected.c.partner, rejected.c.code, func.count()).group_by(rejected.c.partner, rejected.c.code)


def facts() -> Select[Any]:
    """How many facts of each partner were told."""
    return select(FACTS.c.partner, func.count()).group_by(FACTS.c.partner)


def difference() -> ScalarSelect[int]:
    """By how much accepted records and facts differ, over all partners."""
    accepted = select(_R.partner, func.count().label("n")).where(_R.outcome == ACCEPTED).group_by(_R.partner).subquery()
    told = select(FACTS.c.partner, func.count().label("n")).group_by(FACTS.c.partner).subquery()
    both = accepted.join(told, accepted.c.partner == told.c.partner, full=True)
    apart = func.abs(func.coalesce(accepted.c.n, 0) - func.coalesce(told.c.n, 0))
    return select(func.coalesce(func.sum(apart), 0)).select_from(both).scalar_subquery()


def reconciled(
    answers: Iterable[Any], rejections: Iterable[tuple[str, str, int]], told: Mapping[str, int]
) -> list[Received]:
    """One row a partner, in order of their codes."""
    by_code: dict[str, dict[str, int]] = {}
    for partner, code, number in rejections:
        by_code.setdefault(partner, {})[code] = number
    rows = {
        row.partner: Received(
            row.partner,
            row.accepted,
            row.duplicate,
            row.rejected,
            row.held,
            row.oldest_held,
            by_code.get(row.partner, {}),
            told.get(row.partner, 0),
        )
        for row in answers
    }
    silent = {partner: Received(partner, 0, 0, 0, 0, None, {}, told[partner]) for partner in told.keys() - rows.keys()}
    return [row for _, row in sorted((rows | silent).items())]


def total(rows: Sequence[Received]) -> Received:
    """All partners together."""
    codes: dict[str, int] = {}
    for row in rows:
        for code, number in row.codes.items():
            codes[code] = codes.get(code, 0) + number
    sums = {
        name: sum(getattr(row, name) for row in rows) for name in ("accepted", "duplicate", "rejected", "held", "facts")
    }
    oldest = min((row.oldest_held for row in rows if row.oldest_held), default=None)
    return Received(partner=None, oldest_held=oldest, codes=codes, **sums)


def document(rows: Iterable[Received], of_all: Received, notice: str | None) -> dict[str, Any]:
    """The rows of partners as they are given out, and those of all together."""
    return {
        "notice": notice,
        "partners": [{"partner": row.partner, **_row(row)} for row in rows],
        "total": _row(of_all),
    }


def _row(row: Received) -> dict[str, Any]:
    counts = {name: number for name, number in asdict(row).items() if name != "partner"}
    return {
        **counts,
        "oldest_held": clock.render(row.oldest_held) if row.oldest_held else None,
        "codes": dict(sorted(row.codes.items())),
        "received": row.received,
        "difference": row.difference,
    }
