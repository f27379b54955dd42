"""What one partner cannot do to all: make answers, waits or histories without a bound."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared import contract, topics
from shared.batch import MAX_WAITING
from shared.contract import MAX_PROBLEMS, Refusal
from shared.messages import Answer, receipt
from shared.records import MAX_VALUE_BYTES, RawRecord, compact
from shared.reference import Reference
from tests.support.memory import NOW, System

TRAINEE = "3f1c5d0e-8a43-4a51-9d7a-0a6f6b1c2d01"


def record(offset: int, fact: str, data: dict[str, object], time: str = "2026-01-10T10:00:00Z") -> RawRecord:
    """A record of the partner `ash`."""
    attributes = {
        "specversion": "1.0",
        "id": f"e-{offset}",
        "source": "/partners/ash/mis",
        "type": f"uk.eysenco.trainee.{fact}.v1",
        "subject": TRAINEE,
        "time": time,
    }
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    value = json.dumps(data, separators=(",", ":")).encode()
    return RawRecord(topics.events("ash"), 0, offset, NOW, TRAINEE.encode(), value, headers)


def refused(raw: RawRecord) -> tuple[Refusal, int]:
    """The refusal of a record, and how many bytes the answer takes."""
    refusal = contract.read(raw, Reference())
    assert isinstance(refusal, Refusal)
    answer = Answer(refusal.position, refusal.sender, refusal.received, "rejected", "r1", refusal.problems)
    return refusal, len(receipt("enrolment", answer, NOW).value or b"")


FIELDS = {f"f{n}": 0 for n in range(6000)}


@pytest.mark.parametrize("data", [FIELDS, FIELDS | {"cohort_code": 0}, {"cohort_code": "c\u0000"} | FIELDS])
def test_the_answer_to_thousands_of_unknown_fields_is_short_and_names_each_code(data: dict[str, object]) -> None:
    raw = record(0, "resumed", data)
    assert len(raw.value or b"") < MAX_VALUE_BYTES
    refusal, size = refused(raw)
    assert len(refusal.problems) == MAX_PROBLEMS
    codes = {"field_unknown", "schema_invalid"} if "cohort_code" in data else {"field_unknown"}
    assert {problem.code for problem in refusal.problems} == codes
    assert size < 500 * MAX_PROBLEMS


def test_the_answer_to_a_list_of_thousands_of_wrong_values_is_short() -> None:
    raw = record(0, "registered", {"prior_training": [0] * 30_000})
    assert len(raw.value or b"") < MAX_VALUE_BYTES
    assert refused(raw)[1] < 500 * MAX_PROBLEMS


def test_the_answer_to_thousands_of_headers_is_short() -> None:
    raw = record(0, "resumed", {})
    refusal, size = refused(replace(raw, headers=(*raw.headers, *((f"ce_x{n}", b"") for n in range(20_000)))))
    assert {problem.code for problem in refusal.problems} == {"record_unreadable", "field_unknown"}
    assert size < 500 * MAX_PROBLEMS


def events(system: System, raws: list[RawRecord]) -> list[str]:
    """The outcomes that the door writes down of some records, in order."""
    system.enrolment.take([contract.read(raw, system.reference) for raw in raws])
    return [answers[-1]["outcome"] for _, answers in sorted(system.answers().items(), key=lambda item: item[0].offset)]


def test_of_one_registration_so_many_records_of_a_topic_wait_and_no_more() -> None:
    system = System(Reference(), {})
    raws = [record(offset, "completed", {}) for offset in range(MAX_WAITING + 3)]
    assert events(system, raws) == ["rejected"] * 3
    assert len(system.enrolment.world.holds[TRAINEE]) == MAX_WAITING


def test_what_waits_takes_no_more_room_than_what_it_says() -> None:
    plain = record(0, "completed", {})
    filler = (("tracking", b"." * 7000),)
    large = replace(plain, value=b"{" + b" " * (MAX_VALUE_BYTES - 2) + b"}", headers=plain.headers + filler)
    assert isinstance(contract.read(large, Reference()), contract.Event)
    assert compact(large) == plain
