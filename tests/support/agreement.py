"""Runs a history through the services in memory and through the independent key, and compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any, Final

from senconet.demonstration import judge, model
from senconet.demonstration.reference import reference
from senconet.demonstration.wire import Event, wire
from services.assessment import domain as assessment_rules
from shared.contract import Position
from shared.reference import Reference, SettingPeriod
from tests.support.histories import SUBJECTS, Choose, records_of
from tests.support.memory import NOW, System, reference_of

GIVEN: Final = reference([])
SECOND: Final = timedelta(microseconds=1000)


@cache
def _rules() -> tuple[Reference, Mapping[str, Sequence[SettingPeriod]]]:
    return reference_of(GIVEN)


def system() -> System:
    """Both services, with the demonstration's reference data."""
    return System(*_rules())


@dataclass(frozen=True)
class Answered:
    """What came out: the final answer of each record, in the order of the history, and what is shown at the end."""

    answers: tuple[tuple[str, frozenset[str]], ...]
    states: Mapping[str, model.State]


def told(events: Sequence[Event]) -> Answered:
    """One record after another; assessment reads each request at once."""
    services, places = system(), []
    for number, (partner, record) in enumerate(records_of(events)):
        places.append(services.publish(partner, record, NOW + number * SECOND))
        services.deliver()
    services.settle()
    return finals(services, places)


def told_at_random(events: Sequence[Event], choose: Choose) -> Answered:
    """In batches of any size; assessment reads whenever it comes to it, and some requests twice."""
    services, places, left = system(), list[Position](), [*enumerate(records_of(events))]
    while left:
        size = choose((1, 1, 2, 3, 5, 8))
        batch = [(partner, record, NOW + number * SECOND) for number, (partner, record) in left[:size]]
        left = left[size:]
        places += services.publish_batch(batch)
        services.deliver(choose((0, 0, 1, 2, 3, None)), twice=choose((False, True)))
    services.settle()
    return finals(services, places)


def finals(services: System, places: Sequence[Position]) -> Answered:
    """The one final answer of each record; a second one, or none, fails here."""
    answers = services.answers()
    assert set(answers) == set(places)
    assert {len(found) for found in answers.values()} <= {1}
    assert_quiet(services)
    return Answered(tuple(map(_short, (answers[place][0] for place in places))), services.states())


def _short(body: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    return body["outcome"], frozenset(error["code"] for error in body["errors"])


def assert_quiet(services: System) -> None:
    """Nothing waits; every copy of a status is enrolment's, and a completion stands only where that admits it."""
    for world in (services.enrolment.world, services.assessment.world):
        assert not any(world.holds.values())
        assert not world.queues
    for registration, ledger in services.enrolment.world.ledgers.items():
        assert services.assessment.world.ledgers[registration].status == ledger.status


def key_of(events: Sequence[Event]) -> model.Key:
    """The independent key: one record a phase, for exactly this order."""
    phases = [{partner: (record,)} for partner, record in records_of(events)]
    return judge.judge(GIVEN, phases, received=NOW)


def answers_of(key: model.Key, events: Sequence[Event]) -> tuple[model.Answer, ...]:
    """The key's answers in the order of the history."""
    offsets = {partner: count() for partner in key.answers}
    return tuple(key.answers[event.topic][next(offsets[event.topic])] for event in events)


def expected(events: Sequence[Event]) -> Answered:
    """What the key says."""
    key = key_of(events)
    return Answered(tuple((a.outcome, a.codes) for a in answers_of(key, events)), key.states)


def shares(histories: Sequence[Sequence[Event]]) -> dict[str, float]:
    """Of all records: which part is rejected, which is held, and which part is a void that takes something back."""
    counts: Counter[str] = Counter()
    for events in histories:
        for event, answer in zip(events, answers_of(key_of(events), events), strict=True):
            counts["all"] += 1
            counts["rejected"] += answer.outcome == "rejected"
            counts["held"] += answer.waits
            counts["voided"] += answer.outcome == "accepted" and event.fact.endswith(".voided")
    return {name: counts[name] / counts["all"] for name in ("rejected", "held", "voided")}


Course = tuple[object, ...]
"""All that stands of a registration: its periods, and the completion."""


def courses(services: System) -> dict[str, Course]:
    """The course of each registration, from its first moment to its last."""
    found: dict[str, Course] = {}
    for registration, ledger in services.enrolment.world.ledgers.items():
        periods = ledger.status.periods if ledger.status else ()
        owner = services.assessment.world.ledgers[registration]
        completed = [fact.moment for fact in assessment_rules.standing(owner.history, owner.status).facts]
        found[registration] = (*((p.moment, p.state, p.cohort, p.partner) for p in periods), completed)
    return found


def sent_in_order(events: Sequence[Event]) -> dict[str, Course]:
    """The courses of events sent and answered one after another."""
    services = system()
    for number, (partner, record) in enumerate(records_of(events)):
        services.publish(partner, record, NOW + number * SECOND)
    services.settle()
    return courses(services)


def sent_until_quiet(events: Sequence[Event], choose: Choose) -> dict[str, Course]:
    """The courses after every retryable rejection was sent again, until nothing more is accepted."""
    services, left, sent = system(), list(events), 0
    while left:
        places = {}
        for event in left:
            places[services.publish(event.topic, wire(event), NOW + sent * SECOND)] = event
            sent += 1
            services.deliver(choose((0, 1, None)))
            if choose(range(8)) == 0:
                services.settle()
        services.settle()
        answers = {place: found[0] for place, found in services.answers().items() if place in places}
        again = [event for place, event in places.items() if answers[place]["retryable"]]
        left = again if len(again) < len(left) else []
    return courses(services)


def alone_and_among_others(events: Sequence[Event], partner: str) -> tuple[list[object], list[object]]:
    """The answers to what a partner sends of its own trainees: with its topic alone, and with all topics."""
    own = [event for event in events if event.topic == partner]
    return _of_own_trainees(own, partner), _of_own_trainees(events, partner)


def _of_own_trainees(events: Sequence[Event], partner: str) -> list[object]:
    answers = zip(events, told(events).answers, strict=True)
    return [answer for event, answer in answers if event.topic == SUBJECTS[event.subject] == partner]
