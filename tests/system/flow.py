"""A partner's records as they come in day after day: a few at a time, for as long as something else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from tests.system.invariants import invariants, view_is_complete
from tests.system.support import Partner, Stage, until
from tests.system.waves import Waves, waves

TRAINEES: Final = 8
UNANSWERED: Final = 60
MOST: Final = 3_000
PATIENCE: Final = 90.0


async def flow_during(disturbance: asyncio.Task[None], stage: Stage, partners: Sequence[Partner], seed: str) -> None:
    """Send until the disturbance is over, and no more than so much ahead of the answers."""
    flows = [waves(partner.code, seed, stage.data.reference) for partner in partners]
    try:
        async with asyncio.TaskGroup() as sending:
            for partner, traffic in zip(partners, flows, strict=True):
                sending.create_task(_flow(disturbance, stage, partner, traffic))
        await disturbance
    finally:
        disturbance.cancel()


async def _flow(disturbance: asyncio.Task[None], stage: Stage, partner: Partner, traffic: Waves) -> None:
    first, few = len(partner.sent), f"fewer than {UNANSWERED} records of {partner.code} unanswered"
    while not disturbance.done() and len(partner.sent) - first < MOST:
        await partner.send(*traffic.next(TRAINEES))
        await until(lambda: len(partner.sent) - stage.answered(partner) < UNANSWERED, few, PATIENCE)


async def as_if_undisturbed(stage: Stage, *partners: Partner) -> None:
    """All is answered, all that must hold holds, and the answers and views of these partners are the key's."""
    await stage.all_answered(*partners, patience=PATIENCE)
    await invariants(stage)
    for partner in partners:
        assert await stage.differences(partner) == ()
        await view_is_complete(stage, partner)
