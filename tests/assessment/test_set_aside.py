"""Through the door: what a status told late makes inadmissible is set aside, and restored when the cause goes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from senconet.demonstration.model import State
from senconet.demonstration.wire import Event, wire
from shared import topics
from shared.messages import Message
from tests.support import agreement
from tests.support.histories import OURS
from tests.support.memory import NOW, System
from tests.support.owning import completed, decided, session, submitted
from tests.support.telling import TRAINEE, answered, shown, told, void

REGISTERED = told("registered", "2023-01-03")
UNITS = ("unit-1", "unit-2")
ASSESSED = (
    *(submitted(1, "2023-04-03T10:00", unit) for unit in UNITS),
    *(decided(1, "2023-05-03T10:00", unit=unit) for unit in UNITS),
)
COMPLETED = completed("2023-06-02T10:00")
LEFT = told("withdrew", "2023-06-01T10:00")
LIFE = (REGISTERED, *ASSESSED, COMPLETED)


def after(*events: Event) -> System:
    """All services once they have answered all of it."""
    services = agreement.system()
    for number, event in enumerate(events):
        services.publish(event.topic, wire(event), NOW + number * timedelta(milliseconds=1))
        services.deliver()
    return services


def published(services: System, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """Type and body of what assessment has published on a topic."""
    sent = (message for message in services.owners["assessment"].published if message.topic == topic)
    return [(dict(message.headers)["ce_type"], json.loads(message.value or b"{}")) for message in sent]


def is_notice(message: Message) -> bool:
    """Whether it tells a partner something beside the answers."""
    return ".notice." in dict(message.headers)["ce_type"]


def notices(services: System) -> list[tuple[str, dict[str, Any]]]:
    """What the partner was told beside the answers."""
    found = published(services, topics.receipts(OURS))
    return [(name, body) for name, body in found if ".notice." in name]


def state(services: System) -> State:
    """The trainee as its partner sees it."""
    return services.states()[OURS, TRAINEE]


def test_a_late_withdrawal_sets_a_completion_aside_and_its_void_restores_it() -> None:
    services = after(*LIFE, LEFT, void(LEFT))
    aside, restored = notices(services)
    assert aside[0] == "uk.eysenco.notice.fact_set_aside.v1"
    assert aside[1]["event_id"] == COMPLETED.id
    assert aside[1]["cause"]["id"] == LEFT.id
    assert aside[1]["cause"]["code"] == "after_withdrawal"
    assert restored[0] == "uk.eysenco.notice.fact_restored.v1"
    assert restored[1]["cause"]["id"] == f"void-{LEFT.id}"
    assert state(services).state == "completed"


def test_what_is_published_follows_each_move_in_versions_that_grow() -> None:
    facts = published(after(*LIFE, LEFT, void(LEFT)), topics.facts("assessment"))[-3:]
    assert [name.removeprefix("uk.eysenco.") for name, _ in facts] == [
        "trainee.completed.v1",
        "fact_set_aside.v1",
        "fact_restored.v1",
    ]
    at = "2023-06-02T10:00:00Z"
    assert [(body["state"]["version"], body["state"]["completed"]) for _, body in facts] == [
        (5, at),
        (6, None),
        (7, at),
    ]


def test_a_deferral_told_late_sets_aside_at_every_owner_what_the_return_does_not_restore() -> None:
    attended, handed_in = session("s-1", "2023-02-01T10:00"), ASSESSED[0]
    services = after(REGISTERED, attended, handed_in, told("deferred", "2023-01-20"), told("resumed", "2023-03-01"))
    sent = {
        name: [dict(message.headers)["ce_type"].split(".")[3] for message in owner.published if is_notice(message)]
        for name, owner in services.owners.items()
    }
    assert {name: found for name, found in sent.items() if found} == {
        "mentoring": ["fact_set_aside"],
        "assessment": ["fact_set_aside", "fact_restored"],
    }


def test_a_lead_that_takes_a_fact_back_is_not_named_to_the_partner() -> None:
    services = after(*LIFE, LEFT, void(LEFT, by="lead"))
    assert notices(services)[-1][1]["cause"] == {"type": "trainee.withdrew.voided"}


def test_a_withdrawal_after_the_completion_changes_nothing_there() -> None:
    services = after(*LIFE, told("withdrew", "2023-06-03"))
    assert notices(services) == []
    assert state(services).state == "completed"


def test_a_completion_keeps_its_key_while_it_is_set_aside() -> None:
    again = completed("2023-05-20", "again")
    assert answered(*LIFE, LEFT, again)[-1] == "same_fact_exists"
    assert answered(*LIFE, LEFT, void(COMPLETED), again)[-2:] == ["accepted", "accepted"]


def test_a_copy_of_what_is_set_aside_is_refused_by_the_status_first() -> None:
    assert answered(*LIFE, LEFT, COMPLETED)[-1] == "after_withdrawal"


def test_a_void_of_the_registration_sets_everything_aside_for_good() -> None:
    services = after(*LIFE, void(REGISTERED))
    assert [body["cause"]["code"] for _, body in notices(services)] == ["registration_voided"] * 5
    assert state(services).state == "voided"


def test_a_void_that_waits_for_its_completion_takes_it_back() -> None:
    assert answered(REGISTERED, *ASSESSED, void(COMPLETED), COMPLETED) == ["accepted"] * 7
    assert shown(REGISTERED, *ASSESSED, void(COMPLETED), COMPLETED) == "registered"


def test_a_void_that_waits_is_answered_when_the_registration_is_taken_back() -> None:
    assert answered(REGISTERED, void(COMPLETED), void(REGISTERED))[1] == "registration_voided"


def test_an_owner_hands_nothing_on_and_enrolment_is_told_no_status() -> None:
    services = agreement.system()
    for owner in services.owners.values():
        with pytest.raises(AssertionError, match="hands nothing on"):
            owner.judge.hand_on(owner.world.ledgers[TRAINEE], None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="reads no requests"):
        services.enrolment.judge.observe(services.enrolment.world.ledgers[TRAINEE], None, NOW)  # type: ignore[arg-type]
