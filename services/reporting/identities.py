"""The identities of the figures: sums that agree whatever has happened, counted on two ways that share no row.

What they lack is a gauge, and an alert: figures that break one are not given out before the cause is known.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, get_args

from prometheus_client import Gauge
from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.reporting import reconciliation
from services.reporting.periods import Shown
from services.reporting.store import PERIODS, TRAINEES
from shared.database import snapshot
from shared.metrics import Metrics

SECONDS: Final = 60.0
"""How often all is counted: it reads every registration."""


class ReportingMetrics(Metrics):
    """The metrics of reporting's consumer."""

    def __init__(self) -> None:
        super().__init__()
        self.identity_difference = Gauge(
            "senconet_figures_identity_difference",
            "By how much the two sides of an identity of the figures differ",
            ("identity",),
            registry=self.registry,
        )
        self.facts_difference = Gauge(
            "senconet_receipts_facts_difference",
            "By how much accepted records and facts told differ, partner by partner: what is under way counts",
            registry=self.registry,
        )


def _registrations() -> ScalarSelect[int]:
    """All that are known and not voided."""
    state = TRAINEES.c.status["periods"][-1]["state"].astext
    return select(func.count()).select_from(TRAINEES).where(state != "voided").scalar_subquery()


def _states() -> ScalarSelect[int]:
    """Not started, in training, deferred, withdrawn and completed together, by the periods that figures count."""
    c = PERIODS.c
    return select(func.count()).where(c.ends.is_(None), c.state.in_(get_args(Shown))).scalar_subquery()


# Each identity by the name that its gauge shows, with its two sides.
_SIDES: Final[Mapping[str, tuple[ScalarSelect[Any], ScalarSelect[Any]]]] = {
    "states": (_registrations(), _states()),
}


async def differences(tx: AsyncConnection) -> dict[str, int]:
    """By how much the sides of each identity differ, in one statement and so as of one moment."""
    sides = (func.abs(one - other).label(name) for name, (one, other) in _SIDES.items())
    return dict((await tx.execute(select(*sides))).one()._mapping)


class Identities:
    """Shows the differences, once in so many seconds however often it is asked."""

    def __init__(self, engine: AsyncEngine, metrics: ReportingMetrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._due = 0.0

    async def check_identities(self) -> None:
        """Count both sides of each identity, if it is time."""
        if time.monotonic() < self._due:
            return
        async with snapshot(self._engine) as tx:
            for name, difference in (await differences(tx)).items():
                self._metrics.identity_difference.labels(name).set(difference)
            apart = (await tx.execute(select(reconciliation.difference()))).scalar_one()
            self._metrics.facts_difference.set(apart)
        self._due = time.monotonic() + SECONDS
