"""Over HTTP a partner gets its own and the national total, and a reader all but trainees."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.access import issue_token
from services.reporting.projector import project
from shared import clock
from tests.reporting import told
from tests.reporting.serving import BURR, FIGURES, IDS, OWN, RECEIPTS, TRAINEES, bearer
from tests.reporting.told import at


async def test_a_trainee_who_moved_is_shown_to_each_partner_as_that_one_sees_it(
    client: httpx.AsyncClient, engine: AsyncEngine, ashdown: dict[str, str]
) -> None:
    moved_on = clock.start_of_day(date(2024, 5, 1))
    periods = (told.registered(at("2024-01-10T09:00:00Z"), partner="ashdown"), told.moved(moved_on, "burr"))
    left = told.period(at("2024-06-10T09:00:00Z"), "withdrawn", partner="burr")
    await project(engine, [told.record(told.status(2, *periods, left), OWN[0], offset=len(IDS))])
    burr = bearer(await issue_token(engine, BURR))
    seen = [(await client.get(f"{TRAINEES}/{OWN[0]}", headers=headers)).json() for headers in (ashdown, burr)]
    assert [body["state"] for body in seen] == ["registered", "withdrawn"]
    assert [len((await client.get(TRAINEES, headers=headers)).json()["trainees"]) for headers in (ashdown, burr)] == [
        3,
        4,
    ]


async def test_a_signal_that_lies_ahead_is_not_shown_yet(
    client: httpx.AsyncClient, engine: AsyncEngine, ashdown: dict[str, str]
) -> None:
    ahead = clock.london_day(datetime.now(UTC)) + timedelta(days=2)
    signals = [told.signal(date(2024, 2, 1)), told.signal(ahead, reason="behind_schedule")]
    await project(engine, [told.record(told.mentored(1, signals=signals), OWN[0])])
    expected = [{"reason": "no_contact", "since": "2024-02-01"}]
    assert (await client.get(f"{TRAINEES}/{OWN[0]}", headers=ashdown)).json()["at_risk"] == expected
    assert (await client.get(TRAINEES, headers=ashdown)).json()["trainees"][0]["at_risk"] == expected


async def test_a_reader_gets_figures(client: httpx.AsyncClient, reader: dict[str, str]) -> None:
    body = (await client.get(FIGURES, headers=reader)).json()
    assert (body["as_at"], body["notice"]) == ("2024-06-30", "Synthetic data")
    nation = body["rows"][0]
    assert (nation["cut"], nation["code"], nation["name"]) == ("national", "total", "England")
    counted = {name: nation[name] for name in body["measures"] if nation[name]}
    assert counted == {"registrations": 6, "not_started": 6, "settings": 1}
    assert (nation["withdrawal_rate"], nation["pass_rate"]) == (0.0, None)
    assert [place["registrations"] for place in body["places"]] == [6, 0, 0]


async def test_a_partner_gets_its_own_figures_beside_the_national_total_and_nothing_else(
    client: httpx.AsyncClient, ashdown: dict[str, str], reader: dict[str, str]
) -> None:
    everything = (await client.get(FIGURES, headers=reader)).json()
    answer = await client.get(FIGURES, headers=ashdown)
    body = answer.json()
    kept = [row for row in everything["rows"] if row["cut"] == "national" or row["code"] == "ashdown"]
    assert body == {**{name: everything[name] for name in body}, "rows": kept}
    assert [row["registrations"] for row in body["rows"]] == [6, 3]
    assert everything.keys() - body.keys() == {"withdrawal_reasons", "places"}
    assert "burr" not in answer.text.lower()


async def test_receipts_are_a_partners_own_beside_the_total_and_a_readers_all(
    client: httpx.AsyncClient, ashdown: dict[str, str], reader: dict[str, str]
) -> None:
    row = {
        "received": 1,
        "accepted": 1,
        "duplicate": 0,
        "rejected": 0,
        "held": 0,
        "oldest_held": None,
        "codes": {},
        "facts": 0,
        "difference": 1,
    }
    total = {**row, "received": 2, "rejected": 1, "codes": {"schema_invalid": 1}}
    expected = {"notice": "Synthetic data", "partners": [{"partner": "ashdown", **row}], "total": total}
    assert (await client.get(RECEIPTS, headers=ashdown)).json() == expected
    everything = (await client.get(RECEIPTS, headers=reader)).json()
    assert [row["partner"] for row in everything["partners"]] == ["ashdown", "burr"]
    assert everything["total"] == total
