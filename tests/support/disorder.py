"""Which lives come about in any order, and what they come to (design 3, statement 5)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Final

from senconet.demonstration.judge_history import Fact, History, holds_together, moment
from senconet.demonstration.judge_rules import rules_of
from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event, type_of, wire
from shared.events.catalogue import BY_WIRE
from tests.support import quiet
from tests.support.agreement import GIVEN, MILLISECOND, system
from tests.support.contents import Choose
from tests.support.histories import records_of
from tests.support.memory import NOW, System

RULES: Final = rules_of(GIVEN)
ENROLMENT: Final = ("registered", "deferred", "resumed", "withdrew", "transfer.")
ANSWERS: Final = ("transfer.accepted", "transfer.declined", "transfer.cancelled")
MOST: Final = 9
"""Events of enrolment in a life of which all parts are looked at."""


def comes_about_in_any_order(events: Sequence[Event]) -> bool:
    """Whether a life is none of the two exceptions.

    Two late events that are legal only together cannot come about one at a time: then some legal part of the life
    can take none of what it lacks. And a fact that was voided and told again under another id is refused for good
    where the second comes first.
    """
    enrolments = [event for event in events if event.fact.startswith(ENROLMENT)]
    return not _told_again(events) and len(enrolments) <= MOST and not _stuck(enrolments)


def _told_again(events: Sequence[Event]) -> bool:
    keys: Counter[tuple[object, ...]] = Counter()
    for event in events:
        once_by = BY_WIRE[type_of(event.fact)].once_by
        if once_by is not None:
            keys[event.fact, *(event.data[name] for name in once_by)] += 1
    return any(count > 1 for count in keys.values())


def _stuck(events: Sequence[Event]) -> bool:
    parts = (part for size in range(1, len(events)) for part in combinations(events, size))
    whole = _standing(events)
    return any(
        part[0] is events[0] and _legal(part) and _standing(part) != whole and not _grows(part, events)
        for part in parts
    )


def _grows(part: Sequence[Event], events: Sequence[Event]) -> bool:
    return any(_legal((*part, event)) for event in events if event not in part)


def _legal(part: Sequence[Event]) -> bool:
    """Whether what stands is legal and its senders', and each correction finds its target."""
    ids = {event.id for event in part}
    if not all(event.data["target_id"] in ids for event in part if "target_id" in event.data):
        return False
    facts = sorted(map(_fact, _standing(part)), key=lambda fact: fact.place)
    history = History(RULES, facts)
    rightful = all(f.name in ANSWERS or history.owner_at(f.place) == f.partner or f.partner == LEAD for f in facts)
    return rightful and holds_together(RULES, facts)


def _standing(events: Sequence[Event]) -> list[Event]:
    gone = {event.data["target_id"] for event in events if event.fact.endswith(".voided")}
    kept = (event for event in events if event.id not in gone and "target_id" not in event.data)
    return sorted(kept, key=lambda event: event.time)


def _fact(event: Event) -> Fact:
    at = moment(event.fact, event.time, event.data)
    return Fact(event.fact, event.source, event.id, event.time, at, 0, event.data)


Course = tuple[object, ...]
"""All that stands of a registration: its periods, and the facts of each owner."""


def courses(services: System) -> dict[str, Course]:
    """The course of each registration, from its first moment to its last."""
    found: dict[str, Course] = {}
    for registration, ledger in services.enrolment.world.ledgers.items():
        periods = ledger.status.periods if ledger.status else ()
        owned = [
            (fact.kind.name, fact.id, fact.moment, json.dumps(fact.data, sort_keys=True))
            for owner in services.owners.values()
            for fact in quiet.standing(owner, owner.world.ledgers[registration]).facts
        ]
        found[registration] = (*((p.moment, p.state, p.cohort, p.partner) for p in periods), *owned)
    return found


def sent_in_order(events: Sequence[Event]) -> dict[str, Course]:
    """The courses of events sent and answered one after another."""
    services = system()
    for number, (partner, record) in enumerate(records_of(events)):
        services.publish(partner, record, NOW + number * MILLISECOND)
    services.settle()
    return courses(services)


def sent_until_quiet(events: Sequence[Event], choose: Choose) -> dict[str, Course]:
    """The courses after every retryable rejection was sent again, until nothing more is accepted."""
    services, left, sent = system(), list(events), 0
    while left:
        places = {}
        for event in left:
            places[services.publish(event.topic, wire(event), NOW + sent * MILLISECOND)] = event
            sent += 1
            each = ((owner,) for owner in services.owners)
            services.deliver(choose((0, 1, None)), owners=choose((*each, services.owners)))
            if choose(range(16)) == 0:
                services.settle()
        services.settle()
        answers = {place: found[0] for place, found in services.answers().items() if place in places}
        again = [event for place, event in places.items() if answers[place]["retryable"]]
        left = again if len(again) < len(left) else []
    return courses(services)
