"""The identity of the figures: registrations that are known are those in the five states together."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import identities
from services.reporting.identities import Identities, ReportingMetrics, differences
from services.reporting.projector import project
from services.reporting.store import PERIODS
from shared.database import snapshot, transaction
from tests.reporting import told
from tests.reporting.told import ID, IDENTITY, at

JANUARY, MARCH, JUNE = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 3, 6))
OTHERS = [f"{ID[:-1]}{n}" for n in range(2, 7)]
STATES = [
    told.record(told.status(1, told.registered(JANUARY))),
    told.record(told.status(2, told.registered(JANUARY), told.period(MARCH, "deferred")), OTHERS[0]),
    told.record(told.status(2, told.registered(JANUARY), told.period(MARCH, "withdrawn")), OTHERS[1]),
    told.record(told.status(2, told.period(JANUARY, "voided", first=True)), OTHERS[2]),
    told.record(told.status(1, told.registered(JANUARY)), OTHERS[3]),
    told.record(told.completion(1, JUNE), OTHERS[3]),
    told.record(IDENTITY, OTHERS[4]),
]


async def found(engine: AsyncEngine) -> dict[str, int]:
    async with snapshot(engine) as tx:
        return await differences(tx)


def shown(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("senconet_figures_identity_difference", {"identity": "states"})


async def test_registrations_in_all_states_voided_and_not_yet_told_agree(engine: AsyncEngine) -> None:
    assert await found(engine) == {"states": 0}
    await project(engine, told.numbered(STATES))
    assert await found(engine) == {"states": 0}


async def test_a_registration_that_no_state_counts_is_a_difference(engine: AsyncEngine) -> None:
    await project(engine, told.numbered(STATES))
    async with transaction(engine) as tx:
        await tx.execute(delete(PERIODS).where(PERIODS.c.registration_id == ID))
    assert await found(engine) == {"states": 1}


async def test_a_registration_that_two_states_count_is_a_difference(engine: AsyncEngine) -> None:
    await project(engine, told.numbered(STATES))
    async with transaction(engine) as tx:
        await tx.execute(text("UPDATE periods SET ends = NULL WHERE ends IS NOT NULL"))
    assert (await found(engine))["states"] == 3


@pytest.mark.parametrize(("seconds", "second"), [(60.0, 0), (0.0, 4)])
async def test_the_difference_shows_and_is_counted_once_in_a_while(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, seconds: float, second: int
) -> None:
    monkeypatch.setattr(identities, "SECONDS", seconds)
    metrics = ReportingMetrics()
    checked = Identities(engine, metrics)
    await project(engine, told.numbered(STATES))
    await checked.check_identities()
    assert shown(metrics.registry) == 0
    async with transaction(engine) as tx:
        await tx.execute(delete(PERIODS))
    await checked.check_identities()
    assert shown(metrics.registry) == second
