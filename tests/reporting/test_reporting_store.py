"""Batches are taken in once, in any order of topics, and each change of a view is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.migrate import differences
from services.reporting.projection import ENROLMENT, Dated, Known, dated, view
from services.reporting.projector import project
from services.reporting.store import PERIODS, TRAINEES, known_of, period_of
from shared import topics
from shared.database import snapshot
from shared.records import RawRecord
from shared.store import OUTBOX
from tests.reporting import told
from tests.reporting.told import ID, IDENTITY, PARTNER, at

JANUARY, MARCH, JUNE = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 3, 6))
OTHER = ID[:-1] + "2"
REGISTERED = told.status(1, told.registered(JANUARY))
DEFERRED = told.status(2, told.registered(JANUARY), told.period(MARCH, "deferred"))
VOIDED = told.status(2, told.period(JANUARY, "voided", first=True))
COMPLETED = told.completion(1, JUNE)


async def held(engine: AsyncEngine) -> dict[str, tuple[Known, list[Dated]]]:
    """All that the database holds, by registration."""
    async with snapshot(engine) as tx:
        periods = [
            (row.registration_id, period_of(row)) for row in await tx.execute(select(PERIODS).order_by("begins"))
        ]
        known = [known_of(row) for row in await tx.execute(select(TRAINEES))]
    return {k.registration: (k, [p for id_, p in periods if id_ == k.registration]) for k in known}


async def told_to_partners(engine: AsyncEngine) -> list[tuple[str, dict[str, Any]]]:
    """The topics and bodies of what waits to be published, in order."""
    async with snapshot(engine) as tx:
        rows = await tx.execute(select(OUTBOX).order_by(OUTBOX.c.id))
        return [(row.topic, json.loads(row.value)) for row in rows]


async def take_in(engine: AsyncEngine, *batches: Sequence[RawRecord]) -> None:
    for batch in batches:
        done = await project(engine, batch)
        assert not done.gaps


def test_the_migrations_make_the_tables(migrated: str) -> None:
    assert differences("reporting", migrated) == []


async def test_a_batch_is_folded_and_each_view_told_once(engine: AsyncEngine) -> None:
    batch = told.numbered(
        [
            told.record(REGISTERED),
            told.record(told.status(1, told.registered(MARCH)), OTHER),
            told.record(DEFERRED),
            told.record(IDENTITY),
        ]
    )
    await take_in(engine, batch)
    kept = await held(engine)
    assert kept.keys() == {ID, OTHER}
    assert all(periods == list(dated(known)) for known, periods in kept.values())
    expected = {id_: view(known) for id_, (known, _) in kept.items()}
    assert {body["registration_id"]: body for _, body in await told_to_partners(engine)} == expected
    assert [topic for topic, _ in await told_to_partners(engine)] == [topics.view(PARTNER)] * 2


async def test_what_was_read_before_is_dropped(engine: AsyncEngine) -> None:
    batch = told.numbered([told.record(REGISTERED), told.record(DEFERRED)])
    await take_in(engine, batch)
    before, told_before = await held(engine), await told_to_partners(engine)
    assert (await project(engine, batch)).records == 0
    assert (await held(engine), await told_to_partners(engine)) == (before, told_before)


async def test_a_batch_that_begins_above_the_position_is_given_back(engine: AsyncEngine) -> None:
    await take_in(engine, [told.record(REGISTERED, offset=0)])
    done = await project(engine, [told.record(DEFERRED, offset=2)])
    assert done.gaps == {(ENROLMENT, 0): 1}
    assert (await held(engine))[ID][0].status == REGISTERED


async def test_a_state_told_again_changes_and_tells_nothing(engine: AsyncEngine) -> None:
    await take_in(engine, told.numbered([told.record(DEFERRED), told.record(REGISTERED)]))
    assert [body["version"] for _, body in await told_to_partners(engine)] == [2]
    await take_in(engine, [told.record(DEFERRED, offset=2)])
    assert len(await told_to_partners(engine)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_the_order_of_topics_does_not_matter(engine: AsyncEngine, seed: int) -> None:
    records = told.numbered([told.record(s) for s in (REGISTERED, DEFERRED, COMPLETED, IDENTITY)])
    by_topic = {record.topic: [r for r in records if r.topic == record.topic] for record in records}
    batches = list(by_topic.values())
    Random(seed).shuffle(batches)
    await take_in(engine, *batches)
    known, periods = (await held(engine))[ID]
    assert (known.status, known.completion) == (DEFERRED, COMPLETED)
    assert [period.state for period in periods] == ["registered", "deferred", "completed"]
    assert (await told_to_partners(engine))[-1][1] == view(known)


async def test_a_void_takes_the_periods_away_and_is_told(engine: AsyncEngine) -> None:
    await take_in(engine, [told.record(REGISTERED)], [told.record(VOIDED, offset=1)])
    known, periods = (await held(engine))[ID]
    assert periods == []
    assert [body["state"] for _, body in await told_to_partners(engine)] == ["registered", "voided"]
    assert known.status is not None
    assert known.status.voided


async def test_an_erased_identity_leaves_view_and_database(engine: AsyncEngine) -> None:
    await take_in(engine, told.numbered([told.record(REGISTERED), told.record(IDENTITY)]))
    periods = (await held(engine))[ID][1]
    await take_in(engine, [told.record(None, offset=1)])
    known, kept = (await held(engine))[ID]
    assert known.identity is None
    assert kept == periods
    assert "partner_ref" not in (await told_to_partners(engine))[-1][1]
