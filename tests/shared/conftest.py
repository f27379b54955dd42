"""What the tests of shared code need of engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.migrate import migrate
from shared.database import make_engine


@pytest.fixture
async def engine(fresh_databases: Callable[[], Mapping[str, str]]) -> AsyncIterator[AsyncEngine]:
    """Enrolment's database, empty."""
    url = fresh_databases()["enrolment"]
    migrate("enrolment", url)
    made = make_engine(url)
    yield made
    await made.dispose()
