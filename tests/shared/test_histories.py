"""Random histories, legal and conflicting: every answer is the independent key's, whatever the lag and the batches."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.support import agreement, mutants
from tests.support.agreement import Answered
from tests.support.contents import OURS, SUBJECTS, THEIRS, Choose
from tests.support.histories import Author, random_history
from tests.support.mutants import Mutant

SEEDS = range(400)
FLOORS = {
    **{"rejected": 0.2, "held": 0.1, "voided": 0.03, "superseded": 0.03},
    **{"accepted": 0.01, "completed": 0.002, "fact_set_aside": 0.01, "fact_restored": 0.001},
}
"""Of all records; `accepted` are accepted transfers."""

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drawn(data: st.DataObject) -> Choose:
    """Choices that hypothesis makes, and makes smaller."""
    return lambda options: data.draw(st.sampled_from(list(options)))


@relaxed
@given(st.data())
def test_every_answer_and_state_is_the_keys(data: st.DataObject) -> None:
    choose = drawn(data)
    events = Author(choose).write(choose(range(2, 12)))
    assert agreement.told(events) == agreement.expected(events)


@relaxed
@given(st.data())
def test_answers_depend_neither_on_batches_nor_on_when_owners_read(data: st.DataObject) -> None:
    choose = drawn(data)
    events = Author(choose).write(choose(range(2, 10)))
    assert agreement.told_at_random(events, choose) == agreement.expected(events)


@relaxed
@given(st.integers(0, 100_000), st.randoms(use_true_random=False))
def test_the_records_of_a_history_in_any_order_are_answered_as_by_the_key(seed: int, random: Random) -> None:
    events = random_history(seed)
    random.shuffle(events)
    assert agreement.told_at_random(events, Random(seed).choice) == agreement.expected(events)


@pytest.fixture(scope="module")
def keys() -> dict[int, Answered]:
    """What the key says of the fixed sample."""
    return {seed: agreement.expected(random_history(seed)) for seed in SEEDS}


def disagrees(seed: int, key: Answered) -> bool:
    """Whether a history told at random is answered otherwise than by the key, or something does not hold at rest."""
    events = random_history(seed)
    try:
        services, told = agreement.run_at_random(events, Random(seed).choice)
    except AssertionError:
        return True
    return told != key or not agreement.legal_together(services, events, told)


def test_a_fixed_sample_agrees_in_answers_and_states_and_what_stands_is_legal_together(
    keys: dict[int, Answered],
) -> None:
    assert [seed for seed in SEEDS if disagrees(seed, keys[seed])] == []


def test_the_sample_holds_enough_of_what_goes_wrong_and_right() -> None:
    shares = agreement.shares([random_history(seed) for seed in SEEDS[:200]])
    assert {name: share for name, share in shares.items() if share < FLOORS[name]} == {}, shares


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_wrong_service_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch, keys: dict[int, Answered]) -> None:
    mutant(monkeypatch)
    assert any(disagrees(seed, keys[seed]) for seed in SEEDS)


def own_events(seed: int) -> list[Event]:
    """A history without the lead and transfers, and in which nobody registers another's trainee."""
    kept = (event for event in random_history(seed) if event.topic != LEAD and not event.fact.startswith("transfer"))
    return [event for event in kept if event.fact != "registered" or event.topic == SUBJECTS[event.subject]]


def compare_topics(seeds: range) -> int:
    """How many answers were compared; fails where another's topic shows in them."""
    compared = 0
    for seed in seeds:
        for partner in (OURS, THEIRS):
            alone, among_others = agreement.alone_and_among_others(own_events(seed), partner)
            assert alone == among_others, f"seed {seed}"
            compared += len(alone)
    return compared


def test_what_a_partner_is_answered_of_its_own_trainees_follows_from_its_topic_alone() -> None:
    assert compare_topics(SEEDS[:150]) > 1000


def test_a_service_that_lets_others_at_a_trainee_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.anybody_may_tell(monkeypatch)
    with pytest.raises(AssertionError, match="seed"):
        compare_topics(SEEDS[:150])
