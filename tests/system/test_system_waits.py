"""A table that somebody keeps locked is waited out: batches are given back, nobody loses its place in the group."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import Final

from shared import topics
from tests.system.flow import as_if_undisturbed
from tests.system.generations import generations
from tests.system.support import Stage, until
from tests.system.waves import waves

GIVEN_BACK: Final = 1
TRAINEES: Final = 40


def given_back(stage: Stage, service: str) -> float:
    """How many batches a service has given back since it started."""
    counted = r"^senconet_batch_failures_total\{.*\} (\S+)$"
    return sum(map(float, re.findall(counted, stage.metrics(service), re.MULTILINE)))


async def test_a_table_that_is_locked_for_long_costs_neither_an_answer_nor_a_place_in_the_group(stage: Stage):
    partner = await stage.partner("locked")
    traffic = waves(partner.code, "locked", stage.data.reference)
    await partner.send(*traffic.next(TRAINEES))
    await as_if_undisturbed(stage, partner)
    before = {service: await generations(stage, service) for service in topics.DECIDING_SERVICES}
    counted = {service: given_back(stage, service) for service in topics.DECIDING_SERVICES}
    for service in reversed(topics.DECIDING_SERVICES):  # the door last: then there is work for the others
        with ExitStack() as held:
            blocking = held.enter_context(stage.local.engines.postgres.connect(service))
            held.enter_context(blocking.transaction())
            blocking.execute("LOCK TABLE registrations IN ACCESS EXCLUSIVE MODE")
            await partner.send(*traffic.next(TRAINEES))
            often = f"{GIVEN_BACK} batch given back"
            await until(lambda service=service: given_back(stage, service) - counted[service] >= GIVEN_BACK, often)
    await as_if_undisturbed(stage, partner)
    assert all(before.values())
    assert {service: await generations(stage, service) for service in topics.DECIDING_SERVICES} == before
