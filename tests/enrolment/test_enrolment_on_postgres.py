"""The door's batches on a real database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from senconet.migrate import differences
from shared import store, topics
from shared.database import transaction
from shared.pipeline import Deciding, process
from shared.records import RawRecord

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIRST = "3f1c5d0e-8a43-4a51-9d7a-0a6f6b1c2d01"
OTHER = "3f1c5d0e-8a43-4a51-9d7a-0a6f6b1c2d02"


def completed(offset: int, registration: str, received: datetime) -> RawRecord:
    """A completion of a registration that nobody knows, always under the same id."""
    attributes = {
        "specversion": "1.0",
        "id": "c-1",
        "source": "/partners/ash/mis",
        "type": "uk.eysenco.trainee.completed.v1",
        "subject": registration,
        "time": "2025-12-01T10:00:00Z",
    }
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    return RawRecord(topics.events("ash"), 0, offset, received, registration.encode(), json.dumps({}).encode(), headers)


async def held(door: Deciding) -> set[str]:
    """The registrations of which something waits."""
    async with transaction(door.engine) as tx:
        return set((await tx.execute(select(store.HOLDS.c.registration_id))).scalars())


async def test_an_id_that_waited_for_another_registration_is_free_after_its_deadline(door: Deciding) -> None:
    await process(door, [completed(0, FIRST, NOW)])
    done = await process(door, [completed(1, OTHER, NOW + timedelta(seconds=61))])
    assert done.codes == {"registration_unknown": 1}
    assert await held(door) == {OTHER}


async def test_an_id_that_still_waits_for_another_registration_is_a_conflict(door: Deciding) -> None:
    await process(door, [completed(0, FIRST, NOW)])
    done = await process(door, [completed(1, OTHER, NOW + timedelta(seconds=60))])
    assert done.codes == {"id_conflict": 1}
    assert await held(door) == {FIRST}


def test_the_migrations_make_just_the_tables_that_the_code_names(address: str) -> None:
    assert differences("enrolment", address) == []
