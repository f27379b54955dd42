"""A setting that becomes known, or moves, places its registrations anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from services.enrolment.store import move_places
from shared import store, topics
from shared.absorb import absorb
from shared.database import transaction
from shared.pipeline import Deciding, process
from shared.records import RawRecord
from shared.reference import Cohort, Dated, Partnership, Setting, SettingPeriod, Span, Version, Versions
from shared.status import Status

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
REGISTRATION = "3f1c5d0e-8a43-4a51-9d7a-0a6f6b1c2d07"
SETTING = "SY1"
CHILDMINDERS = "Childminders"
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def told(kind: str, offset: int, body: Any) -> RawRecord:
    """One version of one key, as `senconet reference load` publishes it."""
    versions = Versions(versions=[Version(holds_from=EVER, ruleversion="r1", body=body)])
    value = json.dumps(versions.model_dump(mode="json")).encode()
    return RawRecord(topics.reference(kind), 0, offset, NOW, body.key.encode(), value, ())


def setting(la_code: str) -> Setting:
    """The setting, in an area."""
    place = SettingPeriod(
        valid_from=date(2020, 1, 1),
        la_code=la_code,
        la_name="Somewhere",
        region_code="E12000001",
        region_name="North East",
        provider_type=CHILDMINDERS,
    )
    return Setting(setting_urn=SETTING, periods=[place])


async def programme(door: Deciding) -> None:
    """One cohort and one partnership; the setting is not known."""
    cohort = Cohort(
        cohort_code="c1",
        opens=date(2025, 1, 1),
        registration_closes=date(2025, 12, 31),
        starts=date(2025, 2, 1),
        late_until=date(2030, 12, 31),
        schedule_months=4,
        eligible_provider_types=[CHILDMINDERS],
        level3_required=True,
        units=["unit-1"],
        max_attempts=3,
        completion_requires="none",
        sessions=[],
        mentoring_minimum=3,
        mentoring_minutes=Span(least=20, most=90),
        reinstatement_days=90,
    )
    partnership = Partnership(partner_code="ash", cohort_code="c1", periods=[Dated(valid_from=date(2025, 1, 1))])
    await absorb(door.engine, [told("cohorts", 0, cohort), told("partnerships", 0, partnership)])


def registered() -> RawRecord:
    """A registration from the setting."""
    attributes = {
        "specversion": "1.0",
        "id": "r-1",
        "source": "/partners/ash/mis",
        "type": "uk.eysenco.trainee.registered.v1",
        "subject": REGISTRATION,
        "time": "2025-03-03T10:00:00Z",
    }
    data = {
        "trainee_id": "3f1c5d0e-8a43-4a51-9d7a-0a6f6b1c2d99",
        "partner_ref": "A-1",
        "cohort_code": "c1",
        "setting_urn": SETTING,
        "provider_type": CHILDMINDERS,
        "role": "senco",
        "level3_full_relevant": True,
        "places_allocation": "places_2025",
    }
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    value = json.dumps(data).encode()
    return RawRecord(topics.events("ash"), 0, 0, NOW, REGISTRATION.encode(), value, headers)


async def published(door: Deciding, topic: str) -> list[tuple[Mapping[str, str], dict[str, Any]]]:
    """What stands in the outbox for a topic: headers and body."""
    async with transaction(door.engine) as tx:
        c = store.OUTBOX.c
        rows = await tx.execute(select(c.headers, c.value).where(c.topic == topic).order_by(c.id))
        return [(dict(json.loads(headers)), json.loads(value)) for headers, value in rows]


async def areas(door: Deciding) -> list[list[str]]:
    """The areas of the registration, version by version, as its facts tell."""
    facts = await published(door, topics.facts("enrolment"))
    return [[p.la_code for p in Status.model_validate(body["state"]).places] for _, body in facts]


async def test_a_registration_from_an_unknown_setting_is_accepted_and_placed_once_the_setting_is_known(
    door: Deciding,
) -> None:
    await programme(door)
    await process(door, [registered()])
    (_, receipt), *_ = await published(door, topics.receipts("ash"))
    assert (receipt["outcome"], receipt["warnings"]) == ("accepted", ["late", "place_unknown"])
    await absorb(door.engine, [told("settings", 0, setting("E06000047"))], move_places)
    assert await areas(door) == [[], ["E06000047"]]


async def test_a_setting_that_moves_makes_a_new_version_that_owners_are_told_of(door: Deciding) -> None:
    await programme(door)
    await absorb(door.engine, [told("settings", 0, setting("E06000047"))], move_places)
    await process(door, [registered()])
    await absorb(door.engine, [told("settings", 1, setting("E06000005"))], move_places)
    assert await areas(door) == [["E06000047"], ["E06000005"]]
    versions = [body["status"]["version"] for _, body in await published(door, topics.requests("assessment"))]
    assert versions == [1, 2]


async def test_a_setting_that_is_told_again_unchanged_changes_nothing(door: Deciding) -> None:
    await programme(door)
    await absorb(door.engine, [told("settings", 0, setting("E06000047"))], move_places)
    await process(door, [registered()])
    await absorb(door.engine, [told("settings", 1, setting("E06000047"))], move_places)
    assert await areas(door) == [["E06000047"]]
