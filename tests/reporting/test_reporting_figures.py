"""National figures: those of the independently written answer key, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.demonstration.dataset import build
from senconet.demonstration.judge import judge
from senconet.demonstration.model import Counts, Figures, Key
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
    made = build(scale=0.03)
    system = System(*reference_of(made.reference))
    for phase in made.phases:
        for partner, records in phase.items():
            for record in records:
                system.publish(partner, record, RECEIVED)
        system.settle()
    key = judge(made.reference, made.phases, received=RECEIVED)
    messages = [*system.enrolment.published, *system.assessment.published]
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


def _as_in_key(found: shape.Figures) -> Figures:
    cuts: dict[str, dict[str, Counts]] = {}
    for row in found.rows:
        measures = {measure: getattr(row, measure) for measure in shape.MEASURES}
        cuts.setdefault(row.cut, {})[row.code] = Counts(**measures)
    return Figures(cuts, dict(found.withdrawal_reasons))


async def test_the_figures_of_the_demonstration_are_those_of_its_key_and_add_up(engine: AsyncEngine) -> None:
    key, records = _demonstration()
    for batch in _interleaved(records, Random(1)):
        assert not (await project(engine, batch)).gaps
    assert len(key.figures) >= 5
    for day, expected in key.figures.items():
        found = await counted(engine, day)
        assert _as_in_key(found) == expected
        _assert_adds_up(found)


def _assert_adds_up(found: shape.Figures) -> None:
    (nation,) = (row for row in found.rows if row.cut == shape.NATIONAL)
    assert sum(found.withdrawal_reasons.values()) == nation.withdrawn
    for row in found.rows:
        assert row.registrations == row.in_training + row.deferred + row.withdrawn + row.completed
    for cut in shape.CUTS:
        assert sum(row.registrations for row in found.rows if row.cut == cut) == nation.registrations


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
    assert (nation.registrations, nation.in_training, nation.deferred) == expected


async def test_settings_are_counted_once_and_names_are_shown(engine: AsyncEngine) -> None:
    await add_partner(engine, PARTNER, "Ashdown Training")
    begins = at("2024-01-10T09:00:00Z")
    shared = told.status(1, told.registered(begins, setting="s1"), places=[told.place("a")])
    other = told.status(1, told.registered(begins, setting="s2", partner="burr"))
    ids = [ID[:-1] + digit for digit in "123"]
    states = (shared, shared, other)
    await project(engine, told.numbered([told.record(s, id_) for s, id_ in zip(states, ids, strict=True)]))
    found = await counted(engine, date(2024, 2, 1))
    names = {(row.cut, row.code): (row.name, row.registrations, row.settings) for row in found.rows}
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


async def test_a_partner_gets_no_figures(engine: AsyncEngine) -> None:
    async with snapshot(engine) as tx:
        with pytest.raises(NotPermitted):
            await views.figures(Scope.of_partner(PARTNER), tx, date(2024, 1, 1))


def test_the_document_says_what_it_is_and_is_in_order() -> None:
    rows = [shape.Row(cut, code, code, 1, 0, 0, 1, 0, 1) for cut in reversed(shape.CUTS) for code in ("b", "a")]
    body = shape.document(shape.Figures(rows, {"setting": 1, "personal": 2}), date(2024, 6, 30), "Synthetic data")
    assert (body["as_at"], body["notice"]) == ("2024-06-30", "Synthetic data")
    assert "not for publication" in body["disclosure"].lower()
    assert [(row["cut"], row["code"]) for row in body["rows"]] == [(cut, code) for cut in shape.CUTS for code in "ab"]
    assert set(body["measures"]) == body["rows"][0].keys() - {"cut", "code", "name"}
    assert body["withdrawal_reasons"] == [
        {"reason_group": "personal", "withdrawn": 2},
        {"reason_group": "setting", "withdrawn": 1},
    ]
