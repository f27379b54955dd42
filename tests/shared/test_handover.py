"""What the door hands on arrives at the owner as it was, with the status as of that record."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared import handover
from shared.handover import StatusChange
from shared.messages import Message
from shared.records import RawRecord
from shared.status import Period, Place, Status
from tests.support.memory import NOW
from tests.support.owning import session, supersede
from tests.support.telling import TRAINEE, read, told, void

PERIOD = Period(
    begins=datetime(2023, 1, 3, 10, 0, 0, 1, tzinfo=UTC),
    order=0,
    state="registered",
    partner="quillmarsh",
    cohort="2023-january",
    setting_key="6d2f",
    provider_type="Childminders",
)
PLACE = Place.model_validate(
    {
        "valid_from": "2022-01-01",
        "valid_to": None,
        "la_code": "E09000002",
        "la_name": "Barking and Dagenham",
        "region_code": "E12000007",
        "region_name": "London",
    }
)
STATUS = Status(
    version=3,
    periods=(PERIOD, PERIOD.model_copy(update={"state": "deferred", "order": 7})),
    places=(PLACE,),
    capacity_declared=True,
    places_allocation="contract_2022",
)
COMPLETED = told("completed", "2023-06-02", final_decision_id="d-1")
SESSION = session("s-1", "2023-02-01T10:00")


def carried(message: Message) -> RawRecord:
    """The record that a message becomes on the topic of requests."""
    assert message.key is not None
    return RawRecord(message.topic, 5, 40, NOW, message.key.encode(), message.value, ())


def test_a_record_arrives_at_its_owner_as_it_was_with_its_status() -> None:
    handed = [(event, "assessment") for event in (COMPLETED, void(COMPLETED), supersede(COMPLETED))]
    handed += [(event, "mentoring") for event in (SESSION, void(SESSION), supersede(SESSION, at="2023-02-02T10:00"))]
    for offset, (sent, owner) in enumerate(handed):
        event = read(sent, offset)
        message = handover.request_message(event, STATUS)
        assert (message.topic, message.key) == (f"{owner}.requests", TRAINEE)
        raw = carried(message)
        assert handover.read(raw) == replace(event, raw=raw, attached=STATUS)


@given(st.integers(0, 10**9), st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_positions_and_times_arrive_to_the_microsecond(offset: int, time: datetime) -> None:
    event = replace(read(COMPLETED, offset), time=time, received=time, cure=time)
    found = handover.read(carried(handover.request_message(event, STATUS)))
    assert not isinstance(found, StatusChange)
    assert (found.position, found.time, found.received, found.cure) == (event.position, time, time, time)


def test_a_copy_is_still_known_as_one_after_the_hand_over() -> None:
    first, other = (handover.read(carried(handover.request_message(read(COMPLETED, n), STATUS))) for n in (1, 2))
    assert not isinstance(first, StatusChange)
    assert not isinstance(other, StatusChange)
    assert first.content == other.content == read(COMPLETED).content


def test_a_change_of_status_arrives_with_its_cause() -> None:
    cause = {"type": "trainee.deferred", "partner": "quillmarsh", "source": "/partners/quillmarsh/mis", "id": "d"}
    for owner in ("mentoring", "assessment"):
        message = handover.status_message(owner, TRAINEE, STATUS, cause, NOW)
        assert message.topic == f"{owner}.requests"
        assert handover.read(carried(message)) == StatusChange(TRAINEE, STATUS, cause, NOW)


def test_a_released_record_cures_others_from_its_release_on_and_keeps_its_own_receipt() -> None:
    event = read(COMPLETED)
    later = NOW + timedelta(seconds=9)
    assert handover.released(event, later).cure == later
    assert handover.released(event, later).received == NOW
    assert handover.released(event, NOW - timedelta(seconds=9)).cure == NOW
