"""Histories in which all that a partner names is marked as its own, and what each partner can read of the services."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event, wire
from shared import topics
from tests.support.contents import PARTNERS
from tests.support.memory import System

NAMES: Final = ("partner_ref", "session_id", "mentoring_id", "final_decision_id")
STAFF: Final = ("mentor_id", "assessor_id")
MARKS: Final = {name: f"mark-of-{name}" for name in (*PARTNERS, LEAD)}


def marked(events: Iterable[Event]) -> list[Event]:
    """The same events with ids, references, systems and staff by which their partner can be known."""
    return [_marked(event) for event in events]


def _marked(event: Event) -> Event:
    target = event.data.get("target_source", event.source).split("/")[2]
    data = _data(event.topic if "target_id" not in event.data else target, event.data)
    if "target_id" in data:
        data["target_id"] = _name(target, data["target_id"])
    if "target_source" in data:
        data["target_source"] = f"/partners/{target}/{MARKS[target]}"
    return replace(event, id=_name(event.topic, event.id), system=MARKS[event.topic], data=data)


def _data(partner: str, data: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(data)
    for name in found.keys() & set(NAMES):
        found[name] = _name(partner, found[name])
    for name in found.keys() & set(STAFF):
        found[name] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{partner}/{found[name]}"))
    if "replacement" in found:
        found["replacement"] = _data(partner, found["replacement"])
    return found


def _name(partner: str, name: str) -> str:
    return f"{name}:{MARKS[partner]}"[-64:]


def names_of(partner: str, events: Sequence[Event]) -> set[str]:
    """What a partner can be known by: its code, its mark, its staff."""
    own = [event for event in events if event.topic == partner]
    staff = {event.data[name] for event in own for name in STAFF if name in event.data}
    return {partner, MARKS[partner], *staff}


def readable(services: System, partner: str) -> str:
    """All that a partner can read: its receipts and notices, and its views."""
    told = [m for s in services.services for m in s.published if m.topic == topics.receipts(partner)]
    shown = [json.dumps(view) for (whose, _), view in services.views().items() if whose == partner]
    parts = [str((message.key, message.headers, (message.value or b"").decode())) for message in told]
    return "\n".join((*parts, *shown))


def leaks(services: System, events: Sequence[Event]) -> list[tuple[str, str]]:
    """Who can read what of another partner, apart from what the reader itself has sent."""
    found = []
    for reader in (*PARTNERS, LEAD):
        text = readable(services, reader)
        own = "".join(str(wire(event)) for event in events if event.topic == reader)
        others = {name for partner in (*PARTNERS, LEAD) if partner != reader for name in names_of(partner, events)}
        # "lead" is a word of the contract too: the lead is known by its mark
        found += [(reader, name) for name in sorted(others - {LEAD}) if name in text and name not in own]
    return found
