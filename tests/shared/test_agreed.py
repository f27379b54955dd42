"""Histories that the services and the key once answered differently, each with the answer of the rules."""

from __future__ import annotations

import pytest

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.enrolment.doing import A_THIRD, NEXT_TRANSFER, accepted, offered
from tests.support import agreement
from tests.support.contents import THEIRS
from tests.support.owning import session, supersede
from tests.support.telling import answered, told

REGISTERED, DEFERRED = told("registered", "2023-01-03T11:00"), told("deferred", "2023-02-01T10:00")
JUDGED_TWICE = (supersede(DEFERRED, at="2023-01-02T10:00"), DEFERRED, session("s", "2023-01-20"), REGISTERED)
"""What would move the deferral before the registration is judged again after the session, with no new fact."""

LATE_ON_THE_DAY = (
    *(REGISTERED, offered("2023-01-05T11:00", "2023-01-05"), accepted("2023-01-06T10:00")),
    supersede(REGISTERED, at="2023-01-05T10:00"),
)
"""A registration is moved into the day on which it went to another, before the offer of that day."""

LATER_ONE_FIRST = (
    REGISTERED,
    offered("2023-06-01T09:00", "2023-06-01", to=A_THIRD, by=LEAD),
    accepted("2023-06-06T10:00", by=A_THIRD),
    offered("2023-03-25T10:00", "2023-06-01", to=THEIRS, transfer=NEXT_TRANSFER),
    accepted("2023-03-26T10:00", by=THEIRS, transfer=NEXT_TRANSFER),
    session("s1", "2023-07-01", by=A_THIRD),
    session("s2", "2023-07-01", by=THEIRS),
)
"""Of two transfers of one day the first is received last."""

DECIDED = {
    "a correction judged twice": (JUDGED_TWICE, ["registration_unknown", *["accepted"] * 3]),
    "a registration that begins too late": (LATE_ON_THE_DAY, [*["accepted"] * 3, "not_your_trainee"]),
    "two transfers of one day": (LATER_ONE_FIRST, [*["accepted"] * 6, "not_your_trainee"]),
}


@pytest.mark.parametrize(("events", "answers"), DECIDED.values(), ids=DECIDED.keys())
def test_services_and_key_say_what_the_rules_say(events: tuple[Event, ...], answers: list[str]) -> None:
    assert answered(*events) == answers
    assert agreement.told(events) == agreement.expected(events)
