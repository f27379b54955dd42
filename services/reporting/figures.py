"""National figures as at the end of a London day: their measures, cuts and shape. Pure; counted in `views`.

registrations = in training + deferred + withdrawn + completed, in every row (reference: events 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

NATIONAL: Final = "national"
CUTS: Final = (NATIONAL, "region", "local_authority", "provider_type", "cohort", "partner")
MEASURES: Final = ("registrations", "in_training", "deferred", "withdrawn", "completed", "settings")
DISCLOSURE: Final = (
    "Restricted management figures: unsuppressed, so small counts may identify people. Not for publication."
)
TOTAL: Final = "total"
UNKNOWN_GROUP: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """The measures of one cut and code. `in_training`: registered, started or not. `settings`: distinct ones."""

    cut: str
    code: str
    name: str
    registrations: int
    in_training: int
    deferred: int
    withdrawn: int
    completed: int
    settings: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All cuts as at one day, and how many of those withdrawn gave a reason of each group."""

    rows: Sequence[Row]
    withdrawal_reasons: Mapping[str, int]


def document(figures: Figures, as_at: date, notice: str | None) -> dict[str, Any]:
    """The figures as they are given out. `notice` says of what kind the data are, where that must be said."""
    reasons = sorted(figures.withdrawal_reasons.items())
    return {
        "as_at": as_at.isoformat(),
        "notice": notice,
        "disclosure": DISCLOSURE,
        "measures": list(MEASURES),
        "rows": [asdict(row) for row in sorted(figures.rows, key=_place)],
        "withdrawal_reasons": [{"reason_group": group, "withdrawn": number} for group, number in reasons],
    }


def _place(row: Row) -> tuple[int, str]:
    return CUTS.index(row.cut), row.code
