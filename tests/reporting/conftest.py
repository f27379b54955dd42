"""Reporting's database, migrated once and emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.local.engines import Engines
from senconet.migrate import migrate
from services.reporting.tables import TABLES
from shared.database import make_engine, transaction


@pytest.fixture(scope="session")
def migrated(engines: Engines) -> str:
    """The address of a migrated database of reporting, for all tests."""
    url = engines.fresh_databases("_of_reporting")["reporting"]
    migrate("reporting", url)
    return url


@pytest.fixture
async def engine(migrated: str) -> AsyncIterator[AsyncEngine]:
    """The engine of that database, with nothing in it."""
    engine = make_engine(migrated)
    async with transaction(engine) as tx:
        await tx.execute(text(f"TRUNCATE {', '.join(str(model.__tablename__) for model in TABLES)}"))
    yield engine
    await engine.dispose()
