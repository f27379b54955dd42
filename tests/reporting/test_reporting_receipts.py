"""Receipts come to one row a record, and must agree with the facts that were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import views
from services.reporting.identities import Identities, ReportingMetrics
from services.reporting.projector import project
from services.reporting.receipts import Receipt, keep, newest, read
from services.reporting.reconciliation import Received
from services.reporting.scope import Scope
from shared.database import snapshot
from shared.messages import encode
from shared.records import RawRecord
from tests.reporting import told
from tests.reporting.told import GAINING, ID, PARTNER, RECEIVED, at

JANUARY = at("2024-01-10T09:00:00Z")
LATER = RECEIVED + timedelta(hours=1)
READER = Scope.national_reader()
ANSWERS = [
    told.receipt(PARTNER, 0, "accepted"),
    told.receipt(PARTNER, 1, "held", "registration_unknown"),
    told.receipt(PARTNER, 1, "accepted"),
    told.receipt(PARTNER, 2, "rejected", "schema_invalid", "field_unknown"),
    told.receipt(PARTNER, 3, "rejected", "field_unknown", "field_unknown"),
    told.receipt(PARTNER, 4, "duplicate"),
    told.receipt(PARTNER, 5, "held", "target_unknown", received=LATER),
    told.receipt(PARTNER, 6, "held", "target_unknown"),
    told.receipt(GAINING, 0, "accepted"),
]
NOTICE = RawRecord(ANSWERS[0].topic, 0, 0, RECEIVED, ID.encode(), encode({"event_id": "e", "cause": {}}), ())
STATUSES = [told.status(n, told.registered(JANUARY)) for n in (1, 2)]
FACTS = [told.record(state, partner=PARTNER) for state in STATUSES]
OF_PARTNER = Received(
    partner=PARTNER,
    accepted=2,
    duplicate=1,
    rejected=2,
    held=2,
    oldest_held=RECEIVED,
    codes={"schema_invalid": 1, "field_unknown": 2},
    facts=2,
)


async def received(engine: AsyncEngine, scope: Scope = READER) -> dict[str | None, Received]:
    """The rows by partner, the total under None."""
    async with snapshot(engine) as tx:
        rows, total = await views.receipts(scope, tx)
    return {row.partner: row for row in (*rows, total)}


async def answered(engine: AsyncEngine, records: Sequence[RawRecord]) -> None:
    assert not (await keep(engine, told.numbered(records))).gaps


def test_a_notice_is_no_receipt() -> None:
    assert read(NOTICE) is None


def test_a_final_answer_beats_the_held_one_and_copies_change_nothing() -> None:
    held, final = (read(record) for record in ANSWERS[1:3])
    assert held is not None
    assert final is not None
    assert newest([held, final, held, final]) == {(PARTNER, 1): final}
    assert newest([held, held]) == {(PARTNER, 1): held}
    assert final == Receipt(PARTNER, 1, "accepted", (), RECEIVED)


async def test_records_are_counted_by_their_answers_and_against_the_facts(engine: AsyncEngine) -> None:
    await answered(engine, [*ANSWERS, NOTICE])
    await project(engine, told.numbered([*FACTS, told.record(told.status(3, told.registered(JANUARY)))]))
    found = await received(engine)
    assert found[PARTNER] == OF_PARTNER
    assert (found[PARTNER].received, found[PARTNER].difference) == (7, 0)
    assert (found[GAINING].facts, found[GAINING].difference) == (0, 1)
    assert (found[None].received, found[None].difference, found[None].codes) == (8, 1, OF_PARTNER.codes)


@pytest.mark.parametrize("seed", range(3))
async def test_however_often_and_in_whatever_batches_receipts_come_they_count_once(
    engine: AsyncEngine, seed: int
) -> None:
    random = Random(seed)
    records = told.numbered([record for record in ANSWERS for _ in range(random.randint(1, 3))])
    while records:
        size = random.randint(1, 4)
        await keep(engine, records[:size])
        records = records[size:]
    await project(engine, told.numbered([*FACTS, *FACTS]))
    assert (await received(engine))[PARTNER] == OF_PARTNER


async def test_a_partner_sees_its_own_row_and_the_total(engine: AsyncEngine) -> None:
    await answered(engine, ANSWERS)
    found = await received(engine, Scope.of_partner(GAINING))
    assert found.keys() == {GAINING, None}
    assert found[None].received == 8


async def test_a_partner_whose_code_is_total_is_seen_by_itself_alone(engine: AsyncEngine) -> None:
    await answered(engine, [told.receipt("total", 0, "accepted")])
    assert (await received(engine, Scope.of_partner(PARTNER))).keys() == {None}


async def test_facts_without_receipts_show_too(engine: AsyncEngine) -> None:
    await project(engine, told.numbered(FACTS))
    assert (await received(engine))[PARTNER].difference == -2


def shown(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("senconet_receipts_facts_difference")


async def test_the_gauge_shows_what_differs_partner_by_partner(engine: AsyncEngine) -> None:
    await answered(engine, ANSWERS)
    await project(engine, told.numbered(FACTS))
    metrics = ReportingMetrics()
    await Identities(engine, metrics).check_identities()
    assert shown(metrics.registry) == 1
    await project(engine, [told.record(told.status(3, told.registered(JANUARY)), partner=GAINING, offset=2)])
    metrics = ReportingMetrics()
    await Identities(engine, metrics).check_identities()
    assert shown(metrics.registry) == 0
