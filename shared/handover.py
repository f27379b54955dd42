"""What the door hands on to an owner: each record with the status as of it, and each change of status, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import clock, topics
from shared.contract import Event, Position, position_of
from shared.events.catalogue import BY_NAME
from shared.messages import Message, decode, encode
from shared.records import RawRecord
from shared.status import Status


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A registration's new status, and the fact of enrolment that made it."""

    registration: str
    status: Status
    cause: dict[str, Any]
    received: datetime


def request_message(event: Event, status: Status) -> Message:
    """A partner's record for its owner, with the status as of that record."""
    position = event.position
    body = {
        "status": status,
        "event": {
            "position": [position.topic, position.partition, position.offset],
            "type": event.kind.name,
            "source": event.source,
            "id": event.id,
            "time": clock.render(event.time),
            "receivedtime": clock.render(event.received),
            "cure": clock.render(event.cure),
            "data": event.data,
        },
    }
    return Message(topics.requests(event.kind.owner), event.registration, (), encode(body))


def status_message(owner: str, registration: str, status: Status, cause: dict[str, Any], received: datetime) -> Message:
    """A change of status for an owner."""
    body = {
        "status": status,
        "cause": cause,
        "receivedtime": clock.render(received),
    }
    return Message(topics.requests(owner), registration, (), encode(body))


def locate(raw: RawRecord) -> tuple[Position, str | None]:
    """Where the partner's record lies that a request carries, and its registration, as far as they can be made out."""
    registration = raw.key.decode() if raw.key else None
    try:
        return Position(*decode(raw.value or b"")["event"]["position"]), registration
    except (ValueError, KeyError, TypeError):
        return position_of(raw), registration


def read(raw: RawRecord) -> Event | StatusChange:
    """What a record of a requests topic says. The door wrote it, so what does not fit is our fault and raises."""
    assert raw.key is not None
    assert raw.value is not None
    registration, body = raw.key.decode(), decode(raw.value)
    status = Status.model_validate(body["status"])
    if "event" in body:
        return _event(registration, body["event"], status, raw)
    return StatusChange(registration, status, body["cause"], _instant(body["receivedtime"]))


def _event(registration: str, body: dict[str, Any], status: Status, raw: RawRecord) -> Event:
    kind, time = BY_NAME[body["type"]], _instant(body["time"])
    return Event(
        position=Position(*body["position"]),
        kind=kind,
        sender=topics.partner_of(body["position"][0]),
        source=body["source"],
        id=body["id"],
        registration=registration,
        time=time,
        received=_instant(body["receivedtime"]),
        data=body["data"],
        cure=_instant(body["cure"]),
        raw=raw,
        attached=status,
    )


def released(event: Event, cure: datetime) -> Event:
    """A held event as it counts once something received at `cure` has released it."""
    return replace(event, cure=max(event.cure, cure))


def _instant(text: str) -> datetime:
    instant = clock.parse(text)
    assert instant is not None
    return instant
