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


def comes_about_in_any_order(events: Sequence[Event]) -> bool:
    """Whether a life is none of the two exceptions (design 3, statement 5).

    Two late events that are legal only together cannot come about one at a time: then some legal part of the life
    can take none of what it lacks. And a completion that was voided and told again under another id is refused for
    good where the second comes first.
    """
    completions = [event for event in events if event.fact == "completed"]
    enrolments = [event for event in events if not event.fact.startswith("completed")]
    return len(completions) < 2 and not _stuck(enrolments)


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
    """Whether what stands is legal, and each void finds its target."""
    ids = {event.id for event in part}
    found = all(event.data["target_id"] in ids for event in part if _is_void(event))
    return found and holds_together(RULES, sorted(map(_fact, _standing(part)), key=lambda fact: fact.place))


def _standing(events: Sequence[Event]) -> list[Event]:
    gone = {event.data["target_id"] for event in events if _is_void(event)}
    kept = (event for event in events if event.id not in gone and not _is_void(event))
    return sorted(kept, key=lambda event: event.time)


def _is_void(event: Event) -> bool:
    return event.fact.endswith(".voided")


def _fact(event: Event) -> Fact:
    at = moment(event.fact, event.time, event.data)
    return Fact(event.fact, event.source, event.id, event.time, at, 0, event.data)


def random_life(seed: int, *, voids: bool) -> list[Event]:
    """The life of a seed: the same for ever."""
    return life(Random(seed).choice, voids=voids)
