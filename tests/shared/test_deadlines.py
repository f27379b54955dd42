"""What waits ends at its deadline of received time: when a service gets round to ending it does not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from senconet.demonstration.wire import Event
from shared import sweep
from shared.judging import Hold
from tests.support import agreement
from tests.support.agreement import Answered
from tests.support.histories import random_history, records_of
from tests.support.memory import HOLD, NOW

SEEDS = range(100)
MORE_SEEDS = range(900)


def unique(event: Event) -> Event:
    """The event under an id of its registration's own: no id is used for two of them."""
    own = event.subject[0]
    target = {"target_id": event.data["target_id"] + own} if "target_id" in event.data else {}
    return replace(event, id=event.id + own, data=event.data | target)


def told_over_time(events: Sequence[Event], steps: Sequence[timedelta], *, ends_at_once: bool) -> Answered:
    """Records with times between them, some of which are just as long as a hold."""
    services, at, places = agreement.system(), NOW, []
    for (partner, record), step in zip(records_of(events), steps, strict=True):
        at += step
        places.append(services.publish(partner, record, at))
        services.deliver()
        if ends_at_once:
            services.sweep(at)
    services.settle()
    return agreement.finals(services, places)


def differing(seeds: range) -> Iterator[int]:
    """The seeds whose answers depend on when what waits is ended."""
    for seed in seeds:
        events, random = [unique(event) for event in random_history(seed)], Random(seed)
        steps = [random.choice((0, 0, 0, 1, 2)) * HOLD / 2 for _ in events]
        early, late = (told_over_time(events, steps, ends_at_once=at_once) for at_once in (True, False))
        if early != late:
            yield seed


def test_answers_do_not_depend_on_when_what_waits_is_ended() -> None:
    assert [*differing(SEEDS)] == []


def test_a_service_that_ends_what_waits_a_moment_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_early(holds: Iterable[Hold], until: datetime, blocked: frozenset[tuple[str, str]]) -> list[Hold]:
        return [hold for hold in holds if hold.deadline <= until]

    monkeypatch.setattr(sweep, "_over", too_early)
    assert next(differing(MORE_SEEDS), None) is not None
