"""A completion that a late withdrawal makes inadmissible is set aside, and restored when the cause goes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from senconet.demonstration.wire import Event, wire
from shared import topics
from tests.support import agreement
from tests.support.memory import NOW, System
from tests.support.telling import TRAINEE, answered, shown, told, void

REGISTERED = told("registered", "2023-01-03")
COMPLETED = told("completed", "2023-06-02T10:00")
LEFT = told("withdrew", "2023-06-01T10:00")


def after(*events: Event) -> System:
    """Both services once they have answered all of it."""
    services = agreement.system()
    for number, event in enumerate(events):
        services.publish(event.topic, wire(event), NOW + number * timedelta(milliseconds=1))
        services.deliver()
    return services


def published(services: System, topic: str) -> list[tuple[str, dict[str, Any]]]:
    """Type and body of what assessment has published on a topic."""
    sent = (message for message in services.assessment.published if message.topic == topic)
    return [(dict(message.headers)["ce_type"], json.loads(message.value or b"{}")) for message in sent]


def notices(services: System) -> list[tuple[str, dict[str, Any]]]:
    """What the partner was told beside the answers."""
    found = published(services, topics.receipts(LEFT.topic))
    return [(name, body) for name, body in found if ".notice." in name]


def test_a_late_withdrawal_sets_a_completion_aside_and_its_void_restores_it() -> None:
    services = after(REGISTERED, COMPLETED, LEFT, void(LEFT))
    aside, restored = notices(services)
    assert aside[0] == "uk.eysenco.notice.fact_set_aside.v1"
    assert aside[1]["event_id"] == COMPLETED.id
    assert aside[1]["cause"]["id"] == LEFT.id
    assert aside[1]["cause"]["code"] == "after_withdrawal"
    assert restored[0] == "uk.eysenco.notice.fact_restored.v1"
    assert restored[1]["cause"]["id"] == f"void-{LEFT.id}"
    assert services.states()[TRAINEE].state == "completed"


def test_what_is_published_follows_each_move_in_versions_that_grow() -> None:
    facts = published(after(REGISTERED, COMPLETED, LEFT, void(LEFT)), topics.facts("assessment"))
    assert [name.removeprefix("uk.eysenco.") for name, _ in facts] == [
        "trainee.completed.v1",
        "fact_set_aside.v1",
        "fact_restored.v1",
    ]
    at = "2023-06-02T10:00:00Z"
    assert [body["state"] for _, body in facts] == [
        {"version": version, "completed": completed, "order": 15}
        for version, completed in ((1, at), (2, None), (3, at))
    ]


def test_a_lead_that_takes_a_fact_back_is_not_named_to_the_partner() -> None:
    services = after(REGISTERED, COMPLETED, LEFT, void(LEFT, by="lead"))
    assert notices(services)[-1][1]["cause"] == {"type": "trainee.withdrew.voided"}


def test_a_withdrawal_after_the_completion_changes_nothing_there() -> None:
    services = after(REGISTERED, COMPLETED, told("withdrew", "2023-06-03"))
    assert notices(services) == []
    assert services.states()[TRAINEE].state == "completed"


def test_a_completion_keeps_its_key_while_it_is_set_aside() -> None:
    again = told("completed", "2023-05-02", "again")
    assert answered(REGISTERED, COMPLETED, LEFT, again)[-1] == "same_fact_exists"
    assert answered(REGISTERED, COMPLETED, LEFT, void(COMPLETED), again)[-2:] == ["accepted", "accepted"]


def test_a_copy_of_what_is_set_aside_is_refused_by_the_status_first() -> None:
    assert answered(REGISTERED, COMPLETED, LEFT, COMPLETED)[-1] == "after_withdrawal"


def test_a_void_of_the_registration_sets_the_completion_aside_for_good() -> None:
    services = after(REGISTERED, COMPLETED, void(REGISTERED))
    assert [body["cause"]["code"] for _, body in notices(services)] == ["registration_voided"]
    assert services.states()[TRAINEE].state == "voided"


def test_a_void_that_waits_for_its_completion_takes_it_back() -> None:
    assert answered(REGISTERED, void(COMPLETED), COMPLETED) == ["accepted"] * 3
    assert shown(REGISTERED, void(COMPLETED), COMPLETED) == "registered"


def test_a_void_that_waits_is_answered_when_the_registration_is_taken_back() -> None:
    assert answered(REGISTERED, void(COMPLETED), void(REGISTERED))[1] == "registration_voided"


def test_assessment_hands_nothing_on_and_enrolment_is_told_no_status() -> None:
    services = agreement.system()
    with pytest.raises(AssertionError, match="hands nothing on"):
        services.assessment.judge.hand_on(services.assessment.world.ledgers[TRAINEE], None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="reads no requests"):
        services.enrolment.judge.observe(services.enrolment.world.ledgers[TRAINEE], None, NOW)  # type: ignore[arg-type]
