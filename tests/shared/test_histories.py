"""Random histories, legal and conflicting: every answer is the independent key's, whatever the lag and the batches."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.support import agreement, lives, mutants
from tests.support.histories import OURS, SUBJECTS, THEIRS, Author, Choose, random_history

SEEDS = range(250)
relaxed = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drawn(data: st.DataObject) -> Choose:
    """Choices that hypothesis makes, and makes smaller."""
    return lambda options: data.draw(st.sampled_from(list(options)))


@relaxed
@given(st.data())
def test_every_answer_and_state_is_the_keys(data: st.DataObject) -> None:
    choose = drawn(data)
    events = Author(choose).write(choose(range(1, 16)))
    assert agreement.told(events) == agreement.expected(events)


@relaxed
@given(st.data())
def test_answers_depend_neither_on_batches_nor_on_when_assessment_reads(data: st.DataObject) -> None:
    choose = drawn(data)
    events = Author(choose).write(choose(range(1, 12)))
    assert agreement.told_at_random(events, choose) == agreement.expected(events)


def disagreements(events: list[Event], choose: Choose) -> bool:
    """Whether a history told at random is answered otherwise than by the key, or not once each."""
    try:
        return agreement.told_at_random(events, choose) != agreement.expected(events)
    except AssertionError:
        return True


def test_a_fixed_sample_agrees_and_holds_enough_of_what_goes_wrong() -> None:
    histories = [random_history(seed) for seed in SEEDS]
    assert not [seed for seed in SEEDS if disagreements(histories[seed], Random(seed).choice)]
    shares = agreement.shares(histories)
    assert min(shares.values()) > 0.05, shares


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_wrong_service_is_found(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    assert any(disagreements(random_history(seed), Random(seed).choice) for seed in SEEDS)


def own_events(seed: int) -> list[Event]:
    """A history without the lead, and in which nobody registers another's trainee."""
    kept = (event for event in random_history(seed) if event.topic != LEAD)
    return [event for event in kept if event.fact != "registered" or event.topic == SUBJECTS[event.subject]]


def test_what_a_partner_is_answered_of_its_own_trainees_follows_from_its_topic_alone() -> None:
    compared = 0
    for seed in SEEDS:
        for partner in (OURS, THEIRS):
            alone, among_others = agreement.alone_and_among_others(own_events(seed), partner)
            assert alone == among_others, f"seed {seed}"
            compared += len(alone)
    assert compared > 1000


def test_a_service_that_lets_others_at_a_trainee_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.anybody_may_tell(monkeypatch)
    with pytest.raises(AssertionError, match="seed"):
        test_what_a_partner_is_answered_of_its_own_trainees_follows_from_its_topic_alone()


@pytest.mark.parametrize("seed", range(60))
def test_a_legal_life_sent_in_order_is_accepted_whole(seed: int) -> None:
    events = lives.random_life(seed, voids=seed % 2 == 0)
    answered = agreement.told_at_random(events, Random(seed).choice)
    assert {outcome for outcome, _ in answered.answers} == {"accepted"}


@relaxed
@given(st.data())
def test_a_legal_life_is_accepted_whole_whatever_the_lag(data: st.DataObject) -> None:
    choose = drawn(data)
    events = lives.life(choose, voids=choose((True, False)))
    assert {outcome for outcome, _ in agreement.told_at_random(events, choose).answers} == {"accepted"}


def test_a_life_sent_in_any_order_with_retries_ends_in_the_same_state() -> None:
    compared = 0
    for seed in range(200):
        events, random = lives.random_life(seed, voids=seed % 2 == 0), Random(seed)
        if not lives.comes_about_in_any_order(events):
            continue
        in_order = agreement.sent_in_order(events)
        random.shuffle(events)
        assert agreement.sent_until_quiet(events, random.choice) == in_order, f"seed {seed}"
        compared += 1
    assert compared > 100


def test_a_service_that_takes_no_late_event_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.late_events_are_refused(monkeypatch)
    with pytest.raises(AssertionError, match="seed"):
        test_a_life_sent_in_any_order_with_retries_ends_in_the_same_state()
