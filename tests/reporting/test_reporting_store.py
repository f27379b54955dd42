"""Batches are taken in once, in any order of topics, and each change of a view is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.migrate import differences
from services.reporting.partner_view import views
from services.reporting.projection import ENROLMENT, Known
from services.reporting.projector import project
from services.reporting.rebuild import Held, held_in, held_of
from services.reporting.store import ENTRIES
from shared import clock, topics
from shared.database import snapshot
from shared.records import RawRecord
from shared.store import OUTBOX
from tests.reporting import told
from tests.reporting.told import GAINING, ID, IDENTITY, PARTNER, at

JANUARY, FEBRUARY, MARCH, JUNE = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 3, 6))
OTHER = ID[:-1] + "2"
MOVED_ON = clock.start_of_day(date(2024, 5, 1))
REGISTERED = told.status(1, told.registered(JANUARY))
DEFERRED = told.status(2, told.registered(JANUARY), told.period(MARCH, "deferred"))
MOVED = told.status(2, told.registered(JANUARY), told.moved(MOVED_ON))
VOIDED = told.status(2, told.period(JANUARY, "voided", first=True))
COMPLETED = told.completion(1, JUNE)
MENTORED = told.mentored(1, told.session(FEBRUARY), mentors=[told.mentor(JANUARY)])


async def held(engine: AsyncEngine) -> dict[str, Held]:
    """All that the database holds, by registration."""
    async with snapshot(engine) as tx:
        return dict((await held_in(tx)).held)


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
    lacking = "write in services/reporting/migrations what its tables.py has and they lack"
    assert differences("reporting", migrated) == [], lacking


async def test_a_batch_is_folded_and_each_view_told_once(engine: AsyncEngine) -> None:
    batch = told.numbered(
        [
            told.record(REGISTERED),
            told.record(told.status(1, told.registered(MARCH)), OTHER),
            told.record(DEFERRED),
            told.record(IDENTITY),
            told.record(MENTORED),
        ]
    )
    await take_in(engine, batch)
    kept = await held(engine)
    assert kept.keys() == {ID, OTHER}
    assert all(found == held_of(found.known) for found in kept.values())
    published = await told_to_partners(engine)
    assert [topic for topic, _ in published] == [topics.view(PARTNER)] * 2
    expected = {id_: {**found.views[PARTNER], "version": found.known.version} for id_, found in kept.items()}
    assert {body["registration_id"]: body for _, body in published} == expected


async def test_what_was_read_before_is_dropped(engine: AsyncEngine) -> None:
    batch = told.numbered([told.record(s, partner=PARTNER) for s in (REGISTERED, DEFERRED, MENTORED)])
    await take_in(engine, batch)
    before, told_before = await held(engine), await told_to_partners(engine)
    assert (await project(engine, batch)).records == 0
    assert (await held(engine), await told_to_partners(engine)) == (before, told_before)


async def test_a_batch_that_begins_above_the_position_is_given_back(engine: AsyncEngine) -> None:
    await take_in(engine, [told.record(REGISTERED, offset=0)])
    done = await project(engine, [told.record(DEFERRED, offset=2)])
    assert done.gaps == {(ENROLMENT, 0): 1}
    assert (await held(engine))[ID].known.status == REGISTERED


async def test_a_state_told_again_changes_and_tells_nothing(engine: AsyncEngine) -> None:
    await take_in(engine, told.numbered([told.record(DEFERRED), told.record(REGISTERED)]))
    assert [body["version"] for _, body in await told_to_partners(engine)] == [2]
    await take_in(engine, [told.record(DEFERRED, offset=2)])
    assert len(await told_to_partners(engine)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_the_order_of_topics_does_not_matter(engine: AsyncEngine, seed: int) -> None:
    states = (REGISTERED, DEFERRED, COMPLETED, MENTORED)
    records = told.numbered([*(told.record(state, partner=PARTNER) for state in states), told.record(IDENTITY)])
    by_topic = {record.topic: [r for r in records if r.topic == record.topic] for record in records}
    batches = list(by_topic.values())
    Random(seed).shuffle(batches)
    await take_in(engine, *batches)
    found = (await held(engine))[ID]
    assert (found.known.status, found.known.assessment, found.known.mentoring) == (DEFERRED, COMPLETED, MENTORED)
    facts = [(record.topic, version, PARTNER) for record, version in zip(records, (1, 2, 1, 1), strict=False)]
    assert found == held_of(found.known, facts)
    last = (await told_to_partners(engine))[-1][1]
    assert last == {**views(found.known)[PARTNER], "version": 4}


async def test_a_void_takes_what_is_counted_away_and_is_told(engine: AsyncEngine) -> None:
    await take_in(engine, told.numbered([told.record(REGISTERED), told.record(MENTORED)]))
    assert (await held(engine))[ID].entries
    await take_in(engine, [told.record(VOIDED, offset=1)])
    found = (await held(engine))[ID]
    assert (found.periods, found.entries) == ((), {})
    assert [body["state"] for _, body in await told_to_partners(engine)] == ["registered", "voided"]


async def test_the_ledger_is_added_to_and_never_changed(engine: AsyncEngine) -> None:
    async def rows() -> list[tuple[Any, ...]]:
        async with snapshot(engine) as tx:
            return [tuple(row) for row in await tx.execute(select(ENTRIES).order_by(ENTRIES.c.id))]

    await take_in(engine, told.numbered([told.record(REGISTERED), told.record(MENTORED)]))
    first = await rows()
    taken_back = told.mentored(2, told.session(FEBRUARY, attended=False))
    await take_in(engine, [told.record(taken_back, offset=1)])
    second = await rows()
    assert second[: len(first)] == first
    assert [row[-1] for row in second[len(first) :]] == [-1]


async def test_an_erased_identity_leaves_view_and_database(engine: AsyncEngine) -> None:
    await take_in(engine, told.numbered([told.record(REGISTERED), told.record(IDENTITY)]))
    periods = (await held(engine))[ID].periods
    await take_in(engine, [told.record(None, offset=1)])
    found = (await held(engine))[ID]
    assert found.known == Known(ID, REGISTERED)
    assert found.periods == periods
    last = (await told_to_partners(engine))[-1][1]
    assert not {"partner_ref", "trainee_id", "setting_urn"} & last.keys()


async def test_what_follows_a_transfer_is_told_to_the_gaining_partner_alone(engine: AsyncEngine) -> None:
    await take_in(engine, [told.record(REGISTERED)])
    await take_in(engine, [told.record(MOVED, offset=1)])
    assert [(topic, body["version"]) for topic, body in await told_to_partners(engine)] == [
        (topics.view(PARTNER), 1),
        (topics.view(GAINING), 2),
    ]
    await take_in(engine, [told.record(told.mentored(1, told.session(JUNE, partner=GAINING)))])
    published = await told_to_partners(engine)
    assert [(topic, body["version"]) for topic, body in published[2:]] == [(topics.view(GAINING), 3)]


async def test_a_correction_from_before_the_transfer_is_told_to_both_under_a_higher_version(
    engine: AsyncEngine,
) -> None:
    await take_in(engine, told.numbered([told.record(REGISTERED), told.record(MOVED), told.record(MENTORED)]))
    late = told.mentored(2, *MENTORED.activities, told.session(MARCH), mentors=MENTORED.mentors)
    await take_in(engine, [told.record(late, offset=1)])
    published = await told_to_partners(engine)
    assert [(topic, body["version"]) for topic, body in published] == [
        (topics.view(PARTNER), 3),
        (topics.view(GAINING), 3),
        (topics.view(PARTNER), 4),
        (topics.view(GAINING), 4),
    ]


async def test_nothing_is_written_of_what_changes_nothing(engine: AsyncEngine) -> None:
    async with snapshot(engine) as tx:
        assert (await tx.execute(select(func.count()).select_from(OUTBOX))).scalar_one() == 0
    await take_in(engine, told.numbered([told.record(COMPLETED), told.record(IDENTITY)]))
    assert await told_to_partners(engine) == []
    assert (await held(engine))[ID] == held_of((await held(engine))[ID].known)
