"""The reader and the independent key find the same faults in records of which anything may be wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from senconet.demonstration.judge import judge
from senconet.demonstration.model import LEAD, Record
from senconet.demonstration.wire import Event, header, wire, without
from shared import contract, topics
from shared.contract import Refusal
from shared.records import RawRecord
from tests.support.agreement import GIVEN
from tests.support.contents import OURS, Choose, registration
from tests.support.memory import NOW
from tests.support.odd_bytes import CAPACITY
from tests.support.telling import REFERENCE, TRAINEE

VOID = {"target_id": "a", "cause": "duplicate"}
GOOD: dict[str, dict[str, Any]] = {
    "registered": registration(TRAINEE) | {"capacity": CAPACITY, "prior_training": ["none"]},
    "deferred": {"reason": "bereavement", "expected_return": "2023-02-01"},
    "resumed": {"cohort_code": "2023-march"},
    "withdrew": {"reason": "other", "trigger": "trainee", "last_engaged_on": "2023-01-01"},
    "completed": {"final_decision_id": "d"},
    "withdrew.voided": VOID,
    "completed.voided": VOID,
}
NAMES = (
    "time_precision",
    "reason",
    "note",
    "expected_return",
    "role",
    "capacity",
    "prior_training",
    "target_id",
    "\u00e9",
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2.5, 40, 40.0, 41, -0.5, 1e22, "", "x", "a b", "day", "other", "started-in-error"),
    *("2023-01-01", "2023-02-29", "0000-01-01", "i" * 64, "i" * 65, "\u0000", "bereavement", TRAINEE, "senco"),
    *([], ["none"], ["none", "none"], ["x"], [None], {}, {"a": 1}, {"protected_time_hours_per_week": 2}),
)
HEADERS = (
    "id",
    "source",
    "subject",
    "time",
    "specversion",
    "partitionkey",
    "recordedtime",
    "correlationid",
    "traceparent",
    "x",
)
TEXTS: tuple[bytes | None, ...] = (
    *(None, b"", b"x", b" ", b"1.0", b"\xff", b"a\n", b"i" * 64, b"i" * 65, b"/partners/", b"/partners//mis"),
    *(b"/partners/quillmarsh/", b"/partners/emberfold/mis", b"/partners/quillmarsh/\xc3\xa9", TRAINEE.encode()),
    *(b"2023-01-01T00:00:00Z", b"2023-01-01 00:00:00Z", b"2023-01-01T00:00:00-00:00", b"2023-01-01T00:00:00+00:60"),
    b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
)
TIMES = (
    *(datetime(2023, 1, 3, 10, tzinfo=UTC), datetime(2023, 1, 3, tzinfo=UTC), datetime(2022, 7, 1, tzinfo=UTC)),
    *(
        datetime(2023, 5, 31, 23, tzinfo=UTC),
        datetime(2023, 6, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 12, 5, tzinfo=UTC),
    ),
    datetime(2026, 11, 1, 12, 5, 0, 1, tzinfo=UTC),
)


def anything(choose: Choose) -> tuple[str, Record]:
    """A record that is right but for a few changes, with the partner that sends it."""
    partner, fact = choose((OURS, OURS, LEAD)), choose(tuple(GOOD))
    data = dict(GOOD[fact])
    for _ in range(choose((0, 1, 1, 2, 3))):
        name = choose((*data, *data, *NAMES))
        if choose(range(6)) == 0:
            data.pop(name, None)
        else:
            data[name] = choose(VALUES)
    record = wire(Event(partner, TRAINEE, fact, choose(TIMES), data, "id-1", fact, style=1))
    for _ in range(choose((0, 0, 1, 2))):
        record = _changed(record, f"ce_{choose(HEADERS)}", choose)
    return partner, record


def _changed(record: Record, name: str, choose: Choose) -> Record:
    match choose(("without", "twice", "other", "other", "other")):
        case "without":
            return without(record, name)
        case "twice":
            return replace(record, headers=(*record.headers, (name, choose(TEXTS))))
    return header(record, name, choose(TEXTS))


def found(partner: str, record: Record) -> frozenset[str]:
    """The codes of the reader."""
    raw = RawRecord(topics.events(partner), 0, 0, NOW, record.key, record.value, record.headers)
    read = contract.read(raw, REFERENCE)
    return frozenset(problem.code for problem in read.problems) if isinstance(read, Refusal) else frozenset()


def expected(partner: str, record: Record) -> frozenset[str]:
    """The codes of the key, where the record alone decides."""
    answer = judge(GIVEN, [{partner: (record,)}], received=NOW).answers[partner][0]
    of_history = {
        "registration_unknown",
        "target_unknown",
        "cohort_closed",
        "partnership_not_active",
        "time_before_cohort",
    }
    return answer.codes - of_history - {"not_eligible"}


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_reader_and_key_find_the_same(data: st.DataObject) -> None:
    partner, record = anything(lambda options: data.draw(st.sampled_from(list(options))))
    assert found(partner, record) == expected(partner, record), json.dumps(str(record))


def test_a_large_fixed_sample_is_found_alike_and_half_of_it_is_wrong() -> None:
    sample = [anything(Random(seed).choice) for seed in range(3000)]
    codes = [found(partner, record) for partner, record in sample]
    assert [seed for seed, sent in enumerate(sample) if codes[seed] != expected(*sent)] == []
    assert len(sample) / 2 < sum(map(bool, codes)) < len(sample)
