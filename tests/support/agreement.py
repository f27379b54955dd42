"""Runs a history through the services in memory and through the independent key, and compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Final

from senconet.demonstration import judge, model
from senconet.demonstration.reference import reference
from senconet.demonstration.wire import Event
from services.enrolment.judge import OWNERS
from shared.contract import Position
from shared.history import Fact, Name
from shared.owning import RESTORED, SET_ASIDE
from shared.reference import Reference, SettingPeriod
from tests.support import quiet
from tests.support.contents import SUBJECTS, Choose
from tests.support.histories import records_of
from tests.support.memory import HOLD, NOW, System, reference_of


def _varied(given: model.Reference) -> model.Reference:
    """The demonstration's reference data, with a cohort for each of the rules of completion."""
    rules = {
        "2023-march": {"completion_requires": "pass", "units": ["unit-1"], "max_attempts": 2},
        "2022-october": {"completion_requires": "none"},
    }
    return replace(given, cohorts=tuple({**body, **rules.get(body["cohort_code"], {})} for body in given.cohorts))


GIVEN: Final = _varied(reference([]))
MILLISECOND: Final = timedelta(milliseconds=1)


@cache
def _rules() -> tuple[Reference, Mapping[str, Sequence[SettingPeriod]]]:
    return reference_of(GIVEN)


def system(hold_for: timedelta = HOLD) -> System:
    """All deciding services, with reference data."""
    return System(*_rules(), hold_for)


@dataclass(frozen=True)
class Answered:
    """What came out: the final answer of each record, in the order of the history, and what is shown at the end."""

    answers: tuple[tuple[str, frozenset[str]], ...]
    states: Mapping[tuple[str, str], model.State]


def told(events: Sequence[Event]) -> Answered:
    """One record after another; owners read each request at once."""
    services, places = system(), []
    for number, (partner, record) in enumerate(records_of(events)):
        places.append(services.publish(partner, record, NOW + number * MILLISECOND))
        services.deliver()
    services.settle()
    return finals(services, places)


def told_at_random(events: Sequence[Event], choose: Choose) -> Answered:
    """In batches of any size; each owner reads whenever it comes to it, and some requests twice."""
    return run_at_random(events, choose)[1]


def run_at_random(events: Sequence[Event], choose: Choose) -> tuple[System, Answered]:
    """The same, with the services as they are at the end."""
    services, places = system(), list[Position]()
    for number, (partner, record) in enumerate(records_of(events)):
        places.append(services.append(partner, record, NOW + number * MILLISECOND))
    while services.unread:
        services.read(choose((1, 1, 2, 3, 5, 8)))
        for owner in OWNERS:
            services.deliver(choose((0, 0, 1, 2, 3, None)), owners=(owner,), twice=choose((False, True)))
    services.settle()
    return services, finals(services, places)


def finals(services: System, places: Sequence[Position]) -> Answered:
    """The one final answer of each record; a second one, or none, fails here, and so does what must hold at rest."""
    answers = services.answers()
    assert set(answers) == set(places)
    assert {len(found) for found in answers.values()} <= {1}
    quiet.assert_quiet(services)
    return Answered(tuple(map(short, (answers[place][0] for place in places))), services.states())


def short(body: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """Outcome and codes of a receipt."""
    return body["outcome"], frozenset(error["code"] for error in body["errors"])


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


def legal_together(services: System, events: Sequence[Event], told: Answered) -> bool:
    """Whether the key accepts all that stands in all services, told in order."""
    standing = standing_events(services, events, told)
    return all(outcome == "accepted" for outcome, _ in expected(standing).answers)


def standing_events(services: System, events: Sequence[Event], answers: Answered) -> list[Event]:
    """What stands in all services in the end, as a history that was told in order and without a mistake."""
    accepted = {
        (event.source, event.id): event
        for event, (outcome, _) in zip(events, answers.answers, strict=True)
        if outcome == "accepted"
    }
    return [_as_it_stands(services, accepted, subject, fact) for subject, fact in quiet.facts_that_stand(services)]


def _as_it_stands(services: System, accepted: Mapping[Name, Event], subject: str, fact: Fact) -> Event:
    told = accepted[fact.name]
    owner = services.owners.get(fact.kind.owner, services.enrolment)
    by = owner.world.ledgers[subject].history.replacing(fact.name)
    if by is None:
        return told
    data = dict(accepted[by.name].data["replacement"])
    if "replacement_time" in by.data:
        return replace(told, data=data, time=datetime.fromisoformat(by.data["replacement_time"]))
    data.pop("time_precision", None)
    return replace(told, data=data | {k: told.data[k] for k in ("time_precision",) if k in told.data})


def shares(histories: Sequence[Sequence[Event]]) -> dict[str, float]:
    """Of all records: what part goes which way, and by how many what was accepted is set aside and restored."""
    counts: Counter[str] = Counter()
    for events in histories:
        services, key = system(), key_of(events)
        for partner, record in records_of(events):
            services.publish(partner, record)
            services.deliver()
        for event, answer in zip(events, answers_of(key, events), strict=True):
            counts["all"] += 1
            counts["rejected"] += answer.outcome == "rejected"
            counts["held"] += answer.waits
            if answer.outcome == "accepted":
                counts[event.fact.split(".")[-1]] += 1
        counts.update(name for name, *_ in quiet.notices(services))
    wanted = ("rejected", "held", "voided", "superseded", "accepted", "completed", SET_ASIDE, RESTORED)
    return {name: counts[name] / counts["all"] for name in wanted}


def alone_and_among_others(events: Sequence[Event], partner: str) -> tuple[list[object], list[object]]:
    """The answers to what a partner sends of its own trainees: with its topic alone, and with all topics."""
    own = [event for event in events if event.topic == partner]
    return _of_own_trainees(own, partner), _of_own_trainees(events, partner)


def _of_own_trainees(events: Sequence[Event], partner: str) -> list[object]:
    answers = zip(events, told(events).answers, strict=True)
    return [answer for event, answer in answers if event.topic == SUBJECTS[event.subject] == partner]
