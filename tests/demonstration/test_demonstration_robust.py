"""Whatever bytes, data and times arrive, the judge answers, and never accepts what is not valid."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senconet.demonstration.judge import fold
from senconet.demonstration.model import Answer, Record
from senconet.demonstration.reference import reference

PARTNER, SUBJECT = "quillmarsh", "11111111-1111-4111-8111-111111111111"
REFERENCE = reference([])
REGISTERED = {
    "trainee_id": "33333333-3333-4333-8333-333333333333",
    "partner_ref": "Q-1",
    "cohort_code": "2023-january",
    "setting_urn": "SY1",
    "provider_type": "Childminders",
    "role": "senco",
    "level3_full_relevant": True,
    "places_allocation": "contract_2022",
}
HEADERS = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"r"),
    ("ce_source", b"/partners/quillmarsh/mis"),
    ("ce_type", b"uk.eysenco.trainee.registered.v1"),
    ("ce_subject", SUBJECT.encode()),
    ("ce_time", b"2023-01-03T10:00:00Z"),
)
REG = Record(SUBJECT.encode(), json.dumps(REGISTERED).encode(), HEADERS)


def answers_to(*records: Record) -> tuple[Answer, ...]:
    """The answers to one partner's records."""
    received = datetime(2026, 6, 1, 12, tzinfo=UTC)
    return fold(REFERENCE, PARTNER, records, received=received).answers[PARTNER]


def test_the_faultless_record_is_accepted() -> None:
    assert answers_to(REG)[0].outcome == "accepted"


HEADER = st.tuples(
    st.sampled_from(["ce_id", "ce_time", "ce_type", "ce_subject", "ce_source", "ce_x", "content-type", "other"]),
    st.none() | st.binary(max_size=12),
)


@settings(max_examples=50, deadline=None)
@given(st.none() | st.binary(max_size=40), st.none() | st.binary(max_size=60), st.lists(HEADER, max_size=6))
def test_no_bytes_break_the_judge(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    answers = answers_to(
        Record(key, value, tuple(headers)),
        Record(REG.key, value, REG.headers),
        Record(REG.key, REG.value, (*REG.headers, *headers)),
    )
    assert len(answers) == 3
    assert all(answer.codes for answer in answers[:2])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(list(REGISTERED)), JSON)
def test_no_data_breaks_the_judge(name: str, value: Any) -> None:
    value = json.dumps(REGISTERED | {name: value, "capacity": value}).encode()
    codes = answers_to(Record(REG.key, value, REG.headers))[0].codes
    assert codes & {"schema_invalid", "record_unreadable", "field_unknown"}


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2023-01-01T24:00:00Z",
        "2023-01-03T10:00:00+25:00",
    ],
)
def test_times_at_the_edge_break_nothing(time: str) -> None:
    headers = tuple(pair for pair in REG.headers if pair[0] != "ce_time")
    found = Record(REG.key, REG.value, (*headers, ("ce_time", time.encode())))
    assert answers_to(found)[0].outcome == "rejected"
