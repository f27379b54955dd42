"""The HTTP server: partners' own trainees, figures and receipts. `python -m services.reporting.server`"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, cast

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import reconciliation, views
from services.reporting.bearer import authenticate
from services.reporting.figures import document, rows_document
from services.reporting.scope import Scope
from services.reporting.web import ApiError, HttpMetrics, Observed, answer_errors
from shared import clock, logs
from shared.database import make_engine, snapshot, transaction
from shared.events.data import Uuid
from shared.settings import Settings

MAX_PAGE: Final = 500
READY_SECONDS: Final = 2
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ServerSettings(Settings):
    """The settings of the server."""

    notice: str | None = Field(default=None, description="What figures say of their data, such as 'Synthetic data'.")


@dataclass(frozen=True, slots=True)
class Served:
    """What the routes answer from."""

    engine: AsyncEngine
    metrics: HttpMetrics
    notice: str | None


def _served(request: Request) -> Served:
    return cast(Served, request.app.state.served)


Here = Annotated[Served, Depends(_served)]


async def _caller(request: Request, here: Here) -> Scope:
    return await authenticate(request, here.engine, here.metrics)


Caller = Annotated[Scope, Depends(_caller)]


def _day(given: object) -> date:
    """A day as YYYY-MM-DD: pydantic alone would take times and numbers as well."""
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise ValueError("not a day")
    return date.fromisoformat(given)


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(_Parameters):
    """The part of a list that begins behind a registration id."""

    after: Uuid | None = None
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)


class AsAt(_Parameters):
    """A day in London; bounded to days whose end is a moment in every calendar involved."""

    as_at: Annotated[date, BeforeValidator(_day), Field(ge=date(2000, 1, 1), lt=date(3000, 1, 1))]


def _today() -> date:
    return clock.london_day(datetime.now(UTC))


router = APIRouter()


@router.get("/v1/trainees")
async def list_trainees(caller: Caller, here: Here, page: Annotated[Page, Query()]) -> dict[str, Any]:
    """A partner's own trainees in the order of their ids; `next` is what `after` takes for the following page."""
    async with snapshot(here.engine) as tx:
        found = await views.trainees(caller, tx, _today(), page.after, page.limit + 1)
    shown = found[: page.limit]
    more = len(found) > page.limit
    return {"trainees": shown, "next": shown[-1]["registration_id"] if more else None}


@router.get("/v1/trainees/{registration_id}")
async def show_trainee(caller: Caller, here: Here, registration_id: str) -> dict[str, Any]:
    """One of a partner's own trainees."""
    async with snapshot(here.engine) as tx:
        found = await views.trainee(caller, tx, _today(), registration_id)
    if found is None:
        raise ApiError(404, "trainee_unknown", "None of your trainees has this registration id.")
    return found


@router.get("/v1/figures")
async def show_figures(caller: Caller, here: Here, wanted: Annotated[AsAt, Query()]) -> dict[str, Any]:
    """Figures as at the end of a London day: all for a reader; for a partner its own, beside the national total."""
    async with snapshot(here.engine) as tx:
        if caller.partner is None:
            return document(await views.figures(caller, tx, wanted.as_at), wanted.as_at, here.notice)
        return rows_document(await views.own_figures(caller, tx, wanted.as_at), wanted.as_at, here.notice)


@router.get("/v1/receipts")
async def show_receipts(caller: Caller, here: Here) -> dict[str, Any]:
    """What records were answered, against the facts told: by partner for a reader; a partner's own; and the total."""
    async with snapshot(here.engine) as tx:
        rows, of_all = await views.receipts(caller, tx)
    return reconciliation.document(rows, of_all, here.notice)


@router.get("/health/live")
async def live() -> Response:
    """The process answers."""
    return Response("live")


@router.get("/health/ready")
async def ready(here: Here) -> Response:
    """The database answers too."""
    try:
        await asyncio.wait_for(_ask(here.engine), READY_SECONDS)
    except Exception:
        return Response("not ready", 503)
    return Response("ready")


async def _ask(engine: AsyncEngine) -> None:
    async with transaction(engine) as tx:
        await tx.execute(text("SELECT 1"))


@router.get("/metrics")
async def metrics(here: Here) -> Response:
    """The counts for Prometheus."""
    return Response(generate_latest(here.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def create_app(settings: ServerSettings) -> FastAPI:
    """The application. It describes itself to nobody: no documentation is served."""
    engine = make_engine(settings.database_url.get_secret_value(), tried=True)
    served = Served(engine, HttpMetrics(), settings.notice or None)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await served.engine.dispose()

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.served = served
    app.include_router(router)
    app.add_middleware(Observed, metrics=served.metrics)
    answer_errors(app, served.metrics)
    return app


def main() -> None:
    """Serve until told to stop."""
    logs.configure()
    settings = ServerSettings.from_env(os.environ)
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
