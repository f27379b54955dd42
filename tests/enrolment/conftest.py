"""The door on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from senconet.migrate import migrate
from services.enrolment.app import deciding
from shared.pipeline import Deciding
from shared.settings import Settings


@pytest.fixture
def address(fresh_databases: Callable[[], Mapping[str, str]]) -> str:
    """Enrolment's database with its tables."""
    url = fresh_databases()["enrolment"]
    migrate("enrolment", url)
    return url


@pytest.fixture
async def door(address: str) -> AsyncIterator[Deciding]:
    """Enrolment, where a record waits for a minute."""
    settings = Settings(
        kafka_bootstrap="none",
        kafka_username="none",
        kafka_password="none",
        database_url=address,
        http_port=1,
        hold_seconds=60,
    )
    service = deciding(settings)
    yield service
    await service.engine.dispose()
