"""National figures: those of the independently written answer key, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.demo.check import check_figures
from senconet.demonstration.dataset import build
from senconet.demonstration.judge import judge
from senconet.demonstration.model import Key
from services.reporting import figures as shape
from services.reporting import views
from services.reporting.access import add_partner
from services.reporting.projection import READ
from services.reporting.projector import project
from services.reporting.scope import NotPermitted, Scope
from shared.database import snapshot
from shared.messages import Message
from shared.records import RawRecord
from tests.reporting import told
from tests.reporting.told import ID, PARTNER, at
from tests.support.memory import System, reference_of

READER = Scope.national_reader()
RECEIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)
BATCH = 300


async def counted(engine: AsyncEngine, as_at: date) -> shape.Figures:
    async with snapshot(engine) as tx:
        return await views.figures(READER, tx, as_at)


def _demonstration() -> tuple[Key, list[RawRecord]]:
    """The key of a small data set, and what the deciding services tell of it."""
    made = build(scale=0.04)
    system = System(*reference_of(made.reference))
    for phase in made.phases:
        for partner, records in phase.items():
            system.publish_batch([(partner, record, RECEIVED) for record in records])
        system.settle()
    key = judge(made.reference, made.phases, received=RECEIVED)
    messages = [message for service in system.services for message in service.published]
    return key, told.numbered([_raw(message) for message in messages if message.topic in READ])


def _raw(message: Message) -> RawRecord:
    assert message.key is not None
    return RawRecord(message.topic, 0, 0, RECEIVED, message.key.encode(), message.value, ())


def _interleaved(records: Sequence[RawRecord], random: Random) -> list[list[RawRecord]]:
    """Batches in which each topic keeps its own order, the topics mixed."""
    topics = [record.topic for record in records]
    random.shuffle(topics)
    queues = {topic: iter([record for record in records if record.topic == topic]) for topic in READ}
    mixed = [next(queues[topic]) for topic in topics]
    return [mixed[i : i + BATCH] for i in range(0, len(mixed), BATCH)]


async def test_the_figures_of_the_demonstration_are_those_of_its_key_and_add_up(engine: AsyncEngine) -> None:
    key, records = _demonstration()
    for batch in _interleaved(records, Random(1)):
        assert not (await project(engine, batch)).gaps
    assert len(key.figures) >= 5
    for day, expected in key.figures.items():
        found = await counted(engine, day)
        assert check_figures(day, expected, shape.document(found, day, None)).differences == ()
        _assert_adds_up(found)


def _assert_adds_up(found: shape.Figures) -> None:
    (nation,) = (row for row in found.rows if row.cut == shape.NATIONAL)
    assert sum(found.withdrawal_reasons.values()) == nation.counts["withdrawn"]
    assert sum(found.allocations.values()) == nation.counts["registrations"]
    for row in found.rows:
        assert row.counts["registrations"] == total(row, shape.STATES)
        assert row.counts["withdrawn"] == total(row, shape.STAGES)
    for measure in set(shape.MEASURES) - {"settings", "days_median", *shape.OF_PARTNERS}:
        for cut in shape.CUTS:
            of_cut = sum(total(row, [measure]) for row in found.rows if row.cut == cut)
            assert of_cut == nation.counts[measure], (measure, cut)
    assert nation.counts["moved_in"] == nation.counts["moved_out"]


def total(row: shape.Row, measures: Sequence[str]) -> int | float:
    return sum(row.counts[measure] or 0 for measure in measures)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 6, 29), (0, 0, 0)),
        (date(2024, 6, 30), (1, 1, 0)),
        (date(2024, 7, 30), (1, 1, 0)),
        (date(2024, 7, 31), (1, 0, 1)),
    ],
)
async def test_a_day_ends_when_it_ends_in_london(engine: AsyncEngine, day: date, expected: tuple[int, ...]) -> None:
    first, last = at("2024-06-30T22:59:59.999999Z"), at("2024-07-31T22:59:59.999999Z")
    await project(engine, [told.record(told.status(1, told.registered(first), told.period(last, "deferred")))])
    nation = next(row for row in (await counted(engine, day)).rows if row.cut == shape.NATIONAL)
    assert tuple(nation.counts[name] for name in ("registrations", "not_started", "deferred")) == expected


async def test_settings_are_counted_once_and_names_are_shown(engine: AsyncEngine) -> None:
    await add_partner(engine, PARTNER, "Ashdown Training")
    begins = at("2024-01-10T09:00:00Z")
    shared = told.status(1, told.registered(begins, setting="s1"), places=[told.place("a")])
    other = told.status(1, told.registered(begins, setting="s2", partner="burr"))
    ids = [ID[:-1] + digit for digit in "123"]
    states = (shared, shared, other)
    await project(engine, told.numbered([told.record(s, id_) for s, id_ in zip(states, ids, strict=True)]))
    found = await counted(engine, date(2024, 2, 1))
    names = {(row.cut, row.code): (row.name, row.counts["registrations"], row.counts["settings"]) for row in found.rows}
    assert names == {
        ("national", "total"): ("England", 3, 2),
        ("region", "Ra"): ("Region a", 2, 1),
        ("region", "x"): ("Place not known", 1, 1),
        ("local_authority", "a"): ("Authority a", 2, 1),
        ("local_authority", "x"): ("Place not known", 1, 1),
        ("provider_type", "Childminders"): ("Childminders", 3, 2),
        ("cohort", "c1"): ("c1", 3, 2),
        ("partner", PARTNER): ("Ashdown Training", 2, 1),
        ("partner", "burr"): ("burr", 1, 1),
    }


async def test_figures_of_all_are_for_readers_and_ones_own_for_a_partner(engine: AsyncEngine) -> None:
    async with snapshot(engine) as tx:
        with pytest.raises(NotPermitted):
            await views.figures(Scope.of_partner(PARTNER), tx, date(2024, 1, 1))
        with pytest.raises(NotPermitted):
            await views.own_figures(READER, tx, date(2024, 1, 1))


async def test_a_partner_gets_its_own_row_beside_the_national_total(engine: AsyncEngine) -> None:
    ids = [ID[:-1] + digit for digit in "123"]
    states = [told.status(1, told.registered(at("2024-01-10T09:00:00Z"), partner=p)) for p in ("ab", "ab", "abc")]
    await project(engine, told.numbered([told.record(s, id_) for s, id_ in zip(states, ids, strict=True)]))
    async with snapshot(engine) as tx:
        rows = await views.own_figures(Scope.of_partner("ab"), tx, date(2024, 2, 1))
    found = {(row.cut, row.code): row.counts["registrations"] for row in rows}
    assert found == {("national", "total"): 3, ("partner", "ab"): 2}


# What they say of themselves


def row(cut: str = shape.NATIONAL, code: str = "a", **counts: shape.Number) -> shape.Row:
    """A row in which nothing is counted but what is given."""
    return shape.Row(cut, code, code, {**dict.fromkeys(shape.MEASURES, 0), **counts})


def shown(**counts: shape.Number) -> dict[str, Any]:
    """The one row of a document."""
    (found,) = shape.rows_document([row(**counts)], date(2024, 6, 30), None)["rows"]
    return dict(found)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
@example(1, 4)
@example(-1, 4)
def test_quotients_have_one_decimal_and_halves_go_away_from_zero(part: int, whole: int) -> None:
    expected = (Decimal(part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert shape.rounded(part, whole) == float(expected)


def test_a_rate_is_of_unrounded_counts_and_none_where_its_base_is_nothing() -> None:
    found = shown(registrations=800, withdrawn=1, starts=0, deferrals=2, returns=1)
    assert (found["withdrawal_rate"], found["return_rate"]) == (0.1, 50.0)
    assert (found["withdrawal_rate_of_starts"], found["completion_rate"]) == (None, 0.0)


def test_a_window_that_has_not_closed_for_anybody_has_no_rate() -> None:
    found = shown(starts=9, completed=3, window_4_closed=3, completed_within_4=1)
    assert (found["within_4_rate"], found["within_6_rate"]) == (33.3, None)


def test_days_and_caseload_are_means_and_not_percentages() -> None:
    found = shown(days_total=301, days_counted=2, marking_days=7, decisions=4, mentored=9, mentors=2)
    assert (found["days_mean"], found["marking_days_mean"], found["caseload"]) == (150.5, 1.8, 4.5)
    assert shown(mentored=None, mentors=None)["caseload"] is None


def test_false_alarms_are_the_flagged_that_completed_of_all_flagged() -> None:
    found = shown(withdrawn=4, withdrawn_flagged=3, completed_flagged=1)
    assert (found["flagged_rate"], found["false_alarm_rate"]) == (75.0, 25.0)


def test_every_measure_and_ratio_stands_in_a_table_and_nothing_else() -> None:
    shown_there = {name for columns in shape.TABLES.values() for name in columns}
    assert shown_there == {*shape.MEASURES, *shape.RATIOS}


def test_the_document_says_what_it_is_and_is_in_order() -> None:
    rows = [row(cut, code) for cut in reversed(shape.CUTS) for code in ("b", "a")]
    figures = shape.Figures(rows, {"setting": 1, "personal": 2}, {"contract_2022": 2500, "another": 1})
    body = shape.document(figures, date(2024, 6, 30), "Synthetic data")
    assert (body["as_at"], body["notice"]) == ("2024-06-30", "Synthetic data")
    assert "not for publication" in body["disclosure"].lower()
    assert [(row["cut"], row["code"]) for row in body["rows"]] == [(cut, code) for cut in shape.CUTS for code in "ab"]
    assert {*body["measures"], *shape.RATIOS} == body["rows"][0].keys() - {"cut", "code", "name"}
    assert body["withdrawal_reasons"] == [
        {"reason_group": "personal", "withdrawn": 2},
        {"reason_group": "setting", "withdrawn": 1},
    ]
    assert body["places"] == [
        {"allocation": "another", "registrations": 1, "places": None, "take_up": None},
        {"allocation": "contract_2022", "registrations": 2500, "places": 5000, "take_up": 50.0},
        {"allocation": "extension_2023", "registrations": 0, "places": 2000, "take_up": 0.0},
        {"allocation": "places_2025", "registrations": 0, "places": 1000, "take_up": 0.0},
    ]
