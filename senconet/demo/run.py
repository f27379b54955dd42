"""The demonstration from data set to comparison."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final

import httpx

from senconet.access import KafkaAccess
from senconet.demo.check import NOTHING, Checked, Shown, check_answers, check_figures, check_states
from senconet.demo.traffic import Traffic, exchange, view_by_http, view_by_topic
from senconet.demonstration import dataset, judge
from senconet.demonstration.model import Dataset, Key
from senconet.local.credentials import Credentials
from shared import topics

HOLD_SECONDS: Final = 10
SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SENCONET_HOLD_SECONDS": str(HOLD_SECONDS),
        "SENCONET_HELD_RECEIPT_SECONDS": "5",
        "SENCONET_CLOCK_MARGIN_SECONDS": "1",
        "SENCONET_METADATA_SECONDS": "3",
        "SENCONET_SWEEP_SECONDS": "1",
        "SENCONET_PROGRESS_SECONDS": "1",
    }
)
PATIENCE: Final = 120.0
VIEW_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Prepared:
    """The data set with its answer key."""

    data: Dataset
    key: Key


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came back: the partners' traffic, figures by date, and how all of it compares with the key.

    Without a representation: `asyncio.run` makes one of what it returns, and of 160,000 answers that takes seconds.
    """

    partners: Sequence[Traffic]
    figures: Mapping[date, Mapping[str, Any]]
    records: Checked
    states: Checked
    cells: Checked
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether everything is as the key says."""
        return not (self.records.differences or self.states.differences or self.cells.differences)


def prepare(seed: int, scale: float) -> Prepared:
    """Make the data and, by code that shares nothing with the services, the answer key."""
    data = dataset.build(seed=seed, scale=scale)
    return Prepared(data, judge.judge(data.reference, data.phases, received=datetime.now(UTC)))


def traffic_of(prepared: Prepared, bootstrap: str, credentials: Credentials) -> list[Traffic]:
    """One publisher a partner, each with its own credential."""
    return [
        Traffic(code, KafkaAccess(bootstrap, topics.principal_of(code), credentials.partner(code).password), expected)
        for code, expected in prepared.key.answers.items()
    ]


async def run(
    prepared: Prepared,
    partners: Sequence[Traffic],
    credentials: Credentials,
    server: str,
    show: Callable[[], None],
) -> Outcome:
    """Publish, read everything back, compare. Raises NotAnswered."""
    began = time.monotonic()
    await exchange(partners, prepared.data.phases, PATIENCE, show)
    records = NOTHING
    for partner in partners:
        records = records.plus(check_answers(partner.code, partner.expected, partner.receipts))
    states = await _states(prepared.key, partners, credentials, server)
    figures, cells = await _figures(prepared.key, credentials, server)
    return Outcome(partners, figures, records, states, cells, time.monotonic() - began)


async def _states(key: Key, partners: Sequence[Traffic], credentials: Credentials, server: str) -> Checked:
    """The views are complete within seconds of the last receipt: look again until they agree or the time is over."""
    end = time.monotonic() + VIEW_SECONDS
    while True:
        checked = check_states(key.states, await _views(partners, credentials, server))
        if not checked.differences or time.monotonic() > end:
            return checked
        await asyncio.sleep(1)


async def _views(partners: Sequence[Traffic], credentials: Credentials, server: str) -> dict[Shown, dict[str, Any]]:
    """What every partner sees; where topic and HTTP differ, the registration is shown in neither's state.

    A signal that begins on a day to come would be on the topic alone; in the data set all days are past.
    """
    views: dict[Shown, dict[str, Any]] = {}
    for partner in partners:
        if partner.code == topics.LEAD:
            continue
        by_topic = await view_by_topic(partner.access, partner.code)
        by_http = await view_by_http(server, credentials.partner(partner.code).token)
        for registration in by_topic.keys() | by_http.keys():
            same = by_topic.get(registration) == by_http.get(registration)
            seen = by_topic[registration] if same else {"state": "differing", "since": "-"}
            views[partner.code, registration] = seen
    return views


async def _figures(key: Key, credentials: Credentials, server: str) -> tuple[dict[date, dict[str, Any]], Checked]:
    found: dict[date, dict[str, Any]] = {}
    cells = NOTHING
    headers = {"Authorization": f"Bearer {credentials.reader_token}"}
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30, headers=headers) as client:
        for as_at, figures in key.figures.items():
            answer = await client.get(f"{server}/v1/figures", params={"as_at": as_at.isoformat()})
            found[as_at] = answer.raise_for_status().json()
            cells = cells.plus(check_figures(as_at, figures, found[as_at]))
    return found, cells
