"""National figures as at the end of a London day: their measures, rates, cuts and shape. Pure; counted in `counts`.

registrations = not started + in training + deferred + withdrawn + completed, in every row (reference: events 10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

from services.reporting.entries import MOMENTS
from shared.events.data import ActivityType

Number = int | float | None
"""A figure; None where there is none: a rate of nothing, or a measure that is not counted in that cut."""

NATIONAL: Final = "national"
PARTNER: Final = "partner"
CUTS: Final = (NATIONAL, "region", "local_authority", "provider_type", "cohort", PARTNER)
DISCLOSURE: Final = (
    "Restricted management figures: unsuppressed, so small counts may identify people. Not for publication."
)
TOTAL: Final = "total"
UNKNOWN_GROUP: Final = "unknown"

STATES: Final = ("not_started", "in_training", "deferred", "withdrawn", "completed")
STAGES: Final = (
    "withdrawn_before_start",
    *(f"withdrawn_month_{month}" for month in (1, 2, 3)),
    "withdrawn_month_4_on",
)
WINDOWS: Final = (4, 6)
"""Months within which a course is looked at for its completion."""

AS_AT: Final = (
    *("registrations", *STATES, "settings", "starts", *STAGES),
    *(name for months in WINDOWS for name in (f"window_{months}_closed", f"completed_within_{months}")),
    *("days_counted", "days_total", "days_median"),
    *("with_outcome", "passed", "passed_first_time", "resubmitted"),
    *("withdrawn_flagged", "completed_flagged"),
)
"""The measures of a registration as it is at the end of the day."""

OF_PARTNERS: Final = ("mentored", "mentors")
"""The measures that are counted by partner only."""

MEASURES: Final = (*AS_AT, *MOMENTS, *OF_PARTNERS)

PLACES: Final[Mapping[str, int]] = {"contract_2022": 5_000, "extension_2023": 2_000, "places_2025": 1_000}
"""Places by allocation, as published: figures F8, F9 and F11 of the sources (docs/figures.md)."""


PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Ratio:
    """A measure over the sum of others: in percent, or as it is."""

    part: str
    whole: tuple[str, ...]
    times: int = PERCENT

    def of(self, counts: Mapping[str, Number]) -> float | None:
        """The ratio, from unrounded counts; None where the whole is nothing, or not counted here."""
        part, whole = counts[self.part], [counts[name] for name in self.whole]
        if not isinstance(part, int) or not all(isinstance(number, int) for number in whole):
            return None
        return rounded(part * self.times, sum(int(number or 0) for number in whole))


def rounded(part: int, whole: int) -> float | None:
    """A quotient to one decimal, halves away from zero; None if it is one by nothing."""
    if whole <= 0:
        return None
    tenths = (20 * abs(part) + whole) // (2 * whole)
    return (tenths if part >= 0 else -tenths) / 10


_SESSIONS: Final = {
    f"attendance_{kind}": Ratio(f"sessions_attended_{kind}", (f"sessions_due_{kind}",))
    for kind in get_args(ActivityType)
}
RATIOS: Final[Mapping[str, Ratio]] = {
    "start_rate": Ratio("starts", ("registrations",)),
    "withdrawal_rate": Ratio("withdrawn", ("registrations",)),
    "withdrawal_rate_of_starts": Ratio("withdrawn", ("starts",)),
    "deferral_rate": Ratio("deferrals", ("registrations",)),
    "return_rate": Ratio("returns", ("deferrals",)),
    "flagged_rate": Ratio("withdrawn_flagged", ("withdrawn",)),
    "false_alarm_rate": Ratio("completed_flagged", ("completed_flagged", "withdrawn_flagged")),
    "completion_rate": Ratio("completed", ("registrations",)),
    "completion_rate_of_starts": Ratio("completed", ("starts",)),
    **{
        f"within_{months}_rate": Ratio(f"completed_within_{months}", (f"window_{months}_closed",)) for months in WINDOWS
    },
    "days_mean": Ratio("days_total", ("days_counted",), 1),
    "mentoring_attendance": Ratio("mentoring_attended", ("mentoring_due",)),
    "mentoring_minimum_rate": Ratio("mentoring_minimum_met", ("mentoring_trainees",)),
    "caseload": Ratio("mentored", ("mentors",), 1),
    **_SESSIONS,
    "pass_rate": Ratio("passed", ("with_outcome",)),
    "first_time_rate": Ratio("passed_first_time", ("with_outcome",)),
    "resubmission_rate": Ratio("resubmitted", ("with_outcome",)),
    "marking_days_mean": Ratio("marking_days", ("decisions",), 1),
}
"""Indicators by name. Those of a window have only closed ones in their whole: an open one is no low rate."""

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "T2": ("registrations", *STATES, "settings", "starts", "start_rate", "moved_in", "moved_out"),
    "T6": (
        *("withdrawn", "withdrawal_rate", "withdrawal_rate_of_starts", *STAGES),
        *("deferrals", "deferral_rate", "returns", "return_rate"),
        *("withdrawn_flagged", "flagged_rate", "completed_flagged", "false_alarm_rate"),
    ),
    "T7": (
        *("completed", "completion_rate", "completion_rate_of_starts"),
        *("window_4_closed", "completed_within_4", "within_4_rate"),
        *("window_6_closed", "completed_within_6", "within_6_rate"),
        *("days_counted", "days_total", "days_mean", "days_median"),
    ),
    "T8": (
        *("mentoring_due", "mentoring_attended", "mentoring_attendance", "mentoring_minutes"),
        *("mentoring_trainees", "mentoring_minimum_met", "mentoring_minimum_rate", "mentored", "mentors", "caseload"),
    ),
    "T9": tuple(
        f"{what}_{kind}"
        for kind in get_args(ActivityType)
        for what in ("sessions_due", "sessions_attended", "attendance")
    ),
    "T10": (
        *("with_outcome", "passed", "pass_rate", "passed_first_time", "first_time_rate"),
        *("resubmitted", "resubmission_rate", "decisions", "marking_days", "marking_days_mean"),
    ),
}
"""The tables of the figures (docs/figures.md), each with its columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """The measures of one cut and code, each of `MEASURES`."""

    cut: str
    code: str
    name: str
    counts: Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class Figures:
    """All cuts as at one day; withdrawals by the group of their reason; registrations by the allocation of places."""

    rows: Sequence[Row]
    withdrawal_reasons: Mapping[str, int]
    allocations: Mapping[str, int]


def of_partner(rows: Sequence[Row], partner: str) -> Sequence[Row]:
    """What a partner may see: its own row, beside the national total."""
    return [row for row in rows if row.cut == NATIONAL or (row.cut, row.code) == (PARTNER, partner)]


def document(figures: Figures, as_at: date, notice: str | None) -> dict[str, Any]:
    """The figures as they are given out. `notice` says of what kind the data are, where that must be said."""
    reasons = sorted(figures.withdrawal_reasons.items())
    return {
        **rows_document(figures.rows, as_at, notice),
        "withdrawal_reasons": [{"reason_group": group, "withdrawn": number} for group, number in reasons],
        "places": list(_places(figures.allocations)),
    }


def rows_document(rows: Sequence[Row], as_at: date, notice: str | None) -> dict[str, Any]:
    """Rows as they are given out, with what must be said of them."""
    return {
        "as_at": as_at.isoformat(),
        "notice": notice,
        "disclosure": DISCLOSURE,
        "measures": list(MEASURES),
        "percentages": [name for name, ratio in RATIOS.items() if ratio.times == PERCENT],
        "tables": {name: list(columns) for name, columns in TABLES.items()},
        "rows": [_row(row) for row in sorted(rows, key=_place)],
    }


def _row(row: Row) -> dict[str, Any]:
    rates = {name: ratio.of(row.counts) for name, ratio in RATIOS.items()}
    return {"cut": row.cut, "code": row.code, "name": row.name, **row.counts, **rates}


def _place(row: Row) -> tuple[int, str]:
    return CUTS.index(row.cut), row.code


def _places(allocations: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Take-up by allocation; one whose size is not known has none."""
    for name in sorted({*PLACES, *allocations}):
        registered, places = allocations.get(name, 0), PLACES.get(name)
        take_up = rounded(registered * PERCENT, places) if places else None
        yield {"allocation": name, "registrations": registered, "places": places, "take_up": take_up}
