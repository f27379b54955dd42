"""From events as the author means them to records as they are published."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from senconet.demonstration.model import Record

LONDON = ZoneInfo("Europe/London")
PREFIX = "uk.eysenco"
CORRECTIONS = (".voided", ".superseded")
DAY_SHARE = 0.12  # of facts known to the day only


@dataclass(frozen=True, slots=True)
class Event:
    """An event to publish: `topic` is the partner, `style` how it is spelled, `kind` why it is there.

    `soon`: published within minutes of the one before it.
    """

    topic: str
    subject: str
    fact: str
    time: datetime
    data: dict[str, Any]
    id: str
    kind: str
    system: str = "mis"
    style: int = 0
    phase: int = 1
    soon: bool = False

    @property
    def source(self) -> str:
        """The system that sends it."""
        return f"/partners/{self.topic}/{self.system}"

    def again(self, kind: str, **changes: Any) -> Event:
        """The same event for another reason, with changes if given."""
        return replace(self, kind=kind, **changes)


@dataclass(frozen=True, slots=True)
class Item:
    """A record with its topic, phase and time of publication, which gives only its order."""

    topic: str
    phase: int
    publish: datetime
    serial: int
    kind: str
    record: Record
    event: Event | None = None


def type_of(fact: str) -> str:
    """The type of a fact; facts of trainees go by their short names (`withdrew`)."""
    bare = fact.removesuffix(CORRECTIONS[0]).removesuffix(CORRECTIONS[1])
    return f"{PREFIX}.{fact if '.' in bare else f'trainee.{fact}'}.v1"


def _time_text(at: datetime, style: int) -> str:
    zones = (UTC, LONDON, UTC, timezone(timedelta(hours=2)))
    text = at.astimezone(zones[style % 4]).isoformat()
    return text.replace("+00:00", "Z") if style % 8 < 4 else text


def _value(data: dict[str, Any], style: int) -> bytes:
    items = sorted(data.items(), reverse=style % 2 == 0)
    if style % 5 == 0:
        return json.dumps(dict(items), indent=1).encode()
    return json.dumps(dict(items), separators=(",", ":")).encode()


@cache
def _header(name: str, text: str) -> tuple[str, bytes]:
    """A header that many records share."""
    return name, text.encode()


def wire(event: Event) -> Record:
    """The record of an event, CloudEvents in binary mode; optional attributes as its style has it."""
    style, subject = event.style, event.subject.encode()
    headers = [
        _header("ce_specversion", "1.0"),
        ("ce_id", event.id.encode()),
        _header("ce_source", event.source),
        _header("ce_type", type_of(event.fact)),
        ("ce_subject", subject),
        ("ce_time", _time_text(event.time, style).encode()),
        _header("content-type", "application/json; charset=utf-8" if style % 11 == 0 else "application/json"),
    ]
    if style % 3 == 0:
        headers.append(("ce_recordedtime", _time_text(event.time + timedelta(hours=3), style).encode()))
    if style % 13 == 0:
        headers.append(("ce_partitionkey", subject))
    if style % 17 == 0:
        headers += [("ce_correlationid", f"run-{style}".encode()), _header("x-client", "outbox/2")]
    return Record(subject, _value(event.data, style), tuple(headers))


@dataclass(slots=True)
class Studio:
    """The one source of randomness, identifiers and publication times."""

    rng: Random
    serial: int = 0
    refs: int = 0
    items: list[Item] = field(default_factory=list)
    members: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def member(self, partner: str, role: str, number: int) -> str:
        """The id of one of a partner's staff."""
        return self.members.setdefault((partner, role, number), self.uuid())

    def uuid(self) -> str:
        """A random UUID, version 4, from the seed."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def event_id(self) -> str:
        """An event id: some systems use UUIDs, some a number."""
        self.refs += 1
        return self.uuid() if self.rng.random() < 0.5 else f"ev:{self.refs:06d}-{self.rng.randint(0, 999):03d}"

    def at(self, day: date) -> datetime:
        """A time in working hours of a London day."""
        clock = time(self.rng.randint(8, 17), self.rng.randint(0, 59), self.rng.randint(0, 59))
        micro = self.rng.choice((0, 0, 0, self.rng.randint(0, 999) * 1000, self.rng.randint(0, 999_999)))
        return datetime.combine(day, clock.replace(microsecond=micro), LONDON).astimezone(UTC)

    def event(
        self, topic: str, subject: str, fact: str, when: date | datetime, data: dict[str, Any], **more: Any
    ) -> Event:
        """A new event; on a date it stands at a time of the day, or for some at the day itself."""
        content = dict(data)
        if isinstance(when, datetime):
            at = when
        elif self.rng.random() < DAY_SHARE:
            content["time_precision"] = "day"
            at = datetime.combine(when, time(0), LONDON).astimezone(UTC)
        else:
            at = self.at(when)
        kind = more.pop("kind", fact)
        system = "portal" if topic == "quillmarsh" and self.rng.random() < 0.3 else "mis"
        style = self.rng.randint(0, 9999)
        found = Event(topic, subject, fact, at, content, self.event_id(), kind, system, style)
        return replace(found, **more)

    def publish(self, event: Event, at: datetime) -> Item:
        """Puts an event into its topic at a time."""
        return self.add(event.topic, event.phase, at, event.kind, wire(event), event)

    def add(self, topic: str, phase: int, at: datetime, kind: str, record: Record, event: Event | None = None) -> Item:
        """Puts a record into a topic at a time."""
        self.serial += 1
        item = Item(topic, phase, at, self.serial, kind, record, event)
        self.items.append(item)
        return item

    def minutes(self, low: int, high: int) -> timedelta:
        """A random number of minutes."""
        return timedelta(minutes=self.rng.randint(low, high))


Change = Callable[[Record], Record]


def header(record: Record, name: str, value: bytes | None) -> Record:
    """The record with one header replaced, or added."""
    rest = [(key, old) for key, old in record.headers if key != name]
    return replace(record, headers=(*rest, (name, value)))


def without(record: Record, name: str) -> Record:
    """The record without a header."""
    return replace(record, headers=tuple(pair for pair in record.headers if pair[0] != name))
