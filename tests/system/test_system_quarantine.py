"""A fault of ours stops the trainee that it strikes, on that partner's topic, and nobody else; then it is made good."""

from __future__ import annotations

import psutil
import pytest

from tests.system import sabotage
from tests.system.events import Trainee
from tests.system.invariants import invariants
from tests.system.support import Partner, Stage, until, watch


def quarantine(stage: Stage, partner: Partner) -> list[tuple[int, str, str]]:
    """Offset, state and error of what a partner has in quarantine, in order."""
    statement = "SELECT position, state, error FROM quarantine WHERE topic = %s ORDER BY position"
    return [(offset, state, error) for offset, state, error in stage.rows("enrolment", statement, partner.topic)]


@pytest.fixture
async def partner(stage: Stage) -> Partner:
    return await stage.partner("quarantined")


@pytest.fixture
async def neighbour(stage: Stage) -> Partner:
    return await stage.partner("neighbour")


async def test_only_what_stands_behind_a_fault_waits_and_after_the_repair_all_is_as_if_it_had_not_been(
    stage: Stage, partner: Partner, neighbour: Partner
):
    raising, refused, healthy = (Trainee(partner.code) for _ in range(3))
    theirs = Trainee(neighbour.code)
    await stage.serve_async("enrolment", module="tests.system.sabotage")
    await partner.send(raising.registered(), healthy.registered())
    await stage.all_answered(partner)
    await partner.send(
        raising.deferred(id=sabotage.RAISES),
        refused.registered(id=sabotage.REFUSED),
        raising.completed(),
        healthy.completed(),
        raising.resumed(),
        refused.withdrew(),
        raising.completed(),
        healthy.withdrew(),
    )
    about_another = Trainee(neighbour.code, raising.registration).withdrew()
    await neighbour.send(theirs.registered(), about_another, theirs.completed())

    await until(lambda: stage.answered(partner) == 4, "the other trainee's records answered")
    await stage.all_answered(neighbour)
    assert quarantine(stage, partner) == [
        (2, "failed", "ZeroDivisionError"),
        (3, "failed", "Poisoned"),
        (4, "queued", ""),
        (6, "queued", ""),
        (7, "queued", ""),
        (8, "queued", ""),
    ]
    assert quarantine(stage, neighbour) == []

    await stage.serve_async("enrolment")
    stage.retry_quarantine()
    await stage.all_answered(partner)
    await invariants(stage)
    phases = ({partner.code: tuple(partner.sent)}, {neighbour.code: tuple(neighbour.sent)})
    assert await stage.differences(partner, *phases) == ()
    assert await stage.differences(neighbour, *phases) == ()


async def test_a_queue_that_is_retried_before_the_repair_stays(stage: Stage, partner: Partner):
    trainee = Trainee(partner.code)
    await stage.serve_async("enrolment", module="tests.system.sabotage")
    first = len(partner.sent)
    await partner.send(trainee.registered(), trainee.deferred(id=f"{sabotage.RAISES}-2"), trainee.resumed())
    expected = [(first + 1, "failed", "ZeroDivisionError"), (first + 2, "queued", "")]
    await until(lambda: quarantine(stage, partner) == expected, "the queue")
    stage.retry_quarantine()
    marked = "SELECT count(*) FROM quarantine WHERE retry"
    await until(lambda: stage.rows("enrolment", marked) == [(0,)], "the queue tried")
    assert quarantine(stage, partner) == expected

    await stage.serve_async("enrolment")
    stage.retry_quarantine()
    await stage.all_answered(partner)
    await invariants(stage)


def ended(watched: psutil.Process) -> int | None:
    """How a process ended, if it has."""
    try:
        return watched.wait(0)
    except psutil.TimeoutExpired:
        return None


async def test_when_most_of_a_batch_fails_the_service_stops_and_says_so(stage: Stage):
    partner = await stage.partner("broken")
    trainees = [Trainee(partner.code) for _ in range(20)]
    process = await stage.serve_async("enrolment", module="tests.system.sabotage")
    watched = watch(process)
    failing = [trainee.registered(id=f"{sabotage.RAISES}-{n}") for n, trainee in enumerate(trainees[:11])]
    await partner.send(*failing, *(trainee.registered() for trainee in trainees[11:]))
    assert await until(lambda: ended(watched), "the service has stopped") == 1
    assert "the service stops: 11 of 20 records failed: ZeroDivisionError" in process.log.read_text()
    assert stage.position(partner.topic) == 0
    assert quarantine(stage, partner) == []

    await stage.serve_async("enrolment")
    await stage.all_answered(partner)
    await invariants(stage)
    assert await stage.differences(partner) == ()
