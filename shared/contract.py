"""Whether a readable record keeps the contract: stage 2 of `reference: events 4.3`.

Type, sender, data, code lists and the future, all problems at once. What passes is an `Event`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from shared import clock, topics
from shared.clock import Moment
from shared.events.catalogue import BY_WIRE, EventType
from shared.events.codes import Problem
from shared.events.data import UUID_PATTERN
from shared.records import Envelope, RawRecord, Unreadable, read_envelope
from shared.reference import Reference, Rules
from shared.status import Status

FUTURE: Final = timedelta(minutes=5)
MAX_PROBLEMS: Final = 20
"""Problems of a record that are told at once: an answer must stay far smaller than what a topic takes."""

_UUID: Final = re.compile(UUID_PATTERN)
_SOURCE: Final = re.compile(r"/partners/([a-z0-9-]+)/.+")
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,40}")
_DAY_RULE: Final = "day precision goes with 00:00 of a day in London"
_LISTS: Final = {"trainee.withdrew": "withdrawal", "trainee.deferred": "deferral"}


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a partner's record lies: what makes an answer unique."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Event:
    """A record that keeps the contract.

    `cure` is the received time at which it counts as a cure of others; `attached` the registration's status as of
    this record, where the door has handed it on; `raw` the record that was read.
    """

    position: Position
    kind: EventType
    sender: str
    source: str
    id: str
    registration: str
    time: datetime
    received: datetime
    data: dict[str, Any]
    cure: datetime
    raw: RawRecord = field(repr=False)
    attached: Status | None = None

    @property
    def moment(self) -> Moment:
        """Where the fact stands."""
        at = clock.placed(self.time, self.data.get("time_precision"), self.kind.day)
        return Moment(at, self.kind.order)

    @property
    def content(self) -> bytes:
        """What makes two records of one id the same: type, subject, instant, data; names sorted, numbers by value."""
        body = [self.kind.name, self.registration, clock.render(self.time), _by_value(self.data)]
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    @property
    def target(self) -> tuple[str, str] | None:
        """Source and id of the fact that a correction corrects."""
        if self.kind.corrects is None:
            return None
        return self.data.get("target_source") or self.source, self.data["target_id"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that stage 1 or 2 refused, with the attributes that may be named in the answer."""

    position: Position
    sender: str
    received: datetime
    problems: tuple[Problem, ...]
    source: str | None = None
    id: str | None = None
    type: str | None = None
    subject: str | None = None


def position_of(raw: RawRecord) -> Position:
    """Where a record lies."""
    return Position(raw.topic, raw.partition, raw.offset)


def read(raw: RawRecord, reference: Reference) -> Event | Refusal:
    """Stages 1 and 2 of a record at a partner's topic. Never raises for what a partner can send."""
    sender = topics.partner_of(raw.topic)
    envelope = read_envelope(raw)
    if isinstance(envelope, Unreadable):
        return _refusal(raw, sender, envelope.problems, envelope.attributes)
    kind = BY_WIRE.get(envelope.attributes["type"])
    if kind is not None and not _UUID.fullmatch(envelope.attributes["subject"]):
        return _refusal(raw, sender, (Problem("envelope_invalid", "ce_subject"),), envelope.attributes)
    problems = tuple(_problems(envelope, kind, sender, raw.received, reference.at(raw.received)))
    if problems or kind is None:
        return _refusal(raw, sender, problems, envelope.attributes)
    return _event(raw, envelope, kind, sender)


def locate(raw: RawRecord) -> tuple[Position, str | None]:
    """Where a record lies, and its registration by the key, for one that cannot be read for a fault of ours."""
    key = (raw.key or b"").decode("utf-8", "replace")
    return position_of(raw), key if _UUID.fullmatch(key) else None


def read_again(raw: RawRecord) -> Event:
    """A record that has kept the contract once, as it is loaded while it waits: it is not judged by it again."""
    envelope = read_envelope(raw)
    assert isinstance(envelope, Envelope)
    return _event(raw, envelope, BY_WIRE[envelope.attributes["type"]], topics.partner_of(raw.topic))


def _by_value(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _by_value(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_by_value(value) for value in node]
    return int(node) if isinstance(node, float) and node.is_integer() else node


def _event(raw: RawRecord, envelope: Envelope, kind: EventType, sender: str) -> Event:
    attributes = envelope.attributes
    return Event(
        position=position_of(raw),
        kind=kind,
        sender=sender,
        source=attributes["source"],
        id=attributes["id"],
        registration=attributes["subject"],
        time=envelope.time,
        received=raw.received,
        data=envelope.data,
        cure=raw.received,
        raw=raw,
    )


def _refusal(raw: RawRecord, sender: str, problems: tuple[Problem, ...], named: dict[str, str]) -> Refusal:
    """Id and source are left out where they failed their own check; so is a source of somebody else."""
    codes = {problem.code for problem in problems}
    source = None if "source_not_yours" in codes else named.get("source")
    return Refusal(
        position_of(raw),
        sender,
        raw.received,
        _told_at_once(problems),
        source=source,
        id=named.get("id"),
        type=named.get("type") if named.get("type") in BY_WIRE else None,
        subject=named.get("subject"),
    )


def _told_at_once(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """As many as an answer names: the first of each code, then the others as they come."""
    first = {problem.code: problem for problem in reversed(problems)}
    others = (problem for problem in problems if first[problem.code] is not problem)
    return problems if len(problems) <= MAX_PROBLEMS else (*first.values(), *others)[:MAX_PROBLEMS]


def _problems(
    envelope: Envelope, kind: EventType | None, sender: str, received: datetime, rules: Rules
) -> Iterator[Problem]:
    attributes = envelope.attributes
    if _partner_in(attributes["source"]) != sender:
        yield Problem("source_not_yours", "ce_source")
    if envelope.time > received + FUTURE:
        minutes = (envelope.time - received) // timedelta(minutes=1)
        yield Problem("time_in_future", "ce_time", {"minutes": minutes})
    if kind is None:
        yield Problem("type_unknown", "ce_type")
        return
    wrong = tuple(_data_problems(kind, envelope))
    yield from wrong
    paths = {problem.path for problem in wrong}
    if "data.target_source" not in paths:
        yield from _target_problems(kind, envelope, sender)
    told = _told(kind, envelope)
    if told is None:
        return
    yield from _future_problems(told, received)
    if not paths & {f"{told.path}.reason", f"{told.path}.code_list"}:
        yield from _list_problems(told, rules)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a record says of a fact: its own data, or those with which it replaces another's."""

    type: str
    path: str
    data: dict[str, Any]
    time: datetime
    replaces: bool


def _told(kind: EventType, envelope: Envelope) -> _Told | None:
    """The fact that is told; None of one that is taken back, or where there is nothing readable."""
    if kind.corrects is None:
        return _Told(kind.name, "data", envelope.data, envelope.time, False)
    replacement, given = envelope.data.get("replacement"), envelope.data.get("replacement_time")
    if not kind.supersedes or not isinstance(replacement, dict):
        return None
    time = clock.parse(given) if isinstance(given, str) else None
    return _Told(kind.corrects, "data.replacement", replacement, time or envelope.time, time is not None)


def _future_problems(told: _Told, received: datetime) -> Iterator[Problem]:
    if told.replaces and told.time > received + FUTURE:
        minutes = (told.time - received) // timedelta(minutes=1)
        yield Problem("time_in_future", "data.replacement_time", {"minutes": minutes})
    if told.replaces and told.data.get("time_precision") == "day" and not _is_london_midnight(told.time):
        yield Problem("schema_invalid", f"{told.path}.time_precision", {"rule": _DAY_RULE})


def _partner_in(source: str) -> str | None:
    found = _SOURCE.fullmatch(source)
    return found[1] if found else None


def _data_problems(kind: EventType, envelope: Envelope) -> Iterator[Problem]:
    try:
        kind.data.model_validate(envelope.data)
    except ValidationError as invalid:
        for error in invalid.errors(include_input=False, include_url=False, include_context=False):
            loc, name = tuple(error["loc"]), error["type"]
            if name == "string_unicode" and isinstance(_node(envelope.data, loc), dict):
                yield Problem("field_unknown")  # the name itself is no Unicode text
            else:
                yield _data_problem(loc, name, error["msg"])
    if envelope.data.get("time_precision") == "day" and not _is_london_midnight(envelope.time):
        yield Problem("schema_invalid", "data.time_precision", {"rule": _DAY_RULE})


def _node(data: Any, loc: tuple[int | str, ...]) -> Any:
    for part in loc:
        data = data[part]
    return data


def _data_problem(loc: tuple[int | str, ...], error: str, message: str) -> Problem:
    """The path of a known field is named; an unknown one only in the plain form of a field name."""
    path = ".".join(("data", *(str(part) for part in loc)))
    if error == "extra_forbidden":
        return Problem("field_unknown", path if _FIELD_NAME.fullmatch(str(loc[-1])) else None)
    return Problem("schema_invalid", path, {"rule": message})


def _is_london_midnight(time: datetime) -> bool:
    return time == clock.start_of_day(clock.london_day(time))


def _list_problems(told: _Told, rules: Rules) -> Iterator[Problem]:
    """The reason must stand on its list on the day that it happened."""
    if told.type not in _LISTS or "reason" not in told.data:
        return
    day, named = clock.london_day(told.time), told.data.get("code_list")
    found = rules.code_list(_LISTS[told.type], named)
    if found is None:
        yield Problem("code_not_in_list", f"{told.path}.code_list", {"date": day.isoformat()})
        return
    reason = told.data["reason"]
    if instead := next((refused.use for refused in found.refused if refused.code == reason), None):
        yield Problem(instead, f"{told.path}.reason")
    elif not any(item.code == reason and item.covers(day) for item in found.items):
        allowed = sorted(item.code for item in found.items if item.covers(day))
        detail = {"date": day.isoformat(), "code_list": found.code_list, "allowed": allowed}
        yield Problem("code_not_in_list", f"{told.path}.reason", detail)


def _target_problems(kind: EventType, envelope: Envelope, sender: str) -> Iterator[Problem]:
    """Only the target's sender or the lead may correct it: that follows from the target's source alone."""
    if kind.corrects is None or sender == topics.LEAD:
        return
    source = envelope.data.get("target_source")
    if source is not None and _partner_in(source) != sender:
        yield Problem("target_not_yours", "data.target_source")
