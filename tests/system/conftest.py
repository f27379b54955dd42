"""One running system for all tests of this folder: starting it costs more than any of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from senconet.local.home import Home
from tests.system.support import Stage


@pytest.fixture(scope="package")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The system; nothing of it runs on at the end."""
    stage = Stage(Home(tmp_path_factory.mktemp("system")))
    with stage.local:
        stage.open()
        yield stage
        stage.close()
    assert not stage.local.running()


@pytest.fixture
def stage(opened: Stage) -> Stage:
    """The system with all services running as usual."""
    opened.serve_all()
    return opened
