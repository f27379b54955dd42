"""What a Kafka record says, before anybody asks whether it may: stage 1 of `reference: events 4.3`.

`read_envelope` never raises: whatever bytes a partner sends come out as an envelope or as problems.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NoReturn

from shared import clock
from shared.events.codes import Problem
from shared.events.data import IDENTIFIER_PATTERN, SOURCE_PATTERN

Headers = tuple[tuple[str, bytes | None], ...]

BATCH_UNREADABLE: Final[Headers] = (("\ud800batch_unreadable", None),)
"""The headers of a record that could not be taken from its batch (`shared.record_batches`). No bytes decode to such a
name."""

MAX_VALUE_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 32
MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 8 * 1024
MAX_INTEGER: Final = 2**53 - 1

_REQUIRED_IN_ORDER: Final = ("specversion", "id", "source", "type", "subject", "time")
_REQUIRED: Final = frozenset(_REQUIRED_IN_ORDER)
_PATTERNS: Final = {
    "specversion": re.compile(r"1\.0"),
    "id": re.compile(IDENTIFIER_PATTERN),
    "source": re.compile(rf"(?=.{{1,64}}\Z){SOURCE_PATTERN}"),
    "type": re.compile(r"[A-Za-z0-9._-]{1,128}"),
    "subject": re.compile(IDENTIFIER_PATTERN),
    "partitionkey": re.compile(IDENTIFIER_PATTERN),
    "correlationid": re.compile(IDENTIFIER_PATTERN),
    "causationid": re.compile(IDENTIFIER_PATTERN),
    "dataschema": re.compile(r"[!-~]{1,256}"),
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "tracestate": re.compile(r"[ -~]{0,512}"),
}
_CONTENT_TYPE: Final = re.compile(r"application/json(\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
# How the value of each header that we know is read: it is valid if that comes to anything.
_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    **{f"ce_{name}": pattern.fullmatch for name, pattern in _PATTERNS.items()},
    "ce_time": clock.parse,
    "ce_recordedtime": clock.parse,
    "content-type": _CONTENT_TYPE.fullmatch,
}
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it lies in a topic. `received` is the broker's append time, in UTC."""

    topic: str
    partition: int
    offset: int
    received: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Envelope:
    """The readable part of a partner's record: CloudEvents attributes by name, and the JSON object."""

    attributes: dict[str, str]
    time: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why stage 1 refused a record; `attributes` holds those that passed their own check."""

    problems: tuple[Problem, ...]
    attributes: dict[str, str]


def read_envelope(raw: RawRecord) -> Envelope | Unreadable:
    """Stage 1: all problems of the record and its envelope at once."""
    if raw.headers == BATCH_UNREADABLE:
        return Unreadable((Problem("record_unreadable", detail={"reason": "batch_unreadable"}),), {})
    attributes, problems = _attributes(raw)
    data = _data(raw.value)
    if isinstance(data, str):
        problems.insert(0, Problem("record_unreadable", detail={"reason": data}))
    if reason := _bounds(raw):
        problems.insert(0, Problem("record_unreadable", detail={"reason": reason}))
    time = clock.parse(attributes["time"]) if "time" in attributes else None
    if problems or time is None or isinstance(data, str):
        return Unreadable(tuple(problems), attributes)
    return Envelope(attributes, time, data)


def _bounds(raw: RawRecord) -> str | None:
    if raw.key is None:
        return "key_missing"
    if len(raw.headers) > MAX_HEADERS:
        return "too_many_headers"
    size = 0
    for name, value in raw.headers:
        if not _is_text(name):
            return "header_name_not_utf8"
        size += len(name.encode()) + len(value or b"")
    return "headers_too_large" if size > MAX_HEADER_BYTES else None


def _is_text(name: str) -> bool:
    """Whether a header's name was UTF-8: what was not comes as lone surrogates (`shared.record_batches`)."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def _attributes(raw: RawRecord) -> tuple[dict[str, str], list[Problem]]:
    """The attributes that pass their own check, and the problems of the others."""
    given: dict[str, bytes | None] = {}
    for header, value in raw.headers:
        if header.startswith("ce_") or header == "content-type":
            given[header] = None if header in given else value  # none of one that is repeated
    good: dict[str, str] = {}
    problems: list[Problem] = []
    for header, value in given.items():
        text, read = _decoded(value), _READERS.get(header)
        if read is None:
            problems.append(Problem("field_unknown", _shown(header)))
        if text is None or (read and not read(text)):
            problems.append(Problem("envelope_invalid", header if read else _shown(header)))
        elif read:
            good[header.removeprefix("ce_")] = text
    if not good.keys() >= _REQUIRED:
        named = {problem.path for problem in problems}
        missing = [f"ce_{n}" for n in _REQUIRED_IN_ORDER if n not in good and f"ce_{n}" not in named]
        problems.extend(Problem("envelope_invalid", header) for header in missing)
    problems.extend(_key_problems(raw.key, good))
    return good, problems


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _key_problems(key: bytes | None, good: dict[str, str]) -> Iterator[Problem]:
    """A key that is there must be the subject, byte for byte; so must the partition key."""
    if key is None or "subject" not in good:
        return
    if key != good["subject"].encode():
        yield Problem("envelope_invalid", "key")
    if good.get("partitionkey", good["subject"]) != good["subject"]:
        yield Problem("envelope_invalid", "ce_partitionkey")


def _shown(name: str) -> str:
    """An unknown name may itself be personal data: it is named only in the plain form of a field."""
    return name if _FIELD_NAME.fullmatch(name) else "A field"


class _Refused(ValueError):
    """A JSON text that the contract refuses though a parser would take it."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise _Refused("duplicate_name")
    return names


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(value := int(digits)) > MAX_INTEGER:
        raise _Refused("number_out_of_range")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _Refused("number_out_of_range")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused("number_not_finite")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _data(value: bytes | None) -> dict[str, Any] | str:
    """The JSON object of a value, or the reason why there is none."""
    if value is None:
        return "value_missing"
    if len(value) > MAX_VALUE_BYTES:
        return "value_too_large"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    if text.startswith("\ufeff"):
        return "byte_order_mark"
    try:
        data = _DECODER.decode(text)
    except _Refused as refused:
        return str(refused)
    except RecursionError:
        return "too_deep"
    except ValueError:
        return "not_json"
    if not isinstance(data, dict):
        return "not_an_object"
    return "too_deep" if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(data) else data


def _too_deep(data: dict[str, Any]) -> bool:
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> Sequence[Any]:
    values = node.values() if isinstance(node, dict) else node
    return [value for value in values if isinstance(value, dict | list)]


def compact(raw: RawRecord) -> RawRecord:
    """A record that keeps the contract, without the spaces of its JSON and the headers that are no part of the event.

    Tens of thousands may be loaded together, and 64 KiB of spaces are a legal record: what says something is at most a
    few KiB of it.
    """
    assert raw.value is not None
    value = json.dumps(json.loads(raw.value), separators=(",", ":")).encode()
    return replace(raw, value=value, headers=tuple(header for header in raw.headers if header[0] in _READERS))


def dump(raw: RawRecord) -> bytes:
    """A record as bytes that `load` gives back unchanged: how quarantine keeps it, and holds what is left of it."""
    body = [
        raw.topic,
        raw.partition,
        raw.offset,
        clock.render(raw.received),
        _packed(raw.key),
        _packed(raw.value),
        [[name, _packed(value)] for name, value in raw.headers],
    ]
    return json.dumps(body).encode()


def load(packed: bytes) -> RawRecord:
    """The record that `dump` made these bytes from."""
    topic, partition, offset, received, key, value, headers = json.loads(packed)
    at = clock.parse(received)
    assert at is not None
    pairs = tuple((name, _unpacked(content)) for name, content in headers)
    return RawRecord(topic, partition, offset, at, _unpacked(key), _unpacked(value), pairs)


def _packed(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode("ascii")


def _unpacked(content: str | None) -> bytes | None:
    return None if content is None else base64.b64decode(content)
