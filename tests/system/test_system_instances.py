"""Two instances of a service share its work; one may freeze and come back, join or leave while a batch is in work."""

from __future__ import annotations

import asyncio
import re
import signal
from typing import Final

import psutil
import pytest

from senconet.local.service import ServiceProcess
from tests.system.events import Trainee
from tests.system.flow import as_if_undisturbed, flow_during
from tests.system.invariants import DOOR
from tests.system.support import Partner, Stage, until, watch

TRAINEES: Final = 40
LEAST: Final = 10
TIMES: Final = 2


@pytest.fixture
async def partners(stage: Stage) -> list[Partner]:
    """Two whose topics stand side by side, so that two instances of the door have one each."""
    return [await stage.partner("twin-a"), await stage.partner("twin-b")]


def taken(stage: Stage, process: str) -> float:
    """How many of the records that its service answers an instance has read."""
    own = r"^senconet_received_total\{topic=\"[^\"]+\.(?:events|requests)\"\} (\S+)$"
    return sum(map(float, re.findall(own, stage.metrics(process), re.MULTILINE)))


async def send_lives(*partners: Partner) -> None:
    """Records for every service, of many trainees: on all partitions."""
    for partner in partners:
        trainees = [Trainee(partner.code) for _ in range(TRAINEES)]
        lives = ((t.registered(), t.attended(), t.completed(), t.withdrew()) for t in trainees)
        await partner.send(*(record for life in lives for record in life))


def came_to_its_end(stage: Stage, process: str, read: float) -> bool:
    """Whether the batch in which an instance froze has been dropped as answered, or given back."""
    return taken(stage, process) >= read + LEAST or "senconet_batch_failures_total{" in stage.metrics(process)


async def frozen_in_its_batch(process: ServiceProcess) -> psutil.Process:
    """The process, once it has stopped itself."""
    found = watch(process)
    await until(lambda: found.status() == psutil.STATUS_STOPPED, "the instance frozen")
    return found


@pytest.mark.parametrize(
    ("service", "point"),
    [
        *((DOOR, point) for point in ("after_fetch", "after_judging")),
        ("assessment", "after_commit"),
    ],
)
async def test_an_instance_that_comes_back_after_its_session_finds_its_batch_answered_and_adds_nothing(
    stage: Stage, partners: list[Partner], service: str, point: str
):
    await stage.serve_async(service, instance="2")
    late = await stage.serve_async(
        service, module="tests.system.zombie", zombie=service, crash_point=f"{point}:{LEAST}"
    )
    read = taken(stage, service)
    await send_lives(*partners)
    zombie = await frozen_in_its_batch(late)
    try:
        await stage.all_answered(*partners)
        answers = answers_of(stage, service)
    finally:
        zombie.send_signal(signal.SIGCONT)
    await until(lambda: came_to_its_end(stage, service, read), "the late batch over")
    assert answers_of(stage, service) == answers
    await as_if_undisturbed(stage, *partners)


def answers_of(stage: Stage, service: str) -> list[tuple[object, ...]]:
    """What a service has answered, and when."""
    return stage.rows(service, "SELECT topic, position, outcome, decidedtime FROM journal ORDER BY id")


@pytest.mark.parametrize("service", [DOOR])
async def test_instances_that_join_and_leave_while_records_flow_lose_nothing_and_keep_the_order(
    stage: Stage, partners: list[Partner], service: str
):
    stays, comes_and_goes = f"{service}-2", f"{service}-3"
    await stage.serve_async(service, instance="2")

    async def come_and_go() -> None:
        for _ in range(TIMES):
            await stage.serve_async(service, instance="3")
            answered = sum(map(stage.answered, partners))
            await until(lambda answered=answered: sum(map(stage.answered, partners)) > answered + LEAST, "more answers")
            await asyncio.to_thread(stage.rest, comes_and_goes)

    before = [taken(stage, instance) for instance in (service, stays)]
    await flow_during(asyncio.create_task(come_and_go()), stage, partners, f"instances {service}")
    assert all(taken(stage, instance) > read for instance, read in zip((service, stays), before, strict=True))
    await as_if_undisturbed(stage, *partners)
