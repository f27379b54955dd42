"""Moments: RFC 3339 reading and writing, days in London, and where a fact of day precision stands.

Nothing here reads a clock; times come in as arguments.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MICROSECOND: Final = timedelta(microseconds=1)


class Moment(NamedTuple):
    """A place in the order of facts: the time (UTC) and the order of the type that stands there."""

    time: datetime
    order: int


def parse(text: str) -> datetime | None:
    """The instant of an RFC 3339 text with offset, in UTC, to the microsecond; None if it is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def render(instant: datetime) -> str:
    """An instant as RFC 3339 in UTC, to the microsecond where it has any."""
    in_utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return in_utc.isoformat()[: -len("+00:00")] + "Z"


def london_day(instant: datetime) -> date:
    """The day in London; at the very ends of the calendar, where no offset fits, the day in UTC."""
    try:
        return instant.astimezone(LONDON).date()
    except OverflowError:
        return instant.date()


def start_of_day(day: date) -> datetime:
    """00:00 of a London day, in UTC."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last microsecond of a London day, in UTC."""
    return start_of_day(day + timedelta(days=1)) - _MICROSECOND


def placed(instant: datetime, precision: str | None, place: Literal["start", "noon", "end"]) -> datetime:
    """When a fact stands: at its instant, or where its type puts it in a day of which no more is known."""
    if precision != "day" or place == "start":
        return instant
    day = london_day(instant)
    return end_of_day(day) if place == "end" else datetime.combine(day, time(12), LONDON).astimezone(UTC)
