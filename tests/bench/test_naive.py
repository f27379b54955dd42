"""The way that we compare with really does what it is said to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench import naive
from senconet import provision, publisher
from senconet.access import KafkaAccess
from senconet.local.engines import Engines
from senconet.publisher import Outgoing
from shared import topics
from shared.events.catalogue import REGISTERED, WITHDREW, EventType

PARTNER, PASSWORD = "naive", "a-password-of-this-test"
STRANGER = "00000000-0000-4000-8000-0000000000ff"


def event(number: int, kind: EventType, data: Mapping[str, object], subject: str | None = None) -> Outgoing:
    """An event of a registration of its own."""
    subject = subject or f"00000000-0000-4000-8000-{number:012}"
    attributes = {
        "id": f"e-{number}",
        "source": f"/partners/{PARTNER}/mis",
        "type": kind.wire,
        "subject": subject,
        "time": "2024-01-10T09:00:00Z",
    }
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    return Outgoing(subject.encode(), json.dumps(data).encode(), (*headers, ("content-type", b"application/json")))


def registered(number: int) -> Outgoing:
    data = {
        "trainee_id": f"10000000-0000-4000-8000-{number:012}",
        "partner_ref": f"N-{number}",
        "cohort_code": "2024-january",
        "setting_urn": "SY500000",
        "provider_type": "Childminders",
        "role": "senco",
        "level3_full_relevant": True,
        "places_allocation": "contract_2022",
    }
    return event(number, REGISTERED, data)


GOOD = [registered(number) for number in range(16)]
OTHERS = [
    GOOD[0],
    event(17, WITHDREW, {"reason": "other", "code_list": "withdrawal-2026.1"}, STRANGER),
    Outgoing(STRANGER.encode(), b"no JSON", GOOD[1].headers),
    registered(19),
]


@pytest.fixture
def topic(engines: Engines) -> str:
    """The topic of a partner that may publish."""
    provision.add_partner(engines.kafka, PARTNER, PASSWORD)
    return topics.events(PARTNER)


async def test_each_event_is_judged_and_committed_by_itself(
    engines: Engines, topic: str, fresh_databases: Callable[[], Mapping[str, str]]
) -> None:
    kafka, url = engines.kafka, fresh_databases()["enrolment"]
    access = KafkaAccess(kafka.bootstrap, topics.principal_of(PARTNER), PASSWORD)
    async with publisher.publishing(access) as producer:
        await publisher.send(producer, PARTNER, [*GOOD, *OTHERS, registered(20)])
    assert await naive.measure(kafka.client_options(), topic, url, len(GOOD) + len(OTHERS)) > 0
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT outcome, xmin::text FROM naive_receipts ORDER BY position"))
        outcomes, transactions = zip(*((row.outcome, row.xmin) for row in rows), strict=True)
        facts = (await connection.execute(text("SELECT count(*) FROM naive_facts"))).scalar()
    await engine.dispose()
    assert outcomes == (*["accepted"] * 16, "duplicate", "rejected", "rejected", "accepted")
    assert len(set(transactions)) == 20
    assert facts == 17
