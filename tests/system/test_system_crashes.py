"""Enrolment dies by SIGKILL in every gap of its pipeline; after each restart each record has its one answer.

Each time it dies in a batch of 200 records and more, while one record waits and others stand in quarantine.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from shared import topics
from tests.system import sabotage
from tests.system.events import Trainee, batch_of_all_kinds
from tests.system.invariants import ends_of, invariants
from tests.system.proxy import losing_an_answer
from tests.system.support import Partner, Stage, until, watch

SIZE = 300
AT_LEAST = 200


@dataclass(frozen=True)
class Before:
    """How things stood before the batch: its first offset, and the ends of the topics that answers go to."""

    offset: int
    answered: int
    requests: int


@pytest.fixture(scope="module")
def troubled() -> Trainee:
    """A trainee one of whose records we cannot judge, for a fault of ours."""
    return Trainee("crash-points")


@pytest.fixture
async def partner(stage: Stage, troubled: Trainee) -> Partner:
    """A partner with a record in quarantine, and one that waits."""
    partner = await stage.partner("crash-points")
    if not stage.count("enrolment", "quarantine", partner):
        stage.serve("enrolment", module="tests.system.sabotage")
        await partner.send(troubled.registered(), troubled.deferred(id=sabotage.RAISES))
        await until(lambda: stage.count("enrolment", "quarantine", partner) == 1, "a record in quarantine")
    return partner


async def great_batch(stage: Stage, partner: Partner, troubled: Trainee) -> Before:
    """A record that waits, then a batch with its cure, one record for the queue, and answers of all kinds."""
    waiting = Trainee(partner.code)
    await partner.send(waiting.withdrew())
    await until(lambda: stage.count("enrolment", "holds", partner) == 1, "a record that waits")
    before = Before(len(partner.sent), stage.answered(partner), await end_of_requests(stage))
    records = batch_of_all_kinds(partner.code, SIZE)
    middle = len(records) // 2
    await partner.send(*records[:middle], waiting.registered(), troubled.resumed(), *records[middle:])
    return before


async def end_of_requests(stage: Stage) -> int:
    """How many requests the door has handed to assessment."""
    return sum((await ends_of(stage, [topics.requests("assessment")])).values())


async def crash(stage: Stage, partner: Partner, troubled: Trainee, point: str) -> Before:
    """Have enrolment die at a point in the middle of a great batch."""
    process = stage.serve("enrolment", crash_point=f"{point}:{AT_LEAST}")
    watched = watch(process)
    before = await great_batch(stage, partner, troubled)
    assert watched.wait(30) == -signal.SIGKILL
    return before


async def recovered(stage: Stage, partner: Partner) -> None:
    """Start it again and let it go on."""
    stage.serve("enrolment")
    await invariants(stage)
    assert await differences(stage, partner) == ()


async def differences(stage: Stage, partner: Partner) -> tuple[str, ...]:
    """Where answers are not the key's, apart from records in quarantine, which have none yet."""
    waiting = {o for (o,) in stage.rows("enrolment", "SELECT position FROM quarantine WHERE topic = %s", partner.topic)}
    unanswered = tuple(f"{partner.code} record {offset}:" for offset in waiting)
    return tuple(found for found in await stage.differences(partner) if not found.startswith(unanswered))


@pytest.mark.parametrize("point", ["after_fetch", "after_judging", "before_commit"])
async def test_a_batch_that_was_not_committed_is_answered_after_the_restart(
    stage: Stage, partner: Partner, troubled: Trainee, point: str
):
    before = await crash(stage, partner, troubled, point)
    assert stage.position(partner.topic) == before.offset
    assert stage.answered(partner) == before.answered
    assert stage.count("enrolment", "holds", partner) == 1
    await recovered(stage, partner)


async def test_a_batch_whose_commit_was_not_acknowledged_is_not_answered_again(
    stage: Stage, partner: Partner, troubled: Trainee
):
    before = await crash(stage, partner, troubled, "after_commit")
    assert stage.position(partner.topic) == len(partner.sent)
    assert stage.group_offset(partner.topic) <= before.offset
    answered = stage.count("enrolment", "journal", partner)
    await recovered(stage, partner)
    assert stage.count("enrolment", "journal", partner) == answered


async def test_a_commit_whose_answer_was_lost_is_found_done_after_the_restart(
    stage: Stage, partner: Partner, troubled: Trainee
):
    url = stage.url("enrolment")
    port = stage.local.engines.postgres.port
    async with losing_an_answer(port, at_least=100_000) as proxy:
        through = url.replace(f":{port}/", f":{proxy.port}/")
        process = await stage.serve_async("enrolment", database_url=through)
        watched = watch(process)
        await great_batch(stage, partner, troubled)
        await until(proxy.lost.is_set, "the answer to COMMIT lost")
        watched.kill()
        assert watched.wait(10) == -signal.SIGKILL
    assert stage.position(partner.topic) == len(partner.sent)
    assert stage.group_offset(partner.topic) < len(partner.sent)
    answered = stage.count("enrolment", "journal", partner)
    await recovered(stage, partner)
    assert stage.count("enrolment", "journal", partner) == answered


async def test_what_the_relay_sent_unacknowledged_is_sent_again(stage: Stage, partner: Partner, troubled: Trainee):
    await crash(stage, partner, troubled, "relay_after_send")
    assert stage.count("enrolment", "outbox") >= AT_LEAST
    await recovered(stage, partner)


async def test_requests_that_the_relay_sent_twice_are_answered_once_by_their_owner(
    stage: Stage, partner: Partner, troubled: Trainee
):
    before = await crash(stage, partner, troubled, "relay_after_acknowledgement")
    requests = stage.count("enrolment", "outbox", topic=topics.requests("assessment"))
    assert requests
    assert await end_of_requests(stage) - before.requests >= requests
    await recovered(stage, partner)
    assert await end_of_requests(stage) - before.requests >= 2 * requests


async def test_after_the_repair_the_queue_is_answered_as_if_nothing_had_happened(stage: Stage, partner: Partner):
    stage.retry_quarantine()
    await stage.all_answered(partner)
    await invariants(stage)
    assert stage.count("enrolment", "quarantine", partner) == 0
    assert await stage.differences(partner) == ()
