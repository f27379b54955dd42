"""Random histories of several partners on real engines: the answers and views of the same services in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event, wire
from shared.contract import Position
from tests.support.agreement import short
from tests.support.contents import PARTNERS
from tests.support.histories import random_history
from tests.support.memory import System, reference_of
from tests.system.support import HOLD_SECONDS, Partner, Stage, until

SEEDS: Final = range(36)
CODES: Final = dict(zip(PARTNERS, ("agreeing-a", "agreeing-b", "agreeing-c"), strict=True))

Turn = tuple[str, list[Event]]
"""A partner, and what it sends at once."""


def named(seed: int) -> list[Event]:
    """A history without the lead, by partners of this test, whose names no other history uses."""
    return [_named(seed, event) for event in random_history(seed) if event.topic != LEAD]


def _named(seed: int, event: Event) -> Event:
    data = _anew(seed, event.data)
    subject = _uuid(seed, event.subject)
    return replace(event, topic=CODES[event.topic], subject=subject, id=f"{event.id}-{seed}", data=data)


def _anew(seed: int, data: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(data)
    for name in found.keys() & {"target_id", "final_decision_id", "partner_ref"}:
        found[name] = f"{found[name]}-{seed}"
    for name in found.keys() & {"transfer_id", "trainee_id"}:
        found[name] = _uuid(seed, found[name])
    if "to_partner" in found:
        found["to_partner"] = CODES[found["to_partner"]]
    if "target_source" in found:
        code = found["target_source"].split("/")[2]
        found["target_source"] = f"/partners/{CODES.get(code, code)}/mis"
    if "replacement" in found:
        found["replacement"] = _anew(seed, found["replacement"])
    return found


def _uuid(seed: int, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"agreeing/{seed}/{name}"))


def turns(histories: list[list[Event]], random: Random) -> Iterator[Turn]:
    """All histories side by side: some that wait for the same partner go on with what it sends next."""
    left = [history for history in histories if history]
    while left:
        code = random.choice(left)[0].topic
        turn: list[Event] = []
        for history in left:
            while history and history[0].topic == code and random.random() < 0.9:
                turn.append(history.pop(0))
        if turn:
            yield code, turn
        left = [history for history in left if history]


async def publish(stage: Stage, partners: Mapping[str, Partner], told: list[Turn]) -> None:
    """Each turn once the door has read the one before: that order is the order of the history."""
    for code, turn in told:
        partner = partners[code]
        await partner.send(*(wire(event) for event in turn))
        await until(lambda partner=partner: stage.position(partner.topic) == len(partner.sent), f"{code} read")


Received = Mapping[tuple[str, int], datetime]


def in_memory(stage: Stage, told: list[Turn], received: Received) -> tuple[dict[tuple[str, int], Any], System]:
    """The answers of the services in memory to the same records at the same times, and the services."""
    services = System(*reference_of(stage.data.reference), timedelta(seconds=HOLD_SECONDS))
    places: dict[tuple[str, int], Position] = {}
    for code, turn in told:
        for event in turn:
            offset = sum(1 for known, _ in places if known == code)
            places[code, offset] = services.append(code, wire(event), received[code, offset])
        services.read()
        services.deliver()
    services.settle()
    answers = services.answers()
    return {key: short(answers[place][0]) for key, place in places.items()}, services


async def views(stage: Stage) -> dict[tuple[str, str], Any]:
    """What reporting shows of the registrations of this test."""
    found = stage.rows("reporting", "SELECT partner, registration_id, body FROM views WHERE partner LIKE 'agreeing-%'")
    return {(partner, str(registration)): _shown(body) for partner, registration, body in found}


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name != "version"}


async def test_random_histories_of_several_partners_are_answered_and_shown_as_in_memory(stage: Stage) -> None:
    partners = {code: await stage.partner(code) for code in CODES.values()}
    told = [*turns([named(seed) for seed in SEEDS], Random(5))]
    await publish(stage, partners, told)
    await stage.all_answered(*partners.values())
    answers, received = {}, {}
    for code, partner in partners.items():
        for receipt in await stage.receipts(partner):
            received[code, receipt.offset] = datetime.fromisoformat(receipt.body["receivedtime"])
            if receipt.outcome != "held":
                answers[code, receipt.offset] = short(receipt.body)
    expected, services = in_memory(stage, told, received)
    assert {key: (answers[key], expected[key]) for key in expected if answers[key] != expected[key]} == {}
    shown = {place: _shown(view) for place, view in services.views().items()}

    async def as_in_memory() -> bool:
        found = await views(stage)
        return {place: found.get(place) for place in shown} == shown

    await until(as_in_memory, "all shown as in memory")
