"""A partner's file of events: each line becomes a record, and a line that cannot be one is named."""

from __future__ import annotations

import json

import pytest

from senconet.publisher import EventFileError, Outgoing, Receipt, from_structured

EVENT = {
    "specversion": "1.0",
    "id": "first-1",
    "source": "/partners/quillmarsh/mis",
    "type": "uk.eysenco.trainee.resumed.v1",
    "subject": "11111111-1111-4111-8111-111111111111",
    "time": "2024-03-04T09:30:00Z",
    "data": {"cohort_code": "2024-march"},
}


def test_a_structured_event_becomes_a_record_in_binary_mode() -> None:
    assert from_structured(json.dumps(EVENT), 1) == Outgoing(
        b"11111111-1111-4111-8111-111111111111",
        b'{"cohort_code": "2024-march"}',
        (
            ("ce_specversion", b"1.0"),
            ("ce_id", b"first-1"),
            ("ce_source", b"/partners/quillmarsh/mis"),
            ("ce_type", b"uk.eysenco.trainee.resumed.v1"),
            ("ce_subject", b"11111111-1111-4111-8111-111111111111"),
            ("ce_time", b"2024-03-04T09:30:00Z"),
            ("content-type", b"application/json"),
        ),
    )


def test_a_content_type_of_the_event_is_kept() -> None:
    sent = from_structured(json.dumps(EVENT | {"datacontenttype": "text/plain"}), 1)
    assert sent.headers[-1] == ("content-type", b"text/plain")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{cut off",
        "[]",
        '"Jo Example"',
        "null",
        json.dumps({name: value for name, value in EVENT.items() if name != "data"}),
        json.dumps({name: value for name, value in EVENT.items() if name != "subject"}),
    ],
)
def test_a_line_that_is_no_event_is_named_without_its_content(line: str) -> None:
    with pytest.raises(EventFileError) as refused:
        from_structured(line, 17)
    assert str(refused.value) == "line 17 is not a CloudEvent in structured JSON with subject and data"


def test_the_codes_of_a_receipt_are_each_named_once_and_in_order() -> None:
    errors = [{"code": code} for code in ("schema_invalid", "field_unknown", "schema_invalid")]
    assert Receipt("r", 0, "rejected", {"errors": errors}).codes == ("schema_invalid", "field_unknown")
