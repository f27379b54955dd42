"""Data sets and keys shared by the tests: a small one, and a larger one. The full one is for the demonstration."""

from __future__ import annotations

from random import Random

import pytest

from senconet.demonstration.calibration import Person, plan
from senconet.demonstration.dataset import build
from senconet.demonstration.judge import judge
from senconet.demonstration.model import Dataset, Key
from senconet.demonstration.settings import settle
from tests.demonstration.stories import LARGER, RECEIVED

SEED = 2022


def _make(scale: float) -> tuple[Dataset, Key]:
    dataset = build(SEED, scale)
    return dataset, judge(dataset.reference, dataset.phases, received=RECEIVED)


def _people(scale: float) -> list[Person]:
    rng = Random(SEED)
    people = plan(rng, scale)
    settle(rng, people)
    return people


@pytest.fixture(scope="session")
def small() -> tuple[Dataset, Key]:
    """A few hundred registrations."""
    return _make(0.05)


@pytest.fixture(scope="session")
def larger() -> tuple[Dataset, Key]:
    """About seven hundred registrations."""
    return _make(LARGER)


@pytest.fixture(scope="session")
def planned() -> list[Person]:
    """What the larger data set is made from."""
    return _people(LARGER)


@pytest.fixture(scope="session")
def all_planned() -> list[Person]:
    """What the full data set is made from."""
    return _people(1.0)
