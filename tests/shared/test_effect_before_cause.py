"""F37: an effect that comes before its cause waits, is applied when that comes, and is refused at the limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from senconet.demonstration.wire import Event, wire
from shared import sweep
from shared.contract import Event as Read
from tests.support import agreement, mutants
from tests.support.memory import HOLD, NOW, System
from tests.support.owning import decided, submitted
from tests.support.telling import told

MOMENT = timedelta(seconds=1)
REGISTERED = told("registered")
LEFT = told("withdrew", "2023-02-01")
VOID = told("withdrew.voided", "2023-03-01", target_id=LEFT.id, cause="duplicate")
PAIRS = (
    ((), LEFT, REGISTERED, "registration_unknown"),
    ((REGISTERED,), decided(1, "2023-02-01"), submitted(1, "2023-01-20"), "submission_missing"),
    ((REGISTERED,), VOID, LEFT, "target_unknown"),
)
"""What comes first, an effect, its cause, and the code with which the effect waits."""

each_pair = pytest.mark.parametrize(("before", "effect", "cause", "code"), PAIRS, ids=[pair[3] for pair in PAIRS])


def publish(services: System, event: Event, after: timedelta) -> Any:
    place = services.publish(event.topic, wire(event), NOW + after)
    services.deliver()
    return place


def waiting(before: tuple[Event, ...], effect: Event) -> tuple[System, Any]:
    """The services while the effect waits, and its place."""
    services = agreement.system()
    for event in before:
        publish(services, event, -MOMENT)
    place = publish(services, effect, 0 * MOMENT)
    assert place not in services.answers()
    return services, place


@each_pair
def test_an_effect_before_its_cause_waits_and_shows_since_when(
    before: tuple[Event, ...], effect: Event, cause: Event, code: str
) -> None:
    services, place = waiting(before, effect)
    (hold,) = (h for s in services.services for holds in s.world.holds.values() for h in holds)
    held = sweep._held_answer(hold, "v1")
    assert (held.position, held.outcome, held.received, held.codes) == (place, "held", NOW, (code,))
    assert hold.deadline == NOW + HOLD
    assert isinstance(hold.event, Read)


@each_pair
def test_it_is_applied_when_its_cause_comes_up_to_the_limit(
    before: tuple[Event, ...], effect: Event, cause: Event, code: str
) -> None:
    services, place = waiting(before, effect)
    publish(services, cause, HOLD)
    assert services.answers()[place][0]["outcome"] == "accepted"


@each_pair
def test_it_is_refused_where_its_cause_comes_after_the_limit(
    before: tuple[Event, ...], effect: Event, cause: Event, code: str
) -> None:
    services, place = waiting(before, effect)
    publish(services, cause, HOLD + MOMENT)
    services.sweep(NOW + HOLD + MOMENT)
    (answer,) = services.answers()[place]
    assert [error["code"] for error in answer["errors"]] == [code]
    assert answer["retryable"]


def with_a_fault_repaired(patch: pytest.MonkeyPatch) -> str:
    """What a decision is answered whose submission stands behind a fault of ours until after the deadline."""
    services, place = waiting((REGISTERED,), decided(1, "2023-02-01"))
    judge = services.owners["assessment"].judge
    with patch.context() as broken:
        broken.setattr(judge, "decide", lambda *given: 1 / 0)
        publish(services, submitted(1, "2023-01-20"), MOMENT)
    assert services.owners["assessment"].world.queues
    services.sweep(NOW + 2 * HOLD)
    services.repair()
    services.settle()
    return str(services.answers()[place][0]["outcome"])


def test_what_waits_beside_a_queue_is_not_ended_before_the_queue_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_a_fault_repaired(monkeypatch) == "accepted"


def test_a_service_that_ends_it_beside_the_queue_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.a_hold_ends_beside_a_queue(monkeypatch)
    assert with_a_fault_repaired(monkeypatch) == "rejected"
