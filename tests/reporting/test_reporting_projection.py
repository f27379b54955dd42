"""What is known follows from what was told, whatever the order."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.entries import entries
from services.reporting.partner_view import views
from services.reporting.periods import dated
from services.reporting.projection import Known, fold, read, take
from shared.records import RawRecord
from tests.reporting import told
from tests.reporting.told import ID, IDENTITY, PARTNER, at

JANUARY, FEBRUARY, MARCH, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 3, 6, 7))
REGISTERED = told.status(1, told.registered(JANUARY))
MENTORED = told.mentored(1, told.session(FEBRUARY))
NOTHING = Known(ID)


def folded(records: list[RawRecord]) -> Known:
    return fold(NOTHING, map(read, records))


def _records(versions: int) -> list[RawRecord]:
    numbers = range(1, versions + 1)
    statuses = [told.status(n, told.registered(JANUARY, cohort=f"c{n}")) for n in numbers]
    sessions = [told.mentored(n, *[told.session(FEBRUARY)] * n) for n in numbers]
    completions = [told.completion(n, JUNE if n % 2 else None) for n in numbers]
    return [told.record(state) for state in (*statuses, *sessions, *completions)]


@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_neither_order_nor_copies_matter(versions: int, random: Random) -> None:
    records = _records(versions)
    expected = folded(records)
    disordered = [*records, *random.sample(records, k=versions)]
    random.shuffle(disordered)
    assert folded(disordered) == expected
    assert expected.version == 3 * versions


@given(st.permutations([told.record(s) for s in (REGISTERED, MENTORED, told.completion(1, JUNE), IDENTITY)]))
def test_topics_may_be_read_in_any_order(records: list[RawRecord]) -> None:
    assert folded(records) == folded(sorted(records, key=lambda record: record.topic))


@pytest.mark.parametrize(("held", "told_later"), [(2, 1), (2, 2)])
def test_a_lower_or_equal_version_changes_nothing(held: int, told_later: int) -> None:
    before = folded([told.record(told.status(held, told.registered(JANUARY)))])
    assert take(before, read(told.record(told.status(told_later, told.registered(MARCH))))) == before


def test_an_identity_holds_until_it_is_erased() -> None:
    named = folded([told.record(REGISTERED), told.record(IDENTITY)])
    assert named.identity is not None
    assert named.identity.refs == {PARTNER: "ref-1"}
    assert take(named, read(told.record(None))) == told.known(REGISTERED)


def test_nothing_is_shown_or_counted_before_the_status_is_known() -> None:
    early = folded([told.record(s) for s in (told.completion(1, JUNE), MENTORED, IDENTITY)])
    assert (views(early), dated(early), entries(early)) == ({}, (), {})


def test_training_starts_with_the_earliest_activity_attended_or_submission() -> None:
    missed, held = told.session(FEBRUARY, attended=False), told.mentoring(JUNE)
    submitted = told.assessed(1, told.attempt(MARCH))
    assert told.known(REGISTERED, told.mentored(1, missed, held)).start == JUNE
    assert told.known(REGISTERED, told.mentored(1, missed, held), submitted).start == MARCH
    assert told.known(REGISTERED, told.mentored(1, missed)).start is None


def test_a_fact_is_whose_it_was_sent_by_and_what_is_derived_is_nobodys() -> None:
    assert read(told.record(REGISTERED, partner=PARTNER)).fact == ("enrolment.facts", ID, 1, PARTNER)
    assert read(told.record(REGISTERED)).fact is None
    assert read(told.record(IDENTITY)).fact is None


def test_a_completion_before_the_registration_is_none() -> None:
    assert told.known(told.status(2, told.registered(JULY)), None, told.completion(1, JUNE)).completed is None
    assert told.known(REGISTERED, None, told.completion(1, JUNE)).completed is not None
