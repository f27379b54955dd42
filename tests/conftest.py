"""What all tests share: one Kafka and one PostgreSQL, started when the first test asks for them.

They are containers where an engine of containers answers, and programs of this machine otherwise.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from senconet.local.engines import Engines
from senconet.local.home import Home
from tests.support.containers import docker_answers, engines_in_containers

_fresh = itertools.count(1)


def pytest_sessionstart() -> None:
    """A run that is told to end stops its engines first, as one that is interrupted does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Both engines of a home of their own, provisioned; nothing of them is left running at the end."""
    home = Home(tmp_path_factory.mktemp("home"))
    if not docker_answers():
        with _provisioned(home, {}) as started:
            yield started
        return
    with (
        engines_in_containers(home.secrets(), home.system().cluster_id) as environment,
        _provisioned(home, environment) as started,
    ):
        yield started


@pytest.fixture(scope="session")
def local_engines(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """The same as programs of this machine, for tests of those programs."""
    if engines.processes:
        yield engines
        return
    with _provisioned(Home(tmp_path_factory.mktemp("local")), {}) as started:
        yield started


@contextmanager
def _provisioned(home: Home, environment: Mapping[str, str]) -> Iterator[Engines]:
    started = Engines(home, environment)
    try:
        started.start()
        started.provision()
        yield started
    finally:
        started.stop()
        assert not started.processes


@pytest.fixture
def fresh_databases(engines: Engines) -> Callable[[], Mapping[str, str]]:
    """Makes a set of empty databases, one a service, and returns their addresses."""
    return lambda: engines.fresh_databases(f"_{next(_fresh)}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")
