"""The owners' batches on a real database: what was accepted, waits or is corrected is so for the next process too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select

from senconet.demonstration.wire import Event
from senconet.migrate import differences, migrate
from services.enrolment.judge import OWNERS
from shared import handover, store, topics
from shared.absorb import absorb
from shared.database import snapshot
from shared.messages import Message
from shared.owner import owner
from shared.pipeline import Deciding, process
from shared.records import RawRecord
from shared.reference import BODIES, Version, Versions
from shared.settings import Settings
from shared.status import Status
from tests.support.memory import NOW, judges
from tests.support.owning import (
    COHORT,
    GIVEN,
    REGISTERED,
    assigned,
    completed,
    course,
    decided,
    mentored,
    session,
    submitted,
    supersede,
)
from tests.support.telling import TRAINEE, read, void

GONE = course("2023-01-03 registered", "2023-01-20T10:00 withdrawn", version=2)
S1 = session("s-1", "2023-02-01T10:00")


class Requests:
    """The topic of requests of an owner, and its processes one after another: each knows what the database holds."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.length = 0

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Deciding]:
        """A process of the owner."""
        settings = Settings(
            kafka_bootstrap="none",
            kafka_username="none",
            kafka_password="none",
            database_url=self.address,
            http_port=1,
        )
        service = owner(self.name, judges()[self.name], settings)
        try:
            yield service
        finally:
            await service.engine.dispose()

    async def hand(self, *given: Event | Status) -> dict[str, int]:
        """Hand records and statuses to a new process, as one batch; the codes that it answers with."""
        attached, batch = REGISTERED, []
        for item in given:
            if isinstance(item, Status):
                attached, cause = item, {"type": "trainee.withdrew", "partner": "quillmarsh", "source": "s", "id": "w"}
                batch.append(self._appended(handover.status_message(self.name, TRAINEE, item, cause, NOW)))
            else:
                batch.append(self._appended(handover.request_message(read(item, self.length), attached)))
        async with self.process() as service:
            done = await process(service, batch)
            assert not done.gaps
            assert not done.failed
            return dict(done.codes)

    def _appended(self, message: Message) -> RawRecord:
        assert message.key is not None
        self.length += 1
        return RawRecord(message.topic, 0, self.length - 1, NOW, message.key.encode(), message.value, ())

    async def published(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """Type and body of what waits to be published on a topic."""
        async with self.process() as service, snapshot(service.engine) as tx:
            rows = (await tx.execute(select(store.OUTBOX).order_by(store.OUTBOX.c.id))).all()
        found = [(dict(json.loads(row.headers)), row) for row in rows if row.topic == topic]
        return [(headers["ce_type"], json.loads(row.value)) for headers, row in found]

    async def state(self) -> dict[str, Any]:
        """The state that it tells last."""
        state: dict[str, Any] = (await self.published(topics.facts(self.name)))[-1][1]["state"]
        return state


async def requests(name: str, addresses: Mapping[str, str]) -> Requests:
    """An owner that has read the cohort's rules and the registration's status."""
    migrate(name, addresses[name])
    made = Requests(name, addresses[name])
    body = BODIES["cohorts"].model_validate_json(
        json.dumps(next(body for body in GIVEN.cohorts if body["cohort_code"] == COHORT))
    )
    versions = Versions(versions=[Version(holds_from=NOW.replace(year=1970), ruleversion="r1", body=body)])
    value = versions.model_dump_json().encode()
    async with made.process() as service:
        await absorb(service.engine, [RawRecord(topics.reference("cohorts"), 0, 0, NOW, COHORT.encode(), value, ())])
    await made.hand(REGISTERED)
    return made


@pytest.fixture
async def mentoring(fresh_databases: Callable[[], Mapping[str, str]]) -> Requests:
    """Mentoring on a database of its own."""
    return await requests("mentoring", fresh_databases())


@pytest.fixture
async def assessment(fresh_databases: Callable[[], Mapping[str, str]]) -> Requests:
    """Assessment on a database of its own."""
    return await requests("assessment", fresh_databases())


@pytest.mark.parametrize("name", OWNERS)
def test_the_migrations_make_just_the_tables_that_the_code_names(
    name: str, fresh_databases: Callable[[], Mapping[str, str]]
) -> None:
    address = fresh_databases()[name]
    migrate(name, address)
    assert differences(name, address) == [], f"write in services/{name}/migrations what its tables.py has and they lack"


async def test_a_life_told_to_one_process_after_another_is_one_life(mentoring: Requests) -> None:
    for event in (assigned("a-1", "2023-01-10T10:00"), S1, mentored("m-1", "2023-02-08T10:00")):
        assert await mentoring.hand(event) == {}
    state = await mentoring.state()
    assert [activity["at"] for activity in state["activities"]] == ["2023-02-01T10:00:00Z", "2023-02-08T10:00:00Z"]
    assert len(state["mentors"]) == 1
    assert state["version"] == 4


async def test_a_copy_is_known_to_the_next_process_by_what_was_first_sent(mentoring: Requests) -> None:
    await mentoring.hand(S1)
    await mentoring.hand(supersede(S1, status="absent", at="2023-02-02T10:00"))
    assert await mentoring.hand(S1) == {}
    assert await mentoring.hand(session("s-1", "2023-02-02T10:00", "absent")) == {"id_conflict": 1}
    receipts = [name for name, _ in await mentoring.published(topics.receipts("quillmarsh"))]
    assert [name.split(".")[3] for name in receipts] == ["accepted", "accepted", "duplicate", "rejected"]
    assert (await mentoring.state())["activities"][0]["at"] == "2023-02-02T10:00:00Z"


async def test_what_is_set_aside_is_restored_by_a_later_process(mentoring: Requests) -> None:
    await mentoring.hand(S1)
    await mentoring.hand(GONE)
    assert (await mentoring.state())["activities"] == []
    await mentoring.hand(REGISTERED.model_copy(update={"version": 3}))
    assert len((await mentoring.state())["activities"]) == 1
    told_types = [name for name, _ in await mentoring.published(topics.receipts("quillmarsh"))]
    assert [name.split(".")[3] for name in told_types] == ["accepted", "fact_set_aside", "fact_restored"]


async def test_what_waits_is_cured_in_a_later_process(assessment: Requests) -> None:
    decision = decided(1, "2023-03-01T10:00")
    await assessment.hand(decision)
    assert await assessment.published(topics.receipts("quillmarsh")) == []
    await assessment.hand(submitted(1, "2023-02-01T10:00"))
    answers = await assessment.published(topics.receipts("quillmarsh"))
    assert [body["event_id"] for _, body in answers] == ["s1-unit-1", decision.id]
    assert (await assessment.state())["attempts"][0]["outcome"] == "passed"


async def test_a_completion_is_taken_back_by_a_later_process_and_what_was_passed_stays(assessment: Requests) -> None:
    units = ("unit-1", "unit-2")
    await assessment.hand(*(submitted(1, "2023-02-01T10:00", unit) for unit in units))
    await assessment.hand(*(decided(1, "2023-03-01T10:00", unit=unit) for unit in units))
    done = completed("2023-06-01T10:00")
    await assessment.hand(done)
    assert (await assessment.state())["completed"] == "2023-06-01T10:00:00Z"
    await assessment.hand(void(done))
    state = await assessment.state()
    assert (state["completed"], state["result"]) == (None, "passed")


async def test_a_voided_registration_answers_what_waits(assessment: Requests) -> None:
    await assessment.hand(completed("2023-06-01T10:00"))
    codes = await assessment.hand(course("2023-01-03 voided", version=9))
    assert codes == {"registration_voided": 1}


async def test_a_request_sent_twice_is_answered_once(mentoring: Requests) -> None:
    message = handover.request_message(read(S1, 50), REGISTERED)
    for _ in range(2):
        async with mentoring.process() as service:
            await process(service, [mentoring._appended(message)])
    assert len(await mentoring.published(topics.receipts("quillmarsh"))) == 1
