"""A service that stands still: nobody rejects or holds for it, and the answers are those of an undisturbed run."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from senconet.demonstration.wire import Event
from services.enrolment.judge import OWNERS
from shared.contract import Position
from tests.support import agreement, mutants
from tests.support.agreement import MILLISECOND, Answered, short
from tests.support.histories import random_history, records_of
from tests.support.memory import HOLD, NOW, System

SEEDS = range(100)
MENTORING = ("session.", "mentor.", "mentoring.")
WITHOUT_MENTORING = tuple(owner for owner in OWNERS if owner != "mentoring")


def sent(services: System, events: list[Event]) -> list[Position]:
    """The places of events at their partners' topics, which the door has yet to read."""
    records = enumerate(records_of(events))
    return [services.append(partner, record, NOW + n * MILLISECOND) for n, (partner, record) in records]


@pytest.mark.parametrize("seed", SEEDS[:60])
def test_with_mentoring_stopped_enrolment_and_assessment_go_on_as_if_nothing_were(seed: int) -> None:
    events, services, choose = random_history(seed), agreement.system(), Random(seed).choice
    undisturbed = agreement.told(events)
    places = sent(services, events)
    while services.unread:
        services.read(choose((1, 3, 8)))
        services.deliver(choose((0, 2, None)), owners=WITHOUT_MENTORING)
    services.deliver(owners=WITHOUT_MENTORING)
    services.sweep(NOW + 2 * HOLD, owners=WITHOUT_MENTORING)
    answers = services.answers()
    for event, place, answer in zip(events, places, undisturbed.answers, strict=True):
        if not event.fact.startswith(MENTORING):
            assert short(answers[place][0]) == answer
    assert services.owners["mentoring"].published == []
    services.settle()
    assert agreement.finals(services, places) == undisturbed


def with_enrolment_stopped(seed: int) -> Answered:
    """The door stands still in the midst, far beyond all deadlines; owners go on, and look at what waits."""
    events, services, choose = random_history(seed), agreement.system(), Random(seed).choice
    places = sent(services, events)
    services.read(choose(range(len(events) + 1)) or None)
    services.now += 3 * HOLD
    while any(services.requests.values()):
        services.deliver(choose((1, 2, 5)), owners=(choose(tuple(services.owners)),))
        for owner in services.owners.values():
            owner.end_holds(until=services.read_until)
    services.sweep(services.read_until)
    services.settle()
    return agreement.finals(services, places)


def disturbed() -> Iterator[int]:
    """The seeds in which it shows that enrolment stood still."""
    return (seed for seed in SEEDS if with_enrolment_stopped(seed) != agreement.told(random_history(seed)))


def test_with_enrolment_stopped_nobody_rejects_or_holds_for_it() -> None:
    assert [*disturbed()] == []


def test_a_service_that_ends_what_waits_by_the_clock_on_the_wall_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.a_hold_ends_by_the_clock_on_the_wall(monkeypatch)
    assert next(disturbed(), None) is not None
