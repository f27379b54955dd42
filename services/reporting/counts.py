"""The statements that count figures as at the end of a London day. Nothing is asked here: `views` does, for a scope."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Interval,
    Select,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)

from services.reporting.figures import CUTS, NATIONAL, UNKNOWN_GROUP, WINDOWS
from services.reporting.store import ENTRIES, PERIODS
from shared import clock

_P: Final = PERIODS.c
_E: Final = ENTRIES.c
_OF_STATES: Final = (_P.region_code, _P.la_code, _P.provider_type, _P.cohort, _P.partner)
_OF_MOMENTS: Final = (_E.region_code, _E.la_code, _E.provider_type, _P.cohort, _E.partner)
"""The columns of the cuts, in the order of `CUTS` behind the national one."""

_ALL: Final = (1 << len(_OF_STATES)) - 1
CUT_OF: Final = {
    _ALL: NATIONAL,
    **{_ALL - (1 << bit): cut for bit, cut in enumerate(reversed(CUTS[1:]))},
}
"""Cuts by PostgreSQL's GROUPING: a bit a column, the last column lowest, set where the row is not grouped by it."""


def _in_force(as_at: date) -> ColumnElement[bool]:
    end = clock.end_of_day(as_at)
    return (_P.begins <= end) & (_P.ends.is_(None) | (_P.ends > end))


def states(as_at: date) -> Select[Any]:
    """One row a cut and code: `cut`, `code` and the measures of registrations as they are then."""
    return (
        select(
            *_cut_and_code(_OF_STATES),
            func.count().label("registrations"),
            *(column.label(name) for name, column in _measures(as_at).items()),
        )
        .where(_in_force(as_at))
        .group_by(_cuts(_OF_STATES))
    )


def moments(as_at: date) -> Select[Any]:
    """One row a cut, code and measure of the ledger: `n` of it up to then, of registrations that are counted then.

    Each counts at the partner and place of its own moment, and in the cohort of the day asked for.
    """
    total = func.sum(_E.n)
    return (
        select(*_cut_and_code(_OF_MOMENTS), _E.measure, total.label("n"))
        .select_from(ENTRIES.join(PERIODS, _E.registration_id == _P.registration_id))
        .where(_in_force(as_at), _E.at <= clock.end_of_day(as_at))
        .group_by(_E.measure, _cuts(_OF_MOMENTS))
        .having(total != 0)
    )


def reasons(as_at: date) -> Select[Any, int]:
    """How many of the withdrawn gave a reason of each group."""
    group = func.coalesce(_P.reason_group, UNKNOWN_GROUP)
    return select(group, func.count()).where(_in_force(as_at), _P.state == "withdrawn").group_by(group)


def allocations(as_at: date) -> Select[str, int]:
    """How many registrations are on the places of each allocation."""
    return select(_P.allocation, func.count()).where(_in_force(as_at)).group_by(_P.allocation)


def area_names() -> CompoundSelect[str, str, str]:
    """The names of areas by cut and code; of several, one."""
    return _names("region", _P.region_code, _P.region_name).union_all(_names("local_authority", _P.la_code, _P.la_name))


def _names(cut: str, code: ColumnElement[str], name: ColumnElement[str]) -> Select[str, str, str]:
    return select(literal(cut), code, func.max(name)).group_by(code)


def _cut_and_code(columns: tuple[ColumnElement[Any], ...]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return func.grouping(*columns).label("cut"), func.coalesce(*columns).label("code")


def _cuts(columns: tuple[ColumnElement[Any], ...]) -> Any:
    return func.grouping_sets(tuple_(), *(tuple_(column) for column in columns))


def _months_later(months: int) -> ColumnElement[Any]:
    """The day so many calendar months after the start: the same day of the month, or the month's last."""
    return cast(_P.start + func.make_interval(0, months, type_=Interval), Date)


def _measures(as_at: date) -> dict[str, ColumnElement[Any]]:
    started = _P.start <= as_at
    withdrawn, completed = _P.state == "withdrawn", _P.state == "completed"
    days = case((completed & started, type_coerce(_P.ended_on - _P.start, Integer)))
    active = _P.state.in_(("registered", "deferred"))
    counted = {
        "not_started": (_P.state == "registered") & started.is_not(True),
        "in_training": (_P.state == "registered") & started,
        "deferred": _P.state == "deferred",
        "withdrawn": withdrawn,
        "completed": completed,
        "starts": started,
        **{name: withdrawn & stage for name, stage in _stages().items()},
        **_windows(as_at, completed),
        "days_counted": days.is_not(None),
        "with_outcome": completed & _P.outcome.is_not(None),
        "passed": completed & (_P.outcome == "passed"),
        "passed_first_time": completed & _P.first_time,
        "resubmitted": completed & _P.resubmitted,
        "withdrawn_flagged": withdrawn & _P.flagged,
        "completed_flagged": completed & _P.flagged,
        "mentored": active & _P.mentor.is_not(None),
    }
    return {
        **{name: func.count().filter(condition) for name, condition in counted.items()},
        "settings": func.count(_P.setting_key.distinct()),
        "days_total": func.coalesce(func.sum(days), 0),
        "days_median": func.percentile_cont(0.5).within_group(days),
        "mentors": func.count(_P.mentor.distinct()).filter(active),
    }


def _stages() -> dict[str, ColumnElement[bool]]:
    """When in its course a withdrawal came, by London days. A start after it is that of a return."""
    began = _P.start <= _P.ended_on
    until = {month: _P.ended_on < _months_later(month) for month in (1, 2, 3)}
    return {
        "withdrawn_before_start": began.is_not(True),
        "withdrawn_month_1": began & until[1],
        "withdrawn_month_2": began & until[2] & ~until[1],
        "withdrawn_month_3": began & until[3] & ~until[2],
        "withdrawn_month_4_on": began & ~until[3],
    }


def _windows(as_at: date, completed: ColumnElement[bool]) -> dict[str, ColumnElement[bool]]:
    """Courses whose window has closed, and those of them that were completed within it."""
    found: dict[str, ColumnElement[bool]] = {}
    for months in WINDOWS:
        closes = _months_later(months)
        found[f"window_{months}_closed"] = closes <= as_at
        found[f"completed_within_{months}"] = (closes <= as_at) & completed & (_P.ended_on <= closes)
    return found
