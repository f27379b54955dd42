"""Legal lives of one registration: each event may follow on those before it, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from random import Random
from typing import Final

from senconet.demonstration.judge_history import Fact, holds_together, moment
from senconet.demonstration.judge_rules import rules_of
from senconet.demonstration.wire import Event
from tests.support.agreement import GIVEN
from tests.support.histories import OURS, REASONS, Choose, placed, registration

SUBJECT: Final = "11111111-1111-4111-8111-111111111111"
BEGINS: Final = date(2023, 1, 3)
NEXT: Final = {
    "registered": ("deferred", "withdrew", "completed"),
    "deferred": ("resumed", "withdrew"),
    "withdrawn": ("resumed",),
}
BECOMES: Final = {"deferred": "deferred", "resumed": "registered", "withdrew": "withdrawn"}
RULES: Final = rules_of(GIVEN)


def life(choose: Choose, *, voids: bool) -> list[Event]:
    """A life of up to seven facts, told in order; with `voids`, some are taken back at once."""
    events = [_event(choose, "registered", 0, registration(SUBJECT))]
    state, completed = "registered", False
    for number in range(1, choose(range(2, 8))):
        fact = choose([fact for fact in NEXT[state] if not (completed and fact == "completed")] or ["withdrew"])
        event = _event(choose, fact, number, _data(choose, fact))
        if voids and choose((True, False, False)):
            events += [event, _void(event, choose)]
            continue
        events.append(event)
        completed = completed or fact == "completed"
        state = BECOMES.get(fact, state)
    return events


def _data(choose: Choose, fact: str) -> dict[str, str]:
    match fact:
        case "withdrew":
            return {"reason": choose(REASONS[fact][:3]), "trigger": "trainee"}
        case "deferred":
            return {"reason": choose(REASONS[fact])}
    return {}


def _event(choose: Choose, fact: str, number: int, data: dict[str, str]) -> Event:
    """One fact a fortnight, so that each return is in time."""
    at, more = placed(BEGINS + timedelta(days=14 * number), choose(("day", "first", "ten", "last")))
    return Event(OURS, SUBJECT, fact, at, {**data, **more}, f"{fact}-{number}", fact, style=choose(range(40)))


def _void(event: Event, choose: Choose) -> Event:
    data = {"target_id": event.id, "cause": "entered_in_error"}
    topic = choose((OURS, OURS, "lead"))
    if topic == "lead":
        data["target_source"] = event.source
    at = event.time + timedelta(days=1)
    return replace(event, topic=topic, fact=f"{event.fact}.voided", time=at, data=data, id=f"void-{event.id}")


def stands(events: Sequence[Event]) -> list[Event]:
    """A life without what was taken back."""
    gone = {event.data["target_id"] for event in events if event.fact.endswith(".voided")}
    return [event for event in events if event.id not in gone and not event.fact.endswith(".voided")]


def takes_one_by_one(events: Sequence[Event]) -> bool:
    """Whether no part of a life is stuck: whatever is legal of it can take one of what it lacks.

    Else two late events are legal only together, and to answer one at a time cannot bring the whole about.
    """
    facts = [_fact(number, event) for number, event in enumerate(events) if event.fact != "completed"]
    parts = (set(part) for size in range(1, len(facts)) for part in combinations(range(len(facts)), size))
    return all(_grows(facts, part) for part in parts if 0 in part and _legal(facts, part))


def _grows(facts: Sequence[Fact], part: set[int]) -> bool:
    return any(_legal(facts, part | {number}) for number in range(len(facts)) if number not in part)


def _legal(facts: Sequence[Fact], part: set[int]) -> bool:
    return holds_together(RULES, sorted((facts[number] for number in part), key=lambda fact: fact.place))


def _fact(number: int, event: Event) -> Fact:
    at = moment(event.fact, event.time, event.data)
    return Fact(event.fact, event.source, event.id, event.time, at, number, event.data)


def random_life(seed: int, *, voids: bool) -> list[Event]:
    """The life of a seed: the same for ever."""
    return life(Random(seed).choice, voids=voids)


