"""What the services tell, made by hand: states, and the records that carry them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.reporting import projection
from services.reporting.projection import ASSESSMENT, ENROLMENT, MENTORING, Known
from shared import clock, topics
from shared.events.catalogue import DEFERRED, REGISTERED, RESUMED, WITHDREW
from shared.events.data import ActivityType, Outcome
from shared.messages import encode
from shared.records import RawRecord
from shared.states import Activity, AssessmentState, Attempt, Mentor, MentoringState, Reason, Result, Signal
from shared.status import Period, Place, State, Status

ID = "00000000-0000-4000-8000-000000000001"
PARTNER = "ashdown"
GAINING = "burr"
IDENTITY: dict[str, Any] = {
    "trainee_id": "00000000-0000-4000-9000-000000000001",
    "setting_urn": "EY1",
    "refs": {PARTNER: "ref-1"},
}
MENTOR = "00000000-0000-4000-a000-000000000001"
ASSESSOR = "00000000-0000-4000-b000-000000000001"
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


def moved(begins: datetime, partner: str = GAINING, state: State = "registered", **more: Any) -> Period:
    """The period that a transfer begins at 00:00 of a day in London: the state goes on with another partner."""
    return period(begins, state, partner=partner, **more).model_copy(update={"order": -1})


def status(version: int, *periods: Period, places: Sequence[Place] = (), allocation: str = "contract_2022") -> Status:
    """A whole status."""
    return Status(version=version, periods=periods, places=tuple(places), places_allocation=allocation)


def session(
    when: datetime, *, attended: bool = True, type: ActivityType = "facilitated_session", partner: str = PARTNER
) -> Activity:
    """A session of two hours."""
    minutes = 120 if attended else 0
    return Activity(
        at=when, partner=partner, type=type, due=True, attended=attended, missed=not attended, minutes=minutes
    )


def mentoring(when: datetime, *, due: bool = True, held: bool = True, partner: str = PARTNER) -> Activity:
    """A mentoring of 45 minutes; one that is not due was cancelled."""
    held = due and held
    minutes = 45 if held else 0
    return Activity(
        at=when, partner=partner, type=None, due=due, attended=held, missed=due and not held, minutes=minutes
    )


def mentor(
    begins: datetime, ends: datetime | None = None, *, mentor_id: str = MENTOR, partner: str = PARTNER
) -> Mentor:
    """A mentor of the trainee."""
    return Mentor(mentor_id=mentor_id, partner=partner, begins=begins, ends=ends)


def signal(begins: date, ends: date | None = None, reason: Reason = "no_contact") -> Signal:
    """A signal that the trainee is at risk."""
    return Signal(reason=reason, begins=begins, ends=ends)


def mentored(
    version: int,
    *activities: Activity,
    mentors: Sequence[Mentor] = (),
    signals: Sequence[Signal] = (),
    minimum_met: datetime | None = None,
) -> MentoringState:
    """What mentoring tells."""
    return MentoringState(
        version=version,
        activities=activities,
        mentors=tuple(mentors),
        signals=tuple(signals),
        minimum_met=minimum_met,
    )


def attempt(
    submitted: datetime,
    decided: datetime | None = None,
    outcome: Outcome = "passed",
    *,
    unit: str = "u1",
    number: int = 1,
    partner: str = PARTNER,
    decided_by: str | None = None,
    assessor: str = ASSESSOR,
) -> Attempt:
    """An attempt at a unit, decided or not."""
    return Attempt(
        unit_code=unit,
        attempt=number,
        partner=partner,
        submitted=submitted,
        decided=decided,
        decided_by=(decided_by or partner) if decided else None,
        assessor_id=assessor if decided else None,
        outcome=outcome if decided else None,
    )


def assessed(
    version: int, *attempts: Attempt, completed: datetime | None = None, result: Result | None = None
) -> AssessmentState:
    """What assessment tells."""
    return AssessmentState(version=version, attempts=attempts, completed=completed, result=result)


def completion(version: int, completed: datetime | None) -> AssessmentState:
    """What assessment tells where nothing is asked for a completion."""
    return assessed(version, completed=completed)


def known(
    status: Status | None, mentoring: MentoringState | None = None, assessment: AssessmentState | None = None
) -> Known:
    """What is known of the registration."""
    return Known(ID, status, mentoring, assessment)


_TOPICS: dict[type, str] = {Status: ENROLMENT, MentoringState: MENTORING, AssessmentState: ASSESSMENT}


def record(
    state: projection.State | Mapping[str, Any] | None,
    registration: str = ID,
    offset: int = 0,
    *,
    partner: str | None = None,
) -> RawRecord:
    """The record that carries a state, an identity, or (None) the end of one; `partner`: a fact of it, not derived."""
    if isinstance(state, Status | MentoringState | AssessmentState):
        topic = _TOPICS[type(state)]
        sender = {} if partner is None else {"partner": partner, "data": {}}
        value: bytes | None = encode({**sender, "state": state.model_dump(mode="json"), "cause": None})
    else:
        topic, value = topics.IDENTITY, encode(state) if state else None
    return RawRecord(topic, 0, offset, RECEIVED, registration.encode(), value, ())


def receipt(
    partner: str, position: int, outcome: str, *codes: str, received: datetime = RECEIVED, offset: int = 0
) -> RawRecord:
    """The receipt of a partner's record."""
    body = {
        "position": {"topic": topics.events(partner), "partition": 0, "offset": position},
        "outcome": outcome,
        "receivedtime": clock.render(received),
        "errors": [{"code": code, "message": "", "path": None, "detail": {}} for code in codes],
    }
    return RawRecord(topics.receipts(partner), 0, offset, RECEIVED, ID.encode(), encode(body), ())


def numbered(records: Sequence[RawRecord], first: Mapping[str, int] | None = None) -> list[RawRecord]:
    """The records with the offsets that they have in their topics."""
    counts = {topic: itertools.count((first or {}).get(topic, 0)) for topic in {r.topic for r in records}}
    return [
        RawRecord(r.topic, r.partition, next(counts[r.topic]), r.received, r.key, r.value, r.headers) for r in records
    ]
