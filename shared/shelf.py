"""What is kept in memory from one batch to the next. All of it is used again only if the database still says so."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.history import Ledger
from shared.reference import Reference

MOST_FACTS: Final = 30_000
"""Facts that are kept: some 60 MB. Those of the registrations that were longest not asked for go first."""

Mark = tuple[bytes, int, datetime | None, int | None]
"""What a registration's row says, and no two states of it share: key of the copies, version, decided time, and the
version of the status."""


def mark_of(ledger: Ledger) -> Mark:
    """What the row of a ledger says."""
    return ledger.digest_key, ledger.version, ledger.decided, ledger.status.version if ledger.status else None


class LedgerShelf:
    """Ledgers as their registrations were last seen, so that the next batch need not read their histories again.

    One is taken only for the mark that its row has under the lock. What is kept of folds rests on reference data:
    when these change, the shelf is emptied.
    """

    def __init__(self, most_facts: int = MOST_FACTS) -> None:
        self._ledgers: OrderedDict[str, Ledger] = OrderedDict()
        self._reference: Reference | None = None
        self._most_facts = most_facts
        self._facts = 0

    def under(self, reference: Reference) -> LedgerShelf:
        """The shelf for decisions under this reference data."""
        if reference is not self._reference:
            self._ledgers.clear()
            self._facts, self._reference = 0, reference
        return self

    def __contains__(self, registration: str) -> bool:
        """Whether there is a ledger of a registration, up to date or not."""
        return registration in self._ledgers

    def find(self, registration: str, mark: Mark) -> Ledger | None:
        """The ledger of a registration whose row has this mark."""
        ledger = self._ledgers.get(registration)
        return ledger if ledger is not None and mark_of(ledger) == mark else None

    def keep(self, ledgers: Iterable[Ledger]) -> None:
        """Keep ledgers as they are now."""
        for ledger in ledgers:
            self.forget([ledger.registration])
            self._ledgers[ledger.registration] = ledger
            self._facts += _size(ledger)
        while self._facts > self._most_facts:
            self._drop(self._ledgers.popitem(last=False)[1])

    def forget(self, registrations: Iterable[str]) -> None:
        """Keep nothing of some registrations."""
        for registration in registrations:
            self._drop(self._ledgers.pop(registration, None))

    def _drop(self, ledger: Ledger | None) -> None:
        if ledger is not None:
            self._facts -= _size(ledger)


def _size(ledger: Ledger) -> int:
    return 1 + len(ledger.history.accepted)
