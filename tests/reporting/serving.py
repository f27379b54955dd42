"""The server on a test's database, and what its answers have in common."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from services.reporting.scope import Scope
from services.reporting.server import ServerSettings, create_app

ASHDOWN, BURR, READER = Scope.of_partner("ashdown"), Scope.of_partner("burr"), Scope.national_reader()
IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 7)]
OWN, OTHERS = IDS[::2], IDS[1::2]
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
TRAINEES, FIGURES, RECEIPTS = "/v1/trainees", "/v1/figures?as_at=2024-06-30", "/v1/receipts"
CANARY = "canary-7f3a"


def application(url: str, **more: str) -> FastAPI:
    """The server on a database."""
    kafka = {"kafka_bootstrap": "none:9", "kafka_username": "none", "kafka_password": "none"}
    return create_app(ServerSettings.model_validate({**kafka, "database_url": url, "http_port": 0, **more}))


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://reporting")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, whose form is checked."""
    body = response.json()
    assert body.keys() == {"code", "message"}
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, body["code"]
