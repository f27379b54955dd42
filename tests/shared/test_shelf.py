"""What is kept of registrations between two batches is used again only if the database still says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.clock import Moment
from shared.events.catalogue import COMPLETED
from shared.history import Fact, Ledger, history_of
from shared.reference import Reference
from shared.shelf import LedgerShelf, mark_of
from shared.status import Period, Status

AT = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)
RULES = Reference()


def ledger(registration: str = "first", facts: int = 0) -> Ledger:
    """A registration with so many facts."""
    came = tuple(Fact(COMPLETED, "ab", "/partners/ab/mis", str(n), Moment(AT, 15), AT, {}) for n in range(facts))
    return Ledger(registration, b"key", history_of(came), status(3), 7, AT)


def status(version: int) -> Status:
    period = Period(
        begins=AT, order=0, state="registered", partner="ab", cohort="c", setting_key="s", provider_type="Childminders"
    )
    return Status(version=version, periods=(period,))


@pytest.fixture
def shelf() -> LedgerShelf:
    return LedgerShelf(most_facts=10).under(RULES)


def test_a_registration_is_found_as_it_was_kept(shelf: LedgerShelf) -> None:
    kept = ledger()
    shelf.keep([kept])
    assert shelf.find("first", mark_of(kept)) is kept
    assert shelf.find("second", mark_of(kept)) is None


@pytest.mark.parametrize(
    "changed",
    [
        replace(ledger(), version=8),
        replace(ledger(), digest_key=b"another"),
        replace(ledger(), decided=AT.replace(microsecond=1)),
        replace(ledger(), status=status(4)),
        replace(ledger(), status=None),
    ],
)
def test_a_registration_that_another_has_changed_since_is_read_again(shelf: LedgerShelf, changed: Ledger) -> None:
    shelf.keep([ledger()])
    assert shelf.find("first", mark_of(changed)) is None


def test_nothing_is_used_again_under_other_reference_data(shelf: LedgerShelf) -> None:
    shelf.keep([ledger()])
    assert shelf.under(RULES).find("first", mark_of(ledger())) is not None
    assert shelf.under(Reference()).find("first", mark_of(ledger())) is None


def test_the_registrations_longest_not_asked_for_make_room(shelf: LedgerShelf) -> None:
    shelf.keep([ledger("first", facts=3), ledger("second", facts=3)])
    shelf.keep([ledger("first", facts=3)])
    shelf.keep([ledger("third", facts=3)])
    assert shelf.find("second", mark_of(ledger())) is None
    assert shelf.find("first", mark_of(ledger())) is not None
    assert shelf.find("third", mark_of(ledger())) is not None


def test_a_registration_kept_again_counts_once(shelf: LedgerShelf) -> None:
    for facts in range(9):
        shelf.keep([ledger("first", facts=facts)])
    assert shelf.find("first", mark_of(ledger())) is not None
