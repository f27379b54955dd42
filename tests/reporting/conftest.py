"""Reporting's database, migrated once and emptied for each test, and its server with two partners' trainees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from senconet.local.engines import Engines
from senconet.migrate import migrate
from services.reporting.access import add_partner, issue_token
from services.reporting.projector import project
from services.reporting.receipts import keep
from services.reporting.tables import TABLES
from shared.database import make_engine, transaction
from tests.reporting import told
from tests.reporting.serving import ASHDOWN, IDS, OWN, READER, application, bearer, client_of
from tests.reporting.told import at


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


@pytest.fixture
async def client(migrated: str, engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server; its database has three trainees of each of two partners."""
    await add_partner(engine, "ashdown", "Ashdown Training")
    await add_partner(engine, "burr", "Burr Learning")
    begins = at("2024-01-10T09:00:00Z")
    records = [
        told.record(told.status(1, told.registered(begins, partner="ashdown" if id_ in OWN else "burr")), id_)
        for id_ in IDS
    ]
    await project(engine, told.numbered(records))
    answers = [told.receipt("ashdown", 0, "accepted"), told.receipt("burr", 0, "rejected", "schema_invalid")]
    await keep(engine, told.numbered(answers))
    app = application(migrated, notice="Synthetic data")
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


@pytest.fixture
async def ashdown(engine: AsyncEngine, client: httpx.AsyncClient) -> dict[str, str]:
    return bearer(await issue_token(engine, ASHDOWN))


@pytest.fixture
async def reader(engine: AsyncEngine, client: httpx.AsyncClient) -> dict[str, str]:
    return bearer(await issue_token(engine, READER))
