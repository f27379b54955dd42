"""What spoils a faultless registration, and the codes for it: F38 to F49 of the faults that every log must bear.

Header names that a Kafka client cannot carry are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from senconet.demonstration.model import Record
from senconet.demonstration.wire import header, without

Spoil = Callable[[Record], Record]

PREFIX: Final = "uk.eysenco."
CAPACITY: Final = {"protected_time_hours_per_week": 2, "training_in_working_hours": True, "cover_available": True}
WITHDREW: Final = {"reason": "other", "trigger": "trainee"}


def value(content: bytes | None) -> Spoil:
    """Another value."""
    return lambda record: replace(record, value=content)


def member(text: bytes) -> Spoil:
    """One more member at the start of the object."""
    return lambda record: replace(record, value=b"{" + text + b"," + (record.value or b"").lstrip()[1:])


def data(**changes: Any) -> Spoil:
    """The data with some fields changed."""
    return lambda record: replace(record, value=json.dumps(json.loads(record.value or b"{}") | changes).encode())


def attribute(name: str, content: bytes | None) -> Spoil:
    """Another CloudEvents attribute."""
    return lambda record: header(record, f"ce_{name}", content)


def both(first: Spoil, second: Spoil) -> Spoil:
    """One after the other."""
    return lambda record: second(first(record))


def padded(length: int) -> Spoil:
    """The same object, with space up to a length."""
    return lambda record: replace(record, value=(record.value or b"").ljust(length))


def more_headers(*pairs: tuple[str, bytes | None]) -> Spoil:
    """Headers added as they are, also under a name that is there."""
    return lambda record: replace(record, headers=(*record.headers, *pairs))


def keyed(key: bytes | None) -> Spoil:
    """Another key."""
    return lambda record: replace(record, key=key)


def withdrew(time: bytes, **more: str) -> Spoil:
    """A withdrawal at a time."""
    body = json.dumps(WITHDREW | more).encode()
    kind = attribute("type", f"{PREFIX}trainee.withdrew.v1".encode())
    return both(both(value(body), kind), attribute("time", time))


def subjected(text: str) -> Spoil:
    """Another subject, with its key."""
    return both(keyed(text.encode()), attribute("subject", text.encode()))


UNREADABLE, INVALID, SCHEMA, UNKNOWN = "record_unreadable", "envelope_invalid", "schema_invalid", "field_unknown"
_CASES: Final[tuple[tuple[str, tuple[str, ...] | str, Spoil], ...]] = (
    # F38: JSON that is none
    ("a word", UNREADABLE, value(b"registered")),
    ("an object cut off", UNREADABLE, value(b'{"trainee_id": "4444')),
    ("a comma too many", UNREADABLE, value(b'{"role": "senco",}')),
    ("single quotes", UNREADABLE, value(b"{'role': 'senco'}")),
    ("a comment", UNREADABLE, value(b'{} // "none"')),
    ("the word null", UNREADABLE, value(b"null")),
    ("a string", UNREADABLE, value(b'"senco"')),
    ("an empty object", SCHEMA, value(b"{}")),
    ("space alone", UNREADABLE, value(b" \n ")),
    ("a control character in a string", UNREADABLE, member(b'"a":"\x01"')),
    # F39: what is not UTF-8
    ("a value that is not UTF-8", UNREADABLE, member(b'"a":"\xc3\x28"')),
    ("a surrogate in UTF-8", UNREADABLE, member(b'"a":"\xed\xa0\x80"')),
    ("an overlong slash", UNREADABLE, member(b'"a":"\xc0\xaf"')),
    ("a key that is not UTF-8", INVALID, keyed(b"\xff\xfe\x00")),
    ("a source that is not UTF-8", INVALID, attribute("source", b"/partners/\xff/mis")),
    ("a content type that is not UTF-8", INVALID, lambda record: header(record, "content-type", b"\xff")),
    ("a lone surrogate in a reference", SCHEMA, data(partner_ref="\ud800")),
    ("a lone surrogate in a field's name", UNKNOWN, data(**{"\udfff": 1})),
    ("a lone surrogate in an inner field's name", UNKNOWN, data(capacity=CAPACITY | {"\ud800": 1})),
    ("another header that is not UTF-8", (), more_headers(("x-note", b"\xff\xfe"))),
    # F40: sizes
    ("64 KiB exactly", (), padded(65_536)),
    ("64 KiB and one byte", UNREADABLE, padded(65_537)),
    ("nearly a mebibyte", UNREADABLE, padded(1_000_000)),
    # F41: types and versions
    ("a type of no catalogue", "type_unknown", attribute("type", b"uk.eysenco.trainee.abducted.v1")),
    ("version 0", "type_unknown", attribute("type", b"uk.eysenco.trainee.registered.v0")),
    ("version 2", "type_unknown", attribute("type", b"uk.eysenco.trainee.registered.v2")),
    ("a type in capitals", "type_unknown", attribute("type", b"UK.EYSENCO.TRAINEE.REGISTERED.V1")),
    ("a notice as an event", "type_unknown", attribute("type", b"uk.eysenco.submission.accepted.v1")),
    ("an empty type", INVALID, attribute("type", b"")),
    # F42: whose source
    ("the source of nobody", "source_not_yours", attribute("source", b"/partners/somebody-else/mis")),
    ("the lead's source", "source_not_yours", attribute("source", b"/partners/lead/mis")),
    ("a source outside", INVALID, attribute("source", b"https://example.org/mis")),
    ("a source without system", INVALID, attribute("source", b"/partners/quillmarsh")),
    ("a source in capitals", INVALID, attribute("source", b"/partners/QUILLMARSH/mis")),
    # F43: the key
    ("no key", UNREADABLE, keyed(None)),
    ("an empty key", INVALID, keyed(b"")),
    ("another's key", INVALID, keyed(b"00000000-0000-4000-8000-000000000000")),
    ("a subject that is no UUID", INVALID, subjected("trainee-1")),
    ("a UUID in capitals", INVALID, subjected("AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA")),
    ("a UUID in braces", INVALID, subjected("{11111111-1111-4111-8111-111111111111}")),
    # F44: no value at all
    ("a tombstone", UNREADABLE, value(None)),
    ("a tombstone without key", UNREADABLE, both(value(None), keyed(None))),
    ("no bytes", UNREADABLE, value(b"")),
    # F45: headers
    ("ten thousand headers", UNREADABLE, more_headers(*((f"x-{i}", b"") for i in range(10_000)))),
    ("a header of half a megabyte", UNREADABLE, more_headers(("x-large", b"h" * 500_000))),
    ("64 headers", (), lambda record: _up_to(record, 64)),
    ("65 headers", UNREADABLE, lambda record: _up_to(record, 65)),
    ("no headers", INVALID, lambda record: replace(record, headers=())),
    ("a source without value", INVALID, attribute("source", None)),
    ("the type twice", INVALID, more_headers(("ce_type", b"uk.eysenco.trainee.registered.v1"))),
    ("the content type twice", INVALID, more_headers(("content-type", b"application/json"))),
    ("another header twice and null", (), more_headers(("x-note", b"1"), ("x-note", None))),
    ("an unknown attribute without value", (UNKNOWN, INVALID), attribute("colour", None)),
    ("an unknown attribute twice", (UNKNOWN, INVALID), more_headers(("ce_colour", b"1"), ("ce_colour", b"1"))),
    ("an attribute in capitals", UNKNOWN, attribute("ID", b"f-1")),
    ("an attribute with a name of a person", UNKNOWN, attribute("Zo\u00eb Example", b"1")),
    # F46: depth
    ("thirty thousand levels left open", UNREADABLE, value(b"[" * 30_000)),
    ("a hundred thousand levels", UNREADABLE, value(b'{"a":' * 100_000)),
    ("33 levels", UNREADABLE, member(b'"a":' + b"[" * 32 + b"]" * 32)),
    ("32 levels", UNKNOWN, member(b'"a":' + b"[" * 31 + b"]" * 31)),
    ("a row of forty brackets in a string", SCHEMA, data(partner_ref="[" * 40)),
    # F47: numbers and names
    ("minus infinity", UNREADABLE, member(b'"a":-Infinity')),
    ("infinity", UNREADABLE, member(b'"a":Infinity')),
    ("not a number", UNREADABLE, member(b'"a":NaN')),
    ("beyond every finite number", UNREADABLE, member(b'"a":-1e999')),
    ("an integer of five thousand digits", UNREADABLE, member(b'"a":' + b"9" * 5000)),
    ("2 to the 53rd", UNREADABLE, member(b'"a":9007199254740992')),
    ("the largest integer", UNKNOWN, member(b'"a":9007199254740991')),
    ("a leading zero", UNREADABLE, member(b'"a":007')),
    ("the same name twice", UNREADABLE, member(b'"a":1,"a":1')),
    ("the same name twice within", UNREADABLE, member(b'"a":[{"b":1,"b":2}]')),
    ("hours that are no number", SCHEMA, data(capacity={"protected_time_hours_per_week": True})),
    ("null for what may be left out", SCHEMA, data(capacity=None)),
    ("null for what must be there", SCHEMA, data(role=None)),
    # F48: times
    ("year 1", "code_not_in_list", withdrew(b"0001-01-01T00:00:00Z")),
    ("year 1 before it began", INVALID, withdrew(b"0001-01-01T00:00:00+14:00")),
    ("year 1 to the day", ("code_not_in_list", SCHEMA), withdrew(b"0001-01-01T00:00:00Z", time_precision="day")),
    ("year 0", INVALID, attribute("time", b"0000-12-31T00:00:00Z")),
    ("year 9999", "time_in_future", attribute("time", b"9999-12-31T23:59:59.999999Z")),
    ("year 9999 and over", INVALID, attribute("time", b"9999-12-31T23:59:59-14:00")),
    ("year 10000", INVALID, attribute("time", b"10000-01-01T00:00:00Z")),
    ("29 February of no leap year", INVALID, attribute("time", b"2023-02-29T10:00:00Z")),
    ("an offset of fourteen hours", (), attribute("time", b"2023-01-03T23:00:00+14:00")),
    ("an offset of a day", INVALID, attribute("time", b"2023-01-03T10:00:00+24:00")),
    ("an offset without colon", INVALID, attribute("time", b"2023-01-03T10:00:00+0000")),
    ("no offset", INVALID, attribute("time", b"2023-01-03T10:00:00")),
    ("hour 24", INVALID, attribute("time", b"2023-01-03T24:00:00Z")),
    ("seven digits of a second", INVALID, attribute("time", b"2023-01-03T10:00:00.0000001Z")),
    ("digits of another script", INVALID, attribute("time", "\uff12\uff10\uff12\uff13-01-03T10:00:00Z".encode())),
    ("ten years ahead", "time_in_future", attribute("time", b"2036-12-01T10:00:00Z")),
    ("a day of summer at midnight in Greenwich", SCHEMA, withdrew(b"2023-06-01T00:00:00Z", time_precision="day")),
    ("a small t and z", (), attribute("time", b"2023-01-03t10:00:00.5z")),
    # F49: characters
    ("NUL in a reference", SCHEMA, data(partner_ref="Q\u0000")),
    ("NUL in an id", INVALID, attribute("id", b"f\x00")),
    ("a line feed after an id", INVALID, attribute("id", b"f-1\n")),
    ("a line feed after a reference", SCHEMA, data(partner_ref="Q-1\n")),
    ("a right-to-left mark in an id", INVALID, attribute("id", "f\u200f1".encode())),
    ("a name of ten thousand characters", UNKNOWN, data(**{"n" * 10_000: 1})),
    ("an id of 65 characters", INVALID, attribute("id", b"i" * 65)),
    ("an id of 64 characters", (), attribute("id", b"i" * 64)),
    ("a Cyrillic letter in a reference", SCHEMA, data(partner_ref="\u0410-1")),
    ("digits of another script in a UUID", SCHEMA, data(trainee_id="\uff144444441-4444-4444-8444-444444444444")),
    (
        "a content type with charset",
        (),
        lambda record: header(record, "content-type", b"application/json; charset=UTF-8"),
    ),
    (
        "a content type of another charset",
        INVALID,
        lambda record: header(record, "content-type", b"application/json; charset=latin-1"),
    ),
    ("no content type", (), lambda record: without(record, "content-type")),
)


def _up_to(record: Record, count: int) -> Record:
    names = range(count - len(record.headers))
    return replace(record, headers=(*record.headers, *((f"x-{name}", b"") for name in names)))


def _table() -> Iterator[tuple[str, tuple[frozenset[str], Spoil]]]:
    for name, codes, spoil in _CASES:
        yield name, (frozenset((codes,) if isinstance(codes, str) else codes), spoil)


ODD: Final = dict(_table())
