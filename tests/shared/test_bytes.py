"""Whatever bytes a partner sends, the reader names what is wrong with them, and the independent key agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senconet.demonstration.judge import judge
from senconet.demonstration.model import Record
from shared import contract, topics
from shared.contract import Event, Refusal
from shared.records import RawRecord, compact, dump, load
from tests.support.agreement import GIVEN
from tests.support.bytes_table import Row, rows
from tests.support.histories import OURS
from tests.support.memory import NOW, reference_of

TABLE = rows(OURS)
REFERENCE, _ = reference_of(GIVEN)


def raw(record: Record) -> RawRecord:
    return RawRecord(topics.events(OURS), 0, 7, NOW, record.key, record.value, record.headers)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_reader_answers_the_codes_of_the_table(row: Row) -> None:
    read = contract.read(raw(row.record), REFERENCE)
    assert isinstance(read, Refusal if row.codes else Event)
    problems = read.problems if isinstance(read, Refusal) else ()
    assert {problem.code for problem in problems} == row.codes
    assert all(problem.message for problem in problems)


def test_the_independent_key_answers_the_table_alike() -> None:
    key = judge(GIVEN, [{OURS: tuple(row.record for row in TABLE)}], received=NOW)
    assert {row.name: answer.codes for row, answer in zip(TABLE, key.answers[OURS], strict=True)} == {
        row.name: row.codes for row in TABLE
    }


def test_the_table_has_every_code_of_the_first_two_stages_and_each_name_once() -> None:
    assert frozenset().union(*(row.codes for row in TABLE)) == {
        "record_unreadable",
        "envelope_invalid",
        "field_unknown",
        "source_not_yours",
        "type_unknown",
        "schema_invalid",
        "code_not_in_list",
        "use_void",
        "use_transfer",
        "target_not_yours",
        "time_in_future",
    }
    assert len({row.name for row in TABLE}) == len(TABLE) > 150


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_record_in_quarantine_is_kept_whole(row: Row) -> None:
    assert load(dump(raw(row.record))) == raw(row.record)


@pytest.mark.parametrize("row", [row for row in TABLE if not row.codes], ids=lambda row: row.name)
def test_what_waits_says_the_same_when_it_is_loaded(row: Row) -> None:
    record = raw(row.record)
    event, kept = contract.read(record, REFERENCE), load(dump(compact(record)))
    assert isinstance(event, Event)
    assert contract.read_again(kept) == replace(event, raw=kept)
