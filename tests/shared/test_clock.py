"""Times as partners write them, days in London, and where a fact stands of which only the day is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2023-01-03T10:00:00Z", datetime(2023, 1, 3, 10)),
        ("2023-06-01t11:00:00.5+01:00", datetime(2023, 6, 1, 10, 0, 0, 500_000)),
        ("2023-01-03T00:00:00-14:00", datetime(2023, 1, 3, 14)),
        ("2024-02-29T23:59:59.999999z", datetime(2024, 2, 29, 23, 59, 59, 999_999)),
    ],
)
def test_a_time_with_offset_is_an_instant(text: str, instant: datetime) -> None:
    assert clock.parse(text) == instant.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-01-03",
        "2023-01-03T10:00:00",
        "2023-02-29T10:00:00Z",
        "2023-01-03 10:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_instant_is_none(text: str) -> None:
    assert clock.parse(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_reads_as_the_same_instant(instant: datetime) -> None:
    assert clock.parse(clock.render(instant)) == instant


def test_a_day_in_london_begins_an_hour_earlier_in_summer() -> None:
    assert clock.start_of_day(date(2023, 1, 10)) == datetime(2023, 1, 10, tzinfo=UTC)
    assert clock.start_of_day(date(2023, 6, 10)) == datetime(2023, 6, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [(date(2023, 3, 26), 23), (date(2023, 10, 29), 25), (date(2023, 6, 1), 24)])
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(day: date, hours: int) -> None:
    length = clock.end_of_day(day) - clock.start_of_day(day)
    assert length == timedelta(hours=hours) - timedelta(microseconds=1)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_every_instant_lies_in_its_london_day(instant: datetime) -> None:
    day = clock.london_day(instant)
    assert clock.start_of_day(day) <= instant <= clock.end_of_day(day)


@pytest.mark.parametrize("instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_have_a_day(instant: datetime) -> None:
    assert clock.london_day(instant) == instant.date()


def test_a_fact_of_a_day_stands_where_its_type_puts_it() -> None:
    summer = clock.start_of_day(date(2023, 6, 1))
    assert clock.placed(summer, "day", "start") == summer
    assert clock.placed(summer, "day", "noon") == datetime(2023, 6, 1, 11, tzinfo=UTC)
    assert clock.placed(summer, "day", "end") == datetime(2023, 6, 1, 22, 59, 59, 999_999, tzinfo=UTC)
    assert clock.placed(summer, None, "end") == summer
