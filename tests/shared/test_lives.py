"""Legal lives, moves to other partners among them: accepted whole in order, and the same in any order with retries."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senconet.demonstration.wire import Event
from shared.contract import Position
from tests.support import agreement, disorder, lives, mutants
from tests.support.agreement import MILLISECOND
from tests.support.contents import Choose
from tests.support.disorder import Course
from tests.support.histories import records_of
from tests.support.memory import NOW

SHORT = 9
"""Steps of a life all of whose parts are looked at."""

WINDOW = 50
PERMUTATIONS = 100


def outcomes_in_turns(events: list[Event], choose: Choose) -> set[str]:
    """The outcomes where each partner sends what follows another's records once those are answered."""
    services, places, sent = agreement.system(), list[Position](), 0
    for turn in lives.turns(events):
        for partner, record in records_of(turn):
            places.append(services.append(partner, record, NOW + sent * MILLISECOND))
            sent += 1
        while services.unread or any(services.requests.values()):
            services.read(choose((1, 2, 5)))
            services.deliver(choose((0, 1, 3)), owners=(choose(tuple(services.owners)),), twice=choose((True, False)))
        assert set(places) == set(services.answers())
    return {outcome for outcome, _ in agreement.finals(services, places).answers}


@pytest.mark.parametrize("seed", range(100))
def test_a_legal_life_is_accepted_whole_over_transfers_whose_partners_wait_for_each_others_answers(seed: int) -> None:
    events = lives.random_life(seed, corrected=seed % 2 == 0)
    assert outcomes_in_turns(events, Random(seed).choice) == {"accepted"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_legal_life_is_accepted_whole_whatever_the_lag(data: st.DataObject) -> None:
    choose: Choose = lambda options: data.draw(st.sampled_from(list(options)))  # noqa: E731
    events = lives.life(choose, corrected=choose((True, False)), steps=12)
    assert {outcome for outcome, _ in agreement.told_at_random(events, choose).answers} == {"accepted"}


def test_legal_lives_hold_enough_of_all_that_may_happen() -> None:
    facts = [event.fact for seed in range(150) for event in lives.random_life(seed, corrected=seed % 2 == 0)]
    for name in ("completed", "transfer.accepted", "transfer.declined", "assessment.decided", "withdrew", "resumed"):
        assert facts.count(name) > 15, name
    assert sum(fact.endswith(".superseded") for fact in facts) > 50


def compare_orders() -> int:
    """How many lives came out the same in another order; fails where one did not."""
    compared = 0
    for seed in range(200):
        events, random = lives.random_life(seed, corrected=seed % 2 == 0, steps=SHORT), Random(seed)
        if not disorder.comes_about_in_any_order(events):
            continue
        in_order = disorder.sent_in_order(events)
        random.shuffle(events)
        assert disorder.sent_until_quiet(events, random.choice) == in_order, f"seed {seed}"
        compared += 1
    return compared


def test_a_life_sent_in_any_order_with_retries_ends_in_the_same_state() -> None:
    assert compare_orders() > 100


def test_a_service_that_takes_no_late_event_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.late_events_are_refused(monkeypatch)
    with pytest.raises(AssertionError, match="seed"):
        compare_orders()


def a_stream() -> list[Event]:
    """Lives of some registrations, told side by side."""
    told: list[Event] = []
    for number in range(100):
        subject = f"{number:08}-1111-4111-8111-111111111111"
        events = lives.random_life(number, corrected=number % 2 == 0, steps=SHORT, subject=subject)
        if disorder.comes_about_in_any_order(events):
            told += events
        if len(told) > 2 * WINDOW:
            break
    return sorted(told, key=lambda event: event.time)


def out_of_order(events: list[Event], random: Random) -> list[Event]:
    """The same events, shuffled within windows."""
    windows = [events[start : start + WINDOW] for start in range(0, len(events), WINDOW)]
    return [event for window in windows for event in random.sample(window, len(window))]


def test_f35_out_of_order_within_windows_of_50_records_the_end_state_is_the_same() -> None:
    events = a_stream()
    in_order: dict[str, Course] = disorder.sent_in_order(events)
    ends = (
        disorder.sent_until_quiet(out_of_order(events, Random(seed)), Random(seed).choice)
        for seed in range(PERMUTATIONS)
    )
    assert [seed for seed, end in enumerate(ends) if end != in_order] == []
