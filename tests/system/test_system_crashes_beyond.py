"""Those whom the door hands on to, and who reads their facts, die in the gaps of their pipelines as well."""

from __future__ import annotations

import signal
from typing import Final

import pytest

from tests.system.events import Trainee
from tests.system.flow import as_if_undisturbed
from tests.system.invariants import OWNERS
from tests.system.support import Partner, Stage, watch

POINTS: Final = {
    **dict.fromkeys(OWNERS, ("before_commit", "after_commit", "relay_after_acknowledgement")),
    "reporting": ("after_commit",),
}
TRAINEES: Final = 80
LEAST: Final = 10
PATIENCE: Final = 60


async def send_lives(partner: Partner) -> None:
    """Records of many trainees that every owner answers, and reporting hears of."""
    trainees = [Trainee(partner.code) for _ in range(TRAINEES)]
    lives = ((t.registered(), t.attended(), t.completed(), t.attended()) for t in trainees)
    await partner.send(*(record for life in lives for record in life))


@pytest.mark.parametrize("service", POINTS)
async def test_a_service_that_dies_again_and_again_goes_on_where_it_was(stage: Stage, service: str):
    partner = await stage.partner("crash-beyond")
    stage.rest(service)
    for point in POINTS[service]:
        watched = watch(stage.launch(service, crash_point=f"{point}:{LEAST}"))
        await send_lives(partner)
        assert watched.wait(PATIENCE) == -signal.SIGKILL
    await stage.serve_async(service)
    await as_if_undisturbed(stage, partner)
