"""Any service dies by SIGKILL at any time while records flow: afterwards all is as if nothing had happened.

`SENCONET_TEST_SEEDS` says how many random histories are tried; one by default.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from random import Random
from typing import Final

import pytest

from senconet.local.service import PROGRAMS
from tests.system.faults import crash
from tests.system.flow import as_if_undisturbed, flow_during
from tests.system.support import Stage

SEEDS: Final = range(1, 1 + int(os.environ.get("SENCONET_TEST_SEEDS", "1")))
KILLS: Final = 6
PAUSE_SECONDS: Final = (1.0, 5.0)
LEAST: Final = 300


@dataclass
class History:
    """What happened in one run: it stands in the text of a failure."""

    seed: int
    killed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"seed {self.seed}, killed: {', '.join(self.killed)}"


async def kill_at_random(stage: Stage, history: History) -> None:
    """End services one after another, and start each again at once; in the end, all run."""
    random = Random(history.seed)
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(*PAUSE_SECONDS))  # the fault's own pace: nothing is waited for
        name = random.choice(PROGRAMS).name
        history.killed.append(name)
        await asyncio.to_thread(crash, stage, name)
    for program in PROGRAMS:
        await asyncio.to_thread(stage.local.services[program.name].await_ready)


@pytest.mark.parametrize("seed", SEEDS, ids="seed {}".format)
async def test_whatever_is_killed_and_when_the_answers_are_those_of_an_undisturbed_run(stage: Stage, seed: int):
    partners = [await stage.partner("killed-a"), await stage.partner("killed-b")]
    before = sum(len(partner.sent) for partner in partners)
    history = History(seed)
    try:
        killing = asyncio.create_task(kill_at_random(stage, history))
        await flow_during(killing, stage, partners, f"kills {seed}")
        await as_if_undisturbed(stage, *partners)
    except BaseException as failure:
        failure.add_note(str(history))
        raise
    assert sum(len(partner.sent) for partner in partners) - before > LEAST
