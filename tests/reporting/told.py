"""What the services tell, made by hand: states, and the records that carry them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.reporting.projection import ASSESSMENT, ENROLMENT
from shared import clock, topics
from shared.events.catalogue import DEFERRED, REGISTERED, RESUMED, WITHDREW
from shared.messages import encode
from shared.records import RawRecord
from shared.status import Completion, Period, Place, State, Status

ID = "00000000-0000-4000-8000-000000000001"
PARTNER = "ashdown"
IDENTITY = {
    "partner": PARTNER,
    "partner_ref": "ref-1",
    "trainee_id": "00000000-0000-4000-9000-000000000001",
    "setting_urn": "EY1",
}
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = {"registered": RESUMED.order, "deferred": DEFERRED.order, "withdrawn": WITHDREW.order, "voided": 0}


def at(text: str) -> datetime:
    """The instant of an RFC 3339 text."""
    found = clock.parse(text)
    assert found is not None
    return found


def place(la: str, since: date = date(2020, 1, 1), until: date | None = None) -> Place:
    """A local authority of that code, in the region `R` + code."""
    return Place(
        valid_from=since,
        valid_to=until,
        la_code=la,
        la_name=f"Authority {la}",
        region_code=f"R{la}",
        region_name=f"Region {la}",
    )


def period(
    begins: datetime,
    state: State = "registered",
    *,
    partner: str = PARTNER,
    cohort: str = "c1",
    setting: str = "s1",
    first: bool = False,
) -> Period:
    """A period of status; one that is out of training has a reason."""
    out = state in ("deferred", "withdrawn")
    return Period(
        begins=begins,
        order=REGISTERED.order if first else ORDERS[state],
        state=state,
        partner=partner,
        cohort=cohort,
        setting_key=setting,
        provider_type="Childminders",
        reason="no_time_in_working_hours" if out else None,
        reason_group="capacity_or_time" if out else None,
    )


def registered(begins: datetime, **more: Any) -> Period:
    """The first period of a registration."""
    return period(begins, first=True, **more)


def status(version: int, *periods: Period, places: Sequence[Place] = ()) -> Status:
    """A whole status."""
    return Status(version=version, periods=periods, places=tuple(places))


def completion(version: int, completed: datetime | None) -> Completion:
    """What assessment tells."""
    return Completion(version=version, completed=completed)


def record(state: Status | Completion | Mapping[str, str] | None, registration: str = ID, offset: int = 0) -> RawRecord:
    """The record that carries a status, a completion, an identity, or (None) the end of one."""
    if isinstance(state, Status | Completion):
        topic = ENROLMENT if isinstance(state, Status) else ASSESSMENT
        value = encode({"state": state.model_dump(mode="json"), "cause": None})
    else:
        topic, value = topics.IDENTITY, encode(state) if state else None
    return RawRecord(topic, 0, offset, RECEIVED, registration.encode(), value, ())


def numbered(records: Sequence[RawRecord], first: Mapping[str, int] | None = None) -> list[RawRecord]:
    """The records with the offsets that they have in their topics."""
    counts = {topic: itertools.count((first or {}).get(topic, 0)) for topic in {r.topic for r in records}}
    return [
        RawRecord(r.topic, r.partition, next(counts[r.topic]), r.received, r.key, r.value, r.headers) for r in records
    ]
