"""Bad records of stage 1: not readable, or not a valid envelope."""

from __future__ import annotations

from dataclasses import replace

from senconet.demonstration.bad import Table, spoiled
from senconet.demonstration.model import Record
from senconet.demonstration.wire import header, without

RECORD: Table = {}
UNREADABLE, INVALID = "record_unreadable", "envelope_invalid"


def _value(record: Record) -> bytes:
    return record.value or b""


def _with(record: Record, member: bytes) -> Record:
    """The record with one more member at the start of its object."""
    return replace(record, value=b"{" + member + b"," + _value(record).lstrip()[1:])


@spoiled(RECORD, UNREADABLE)
def key_null(record: Record) -> Record:
    """No key."""
    return replace(record, key=None)


@spoiled(RECORD, UNREADABLE)
def value_tombstone(record: Record) -> Record:
    """No value."""
    return replace(record, value=None)


@spoiled(RECORD, UNREADABLE)
def value_empty(record: Record) -> Record:
    """A value of no bytes."""
    return replace(record, value=b"")


@spoiled(RECORD, UNREADABLE)
def byte_order_mark(record: Record) -> Record:
    """A byte order mark before the object."""
    return replace(record, value=b"\xef\xbb\xbf" + _value(record))


@spoiled(RECORD, UNREADABLE)
def bad_utf8(record: Record) -> Record:
    """A reference in Latin-1."""
    return _with(record, b'"partner_name":"Caf\xe9"')


@spoiled(RECORD, UNREADABLE)
def utf16(record: Record) -> Record:
    """UTF-16 instead of UTF-8."""
    return replace(record, value=_value(record).decode().encode("utf-16"))


@spoiled(RECORD, UNREADABLE)
def not_a_number(record: Record) -> Record:
    """NaN, which JSON does not know."""
    return _with(record, b'"hours":NaN')


@spoiled(RECORD, UNREADABLE)
def infinite_number(record: Record) -> Record:
    """A number beyond every finite one."""
    return _with(record, b'"hours":1e999')


@spoiled(RECORD, UNREADABLE)
def integer_too_large(record: Record) -> Record:
    """An integer beyond 2^53 - 1."""
    return _with(record, b'"hours":9007199254740993')


@spoiled(RECORD, UNREADABLE)
def duplicate_name(record: Record) -> Record:
    """The same name twice."""
    return _with(record, b'"role":"senco"')


@spoiled(RECORD, UNREADABLE)
def duplicate_name_inside(record: Record) -> Record:
    """The same name twice in an inner object, once spelled with an escape."""
    return _with(record, b'"more":{"cover":true,"\\u0063over":false}')


@spoiled(RECORD, UNREADABLE)
def nested_too_deep(record: Record) -> Record:
    """Forty levels."""
    return _with(record, b'"more":' + b"[" * 40 + b"]" * 40)


@spoiled(RECORD, UNREADABLE)
def nested_without_end(record: Record) -> Record:
    """Thousands of levels, which break a careless reader."""
    return _with(record, b'"more":' + b"[" * 30_000 + b"]" * 30_000)


@spoiled(RECORD, UNREADABLE)
def value_too_large(record: Record) -> Record:
    """Over 64 KiB, all of it space."""
    return replace(record, value=_value(record) + b" " * 65_536)


@spoiled(RECORD, UNREADABLE)
def value_an_array(record: Record) -> Record:
    """The object inside an array."""
    return replace(record, value=b"[" + _value(record) + b"]")


@spoiled(RECORD, UNREADABLE)
def value_cut_off(record: Record) -> Record:
    """The last bytes are missing."""
    return replace(record, value=_value(record)[:-9])


@spoiled(RECORD, UNREADABLE)
def value_two_objects(record: Record) -> Record:
    """Two objects, one after the other."""
    return replace(record, value=_value(record) + b"\n" + _value(record))


@spoiled(RECORD, UNREADABLE)
def too_many_headers(record: Record) -> Record:
    """Over 64 headers."""
    more = tuple((f"x-{i}", b"1") for i in range(70))
    return replace(record, headers=record.headers + more)


@spoiled(RECORD, UNREADABLE)
def headers_too_large(record: Record) -> Record:
    """Over 8 KiB of headers."""
    return header(record, "x-trace", b"t" * 9000)


@spoiled(RECORD, INVALID)
def id_absent(record: Record) -> Record:
    """No id."""
    return without(record, "ce_id")


@spoiled(RECORD, INVALID)
def source_absent(record: Record) -> Record:
    """No source."""
    return without(record, "ce_source")


@spoiled(RECORD, INVALID)
def type_absent(record: Record) -> Record:
    """No type."""
    return without(record, "ce_type")


@spoiled(RECORD, INVALID)
def subject_absent(record: Record) -> Record:
    """No subject, so that the key equals none."""
    return without(record, "ce_subject")


@spoiled(RECORD, INVALID)
def time_absent(record: Record) -> Record:
    """No time."""
    return without(record, "ce_time")


@spoiled(RECORD, INVALID)
def specversion_absent(record: Record) -> Record:
    """No specversion."""
    return without(record, "ce_specversion")


@spoiled(RECORD, INVALID)
def specversion_old(record: Record) -> Record:
    """CloudEvents 0.3."""
    return header(record, "ce_specversion", b"0.3")


@spoiled(RECORD, INVALID)
def id_repeated(record: Record) -> Record:
    """The id twice."""
    return replace(record, headers=(*record.headers, ("ce_id", b"again")))


@spoiled(RECORD, INVALID)
def id_null(record: Record) -> Record:
    """An id without a value."""
    return header(record, "ce_id", None)


@spoiled(RECORD, INVALID)
def id_not_utf8(record: Record) -> Record:
    """An id in no known encoding."""
    return header(record, "ce_id", b"ev-\xff\xfe")


@spoiled(RECORD, INVALID)
def id_with_space(record: Record) -> Record:
    """An id that is no identifier."""
    return header(record, "ce_id", b"event no 7")


@spoiled(RECORD, INVALID)
def time_without_offset(record: Record) -> Record:
    """A local time of nowhere."""
    return header(record, "ce_time", b"2023-02-03T10:00:00")


@spoiled(RECORD, INVALID)
def time_impossible(record: Record) -> Record:
    """The 30th of February."""
    return header(record, "ce_time", b"2023-02-30T10:00:00Z")


@spoiled(RECORD, INVALID)
def time_in_words(record: Record) -> Record:
    """A date as people write it."""
    return header(record, "ce_time", b"3 February 2023")


@spoiled(RECORD, INVALID)
def key_not_subject(record: Record) -> Record:
    """A key that is another's."""
    return replace(record, key=b"00000000-0000-4000-8000-000000000000")


@spoiled(RECORD, INVALID)
def partitionkey_not_subject(record: Record) -> Record:
    """A partition key that is another's."""
    return header(record, "ce_partitionkey", b"00000000-0000-4000-8000-000000000000")


@spoiled(RECORD, INVALID)
def content_type_other(record: Record) -> Record:
    """Text instead of JSON."""
    return header(record, "content-type", b"text/plain")


@spoiled(RECORD, INVALID)
def recordedtime_without_offset(record: Record) -> Record:
    """A time of recording without offset."""
    return header(record, "ce_recordedtime", b"2023-02-03T10:00:00")


@spoiled(RECORD, "field_unknown")
def attribute_unknown(record: Record) -> Record:
    """An attribute that the contract does not have."""
    return header(record, "ce_traineename", b"none")


@spoiled(RECORD, INVALID, "field_unknown")
def attribute_unknown_and_id_absent(record: Record) -> Record:
    """Two errors of one stage."""
    return header(without(record, "ce_id"), "ce_priority", b"high")


@spoiled(RECORD, UNREADABLE, INVALID)
def cut_off_and_time_absent(record: Record) -> Record:
    """The value and the envelope both."""
    return without(value_cut_off(record), "ce_time")
