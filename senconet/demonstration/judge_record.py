"""Stage 1: is a record readable, and is its envelope valid CloudEvents 1.0 (events.md 1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from senconet.demonstration.model import Record

MAX_VALUE, MAX_LEVELS, MAX_HEADERS, MAX_HEADER_BYTES = 64 * 1024, 32, 64, 8 * 1024
MAX_INTEGER = 2**53 - 1
REQUIRED = ("specversion", "id", "source", "type", "subject", "time")
OPTIONAL = (
    "partitionkey",
    "recordedtime",
    "correlationid",
    "causationid",
    "dataschema",
    "traceparent",
    "tracestate",
)
KNOWN = frozenset(REQUIRED + OPTIONAL)
IDENTIFIER = re.compile(r"[A-Za-z0-9._:/-]{1,64}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SOURCE = re.compile(r"/partners/([a-z0-9-]+)/[A-Za-z0-9._:-]+")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([Zz]|[+-]\d\d:\d\d)")
CONTENT_TYPE = re.compile(r"application/json(\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a readable record says: CloudEvents attributes and the data object."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]


class Unreadable(ValueError):
    """The value is not one JSON object within the limits."""


def _names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("duplicate name")
    return found


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Unreadable("integer out of range")
    return int(text)


def _number(text: str) -> Decimal:
    if abs(float(text)) == float("inf"):
        raise Unreadable("number not finite")
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all measure: zero
        return Decimal(float(text))


def _constant(text: str) -> Any:
    raise Unreadable(f"{text} is not JSON")


def _levels(found: Any) -> int:
    level, layer = 0, [found]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        level += 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]
    return level


def parse(value: bytes | None) -> dict[str, Any]:
    """The one JSON object of a value, or Unreadable."""
    if value is None or len(value) > MAX_VALUE or value.startswith(b"\xef\xbb\xbf"):
        raise Unreadable("absent, too large or with a byte order mark")
    try:
        found = json.loads(
            value.decode("utf-8"),
            object_pairs_hook=_names,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(found, dict) or _levels(found) > MAX_LEVELS:
        raise Unreadable("not an object, or too deep")
    return found


def moment_of(text: str) -> datetime | None:
    """The instant (UTC) of an RFC 3339 text with offset, to the microsecond; None if it is none."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, fraction, offset = found.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _well_formed(name: str, text: str) -> bool:
    match name:
        case "specversion":
            return text == "1.0"
        case "source":
            return SOURCE.fullmatch(text) is not None
        case "time" | "recordedtime":
            return moment_of(text) is not None
        case "id" | "subject" | "partitionkey" | "correlationid" | "causationid":
            return IDENTIFIER.fullmatch(text) is not None
        case "traceparent":
            return TRACEPARENT.fullmatch(text) is not None
        case "content-type":
            return CONTENT_TYPE.fullmatch(text.strip()) is not None
        case _:
            return bool(text) and text.isprintable() and " " not in text


def _attributes(record: Record) -> tuple[dict[str, str], frozenset[str]]:
    """Attributes by name, and the codes of headers that are null, repeated, malformed or unknown."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    codes: set[str] = set()
    for header, raw in record.headers:
        if not header.startswith("ce_") and header != "content-type":
            continue
        name = header.removeprefix("ce_")
        if header != "content-type" and name not in KNOWN:
            codes.add("field_unknown")
        text = _text(raw)
        if (
            header in seen
            or text is None
            or (name in KNOWN and not _well_formed(name, text))
            or (header == "content-type" and not _well_formed(header, text))
        ):
            codes.add("envelope_invalid")
        seen.add(header)
        found[name] = text or ""
    return found, frozenset(codes)


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _envelope_codes(record: Record, found: dict[str, str], types: frozenset[str]) -> set[str]:
    """Absent attributes, a key or partition key that differs, a subject that is no UUID where it must be."""
    subject = found.get("subject", "")
    wrong = any(name not in found for name in REQUIRED)
    wrong = wrong or (record.key is not None and record.key != subject.encode("utf-8", "surrogatepass"))
    wrong = wrong or ("partitionkey" in found and found["partitionkey"] != subject)
    wrong = wrong or (found.get("type") in types and UUID.fullmatch(subject) is None)
    return {"envelope_invalid"} if wrong else set()


def _readable_headers(record: Record) -> bool:
    size = sum(len(name.encode()) + len(value or b"") for name, value in record.headers)
    return len(record.headers) <= MAX_HEADERS and size <= MAX_HEADER_BYTES


def read(record: Record, types: frozenset[str]) -> tuple[frozenset[str], Envelope | None]:
    """All codes of stage 1, or the envelope. `types`: wire types whose subject is a registration id."""
    found, header_codes = _attributes(record)
    codes = set(header_codes) | _envelope_codes(record, found, types)
    data: dict[str, Any] = {}
    try:
        data = parse(record.value)
    except Unreadable:
        codes.add("record_unreadable")
    if record.key is None or not _readable_headers(record):
        codes.add("record_unreadable")
    time = moment_of(found.get("time", ""))
    if codes or time is None:
        return frozenset(codes), None
    return frozenset(), Envelope(found["id"], found["source"], found["type"], found["subject"], time, data)
