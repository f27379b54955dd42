"""Data sets and keys shared by the tests: a small one, and the full one once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from senconet.demonstration.dataset import build
from senconet.demonstration.judge import judge
from senconet.demonstration.model import Dataset, Key

RECEIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _make(scale: float) -> tuple[Dataset, Key]:
    dataset = build(scale=scale)
    return dataset, judge(dataset.reference, dataset.phases, received=RECEIVED)


@pytest.fixture(scope="session")
def small() -> tuple[Dataset, Key]:
    """A few hundred registrations."""
    return _make(0.05)


@pytest.fixture(scope="session")
def full() -> tuple[Dataset, Key]:
    """The calibrated data set."""
    return _make(1.0)
