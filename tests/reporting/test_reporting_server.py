"""Over HTTP a partner gets its own and the national total, a reader figures and no trainee; errors repeat nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import server, views
from services.reporting.access import issue_token
from shared import logs
from shared.database import transaction
from tests.reporting.serving import (
    ASHDOWN,
    CANARY,
    FIGURES,
    OTHERS,
    OWN,
    RECEIPTS,
    TRAINEES,
    UNKNOWN,
    application,
    bearer,
    client_of,
    refusal,
)


async def pages(client: httpx.AsyncClient, headers: dict[str, str], limit: int) -> list[list[str]]:
    """The ids of each page of the list."""
    found: list[list[str]] = []
    after: dict[str, Any] = {}
    while True:
        page = (await client.get(TRAINEES, params={"limit": limit, **after}, headers=headers)).json()
        found.append([trainee["registration_id"] for trainee in page["trainees"]])
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (500, [3])])
async def test_a_partner_pages_through_its_own(
    client: httpx.AsyncClient, ashdown: dict[str, str], limit: int, sizes: list[int]
) -> None:
    found = await pages(client, ashdown, limit)
    assert [len(page) for page in found] == sizes
    assert [id_ for page in found for id_ in page] == OWN


async def test_one_trainee_is_shown_as_in_the_view(client: httpx.AsyncClient, ashdown: dict[str, str]) -> None:
    response = await client.get(f"{TRAINEES}/{OWN[0]}", headers=ashdown)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["state"] == "registered"
    assert response.json()["registration_id"] == OWN[0]


async def test_anothers_trainee_is_as_unknown_as_none(client: httpx.AsyncClient, ashdown: dict[str, str]) -> None:
    asked = [OTHERS[0], UNKNOWN, CANARY, "%00", OWN[0].upper() + "A", f"{OWN[0]}%0A"]
    answers = [await client.get(f"{TRAINEES}/{id_}", headers=ashdown) for id_ in asked]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert refusal(answers[0]) == (404, "trainee_unknown")


async def test_without_a_notice_the_field_is_null(engine: AsyncEngine, migrated: str, reader: dict[str, str]) -> None:
    app = application(migrated, notice="")
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.get(FIGURES, headers=reader)).json()["notice"] is None


async def test_a_reader_sees_no_trainee(client: httpx.AsyncClient, reader: dict[str, str]) -> None:
    for address in (TRAINEES, f"{TRAINEES}/{OWN[0]}", f"{TRAINEES}/{CANARY}"):
        assert refusal(await client.get(address, headers=reader)) == (403, "not_permitted")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([], "token_missing"),
        ([("Authorization", "")], "token_malformed"),
        ([("Authorization", "Bearer")], "token_malformed"),
        ([("Authorization", f"Bearer {CANARY}")], "token_malformed"),
        ([("Authorization", f"Basic {'A' * 43}")], "token_malformed"),
        ([("Authorization", f"Bearer {'A' * 43} ")], "token_malformed"),
        ([("Authorization", f"Bearer {'A' * 43}")] * 2, "token_malformed"),
        ([("Authorization", f"Bearer {'A' * 43}")], "token_unknown"),
    ],
)
async def test_without_a_valid_token_nothing_is_answered(
    client: httpx.AsyncClient, headers: list[tuple[str, str]], code: str
) -> None:
    for address in (TRAINEES, f"{TRAINEES}/{OWN[0]}", FIGURES, RECEIPTS, f"{TRAINEES}?limit=0"):
        response = await client.get(address, headers=headers)
        assert refusal(response) == (401, code)
        assert response.headers["www-authenticate"].startswith('Bearer realm="senconet"')
        assert CANARY not in response.text


@pytest.mark.parametrize("name", ["access_token", "token", "after"])
async def test_a_token_in_the_address_is_refused(
    client: httpx.AsyncClient, engine: AsyncEngine, ashdown: dict[str, str], name: str
) -> None:
    token = await issue_token(engine, ASHDOWN)
    for headers in ({}, ashdown):
        response = await client.get(TRAINEES, params={name: token}, headers=headers)
        assert refusal(response) == (400, "token_in_address")
        assert token not in response.text


async def test_under_the_name_of_a_token_anything_is_refused(
    client: httpx.AsyncClient, ashdown: dict[str, str]
) -> None:
    response = await client.get(TRAINEES, params={"access_token": CANARY}, headers=ashdown)
    assert refusal(response) == (400, "token_in_address")
    assert CANARY not in response.text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        f"limit={CANARY}",
        f"after={CANARY}",
        "after=%00",
        f"after={OWN[0].upper()}A",
        f"{CANARY}=1",
    ],
)
async def test_a_wrong_part_of_a_list_is_refused(
    client: httpx.AsyncClient, ashdown: dict[str, str], query: str
) -> None:
    response = await client.get(f"{TRAINEES}?{query}", headers=ashdown)
    assert refusal(response) == (422, "request_invalid")
    assert CANARY not in response.text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "as_at is missing."),
        ("as_at=", "as_at is not valid."),
        (f"as_at={CANARY}", "as_at is not valid."),
        ("as_at=20240630", "as_at is not valid."),
        ("as_at=1719705600", "as_at is not valid."),
        ("as_at=2024-06-31", "as_at is not valid."),
        ("as_at=2024-06-30T00:00:00", "as_at is not valid."),
        ("as_at=1999-12-31", "as_at is not valid."),
        ("as_at=9999-12-31", "as_at is not valid."),
        (f"as_at=2024-06-30&{CANARY}=1", "A parameter is not known."),
    ],
)
async def test_a_wrong_day_is_refused(
    client: httpx.AsyncClient, reader: dict[str, str], query: str, message: str
) -> None:
    response = await client.get(f"/v1/figures?{query}", headers=reader)
    assert refusal(response) == (422, "request_invalid")
    assert response.json()["message"] == message


@pytest.mark.parametrize("day", [date(2000, 1, 1), date(2999, 12, 31)])
async def test_every_day_that_is_taken_is_answered(
    client: httpx.AsyncClient, reader: dict[str, str], day: date
) -> None:
    assert (await client.get(f"/v1/figures?as_at={day}", headers=reader)).status_code == 200


@pytest.mark.parametrize("address", ["/", f"/{CANARY}", "/docs", "/redoc", "/openapi.json", "/v1"])
async def test_nothing_else_is_there(client: httpx.AsyncClient, address: str) -> None:
    response = await client.get(address)
    assert refusal(response) == (404, "not_found")
    assert CANARY not in response.text


async def test_nothing_can_be_written(client: httpx.AsyncClient, ashdown: dict[str, str]) -> None:
    response = await client.post(TRAINEES, headers=ashdown, json={"name": CANARY})
    assert refusal(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET"
    assert CANARY not in response.text


async def test_a_fault_of_ours_tells_nothing(
    client: httpx.AsyncClient, ashdown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(views, "trainees", fail)
    response = await client.get(TRAINEES, headers=ashdown)
    assert refusal(response) == (500, "internal_error")
    assert CANARY not in response.text


async def test_a_connection_that_was_lost_costs_no_answer(
    client: httpx.AsyncClient, engine: AsyncEngine, ashdown: dict[str, str]
) -> None:
    assert (await client.get(TRAINEES, headers=ashdown)).status_code == 200
    async with transaction(engine) as tx:
        ended = await tx.execute(
            text("""
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        )
        assert True in ended.scalars().all()
    assert (await client.get(TRAINEES, headers=ashdown)).status_code == 200


def test_the_http_library_logs_as_the_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """By handlers of its own it would show the message of each fault."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **options: given.update(options))
    monkeypatch.setattr(logs, "configure", lambda: None)
    names = ("KAFKA_BOOTSTRAP", "KAFKA_USERNAME", "KAFKA_PASSWORD", "DATABASE_URL", "HTTP_PORT")
    for name, value in zip(names, ("none:9", "none", "none", "postgresql+psycopg://none", "0"), strict=True):
        monkeypatch.setenv(f"SENCONET_{name}", value)
    server.main()
    assert given["log_config"] is None


async def test_without_its_database_the_server_says_so(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/ready")).status_code == 200
    app = application("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    async with app.router.lifespan_context(app), client_of(app) as cut_off:
        response = await cut_off.get(TRAINEES, headers=bearer("A" * 43))
        assert refusal(response) == (503, "unavailable")
        assert response.headers["retry-after"] == "5"
        assert (await cut_off.get("/health/ready")).status_code == 503
        assert (await cut_off.get("/health/live")).status_code == 200


async def test_requests_are_counted_by_route_and_refusals_by_kind(
    client: httpx.AsyncClient, ashdown: dict[str, str], reader: dict[str, str]
) -> None:
    await client.get(f"{TRAINEES}/{OWN[0]}", headers=ashdown)
    await client.get(f"{TRAINEES}/{UNKNOWN}", headers=ashdown)
    await client.get(FIGURES, headers=ashdown)
    await client.get(TRAINEES, headers=reader)
    await client.get(TRAINEES)
    await client.get(f"/{CANARY}")
    await client.request(CANARY.upper(), TRAINEES)
    exposed = (await client.get("/metrics")).text
    counted = {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposed)
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert counted == {
        ("GET", "/v1/trainees/{registration_id}", "200"): 1,
        ("GET", "/v1/trainees/{registration_id}", "404"): 1,
        ("GET", "/v1/figures", "200"): 1,
        ("GET", "/v1/trainees", "403"): 1,
        ("GET", "/v1/trainees", "401"): 1,
        ("other", "/v1/trainees", "405"): 1,
        ("GET", "other", "404"): 1,
        ("not_permitted",): 1,
        ("token_missing",): 1,
    }
