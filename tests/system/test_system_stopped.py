"""One service stands still for longer than a record waits: nobody answers or lets go in its place."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

import pytest

from shared import topics
from tests.system.events import Trainee
from tests.system.faults import frozen
from tests.system.flow import as_if_undisturbed
from tests.system.invariants import DOOR, OWNERS, invariants, outcomes
from tests.system.support import HOLD_SECONDS, Partner, Stage, until
from tests.system.waves import waves

SECONDS: Final = 30
TRAINEES: Final = 60


@pytest.fixture
async def partners(stage: Stage) -> list[Partner]:
    return [await stage.partner("stopped-a"), await stage.partner("stopped-b")]


async def over(stage: Stage, seconds: int = 2 * HOLD_SECONDS) -> None:
    """Wait, by the clock that holds go by, for longer than a record waits."""
    (since,) = stage.rows(DOOR, "SELECT clock_timestamp()")[0]
    passed = f"SELECT clock_timestamp() > %s + interval '{seconds} seconds'"
    await until(lambda: stage.rows(DOOR, passed, since)[0][0], f"{seconds} seconds over")


def decided(stage: Stage) -> dict[str, list[tuple[object, ...]]]:
    """What the owners have answered and what waits there."""
    statement = "SELECT topic, position, 'held' FROM holds UNION SELECT topic, position, outcome FROM journal"
    return {owner: sorted(stage.rows(owner, statement)) for owner in OWNERS}


async def test_while_the_door_stands_still_its_owners_let_nothing_go_that_waits_for_it(
    stage: Stage, partners: list[Partner]
):
    partner, other = partners
    traffic = [waves(each.code, "door", stage.data.reference) for each in partners]
    trainee = Trainee(partner.code)
    completed = trainee.completed()
    await partner.send(*traffic[0].course(trainee), trainee.voided(completed))
    await until(lambda: stage.count("assessment", "holds", partner) == 1, "a correction that waits at its owner")
    await until(lambda: stage.answered(partner) == len(partner.sent) - 1, "all else answered")
    with frozen(stage.local.services[DOOR]):
        before = decided(stage)
        await partner.send(completed, *traffic[0].next(TRAINEES))
        await other.send(*traffic[1].next(TRAINEES))
        await over(stage, SECONDS)
        assert decided(stage) == before
    await as_if_undisturbed(stage, *partners)


@pytest.mark.parametrize("owner", ["mentoring"])
async def test_while_an_owner_stands_still_all_others_go_on(stage: Stage, partners: list[Partner], owner: str):
    others = set(topics.DECIDING_SERVICES) - {owner}
    answers = {service: stage.count(service, "journal") for service in topics.DECIDING_SERVICES}
    with frozen(stage.local.services[owner]):
        for partner in partners:
            await partner.send(*waves(partner.code, owner, stage.data.reference).next(TRAINEES))
        await over(stage)
        for partner in partners:
            assert stage.position(partner.topic) == len(partner.sent)
        for service in others:
            await until(lambda service=service: not stage.count(service, "holds"), f"{service} has ended its holds")
            assert stage.count(service, "journal") > answers[service]
        assert stage.count(owner, "journal") == answers[owner]
    await as_if_undisturbed(stage, *partners)


async def test_a_transfer_goes_through_as_if_the_door_had_not_stood_still_while_it_was_answered(stage: Stage):
    losing, gaining = await stage.partner("losing"), await stage.partner("gaining")
    before, transfer = Trainee(losing.code), str(uuid.uuid4())
    after = replace(before, partner=gaining.code)
    steps = (
        (losing, (before.registered(), before.attended(), before.offered(transfer, gaining.code))),
        (gaining, (after.accepted(transfer),)),
        (losing, (before.attended("2024-05-14"), before.attended("2024-05-27"))),
        (gaining, (after.attended("2024-05-28"), after.withdrew())),
    )
    for partner, records in steps:
        with frozen(stage.local.services[DOOR]):
            await partner.send(*records)
            if partner is gaining:
                await over(stage)
        await stage.all_answered(losing, gaining)
    await invariants(stage)
    for partner in (losing, gaining):
        assert await stage.differences(partner, *({each.code: told} for each, told in steps)) == ()
    assert outcomes(stage, gaining) == {"accepted": 3}
