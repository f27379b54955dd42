"""No byte of one partner in anything that another can read, whatever they send about each other's trainees."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import agreement, marks, mutants
from tests.support.histories import Author, random_history
from tests.support.mutants import Mutant

SEEDS = range(250)
MORE_SEEDS = range(2500)


def leaky(seeds: range) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """The seeds after whose histories a partner can read of another, and what."""
    for seed in seeds:
        events = marks.marked(random_history(seed))
        services, _ = agreement.run_at_random(events, Random(seed).choice)
        if found := marks.leaks(services, events):
            yield seed, found


def test_no_partner_reads_of_another() -> None:
    assert [*leaky(SEEDS)] == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_partner_reads_of_another_whatever_is_sent(data: st.DataObject) -> None:
    events = marks.marked(Author(lambda options: data.draw(st.sampled_from(list(options)))).write(10))
    services, _ = agreement.run_at_random(events, Random(0).choice)
    assert marks.leaks(services, events) == []


def test_each_partner_reads_of_itself() -> None:
    """Else the marks could not be found where they are."""
    events = marks.marked(random_history(0))
    services, _ = agreement.run_at_random(events, Random(0).choice)
    sender = events[0].topic
    assert marks.MARKS[sender] in marks.readable(services, sender)


@pytest.mark.parametrize("leak", mutants.LEAKS, ids=lambda leak: leak.__name__)
def test_a_leak_is_found(leak: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    leak(monkeypatch)
    assert next(leaky(MORE_SEEDS), None) is not None
