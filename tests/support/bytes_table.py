"""One table of bytes: records as no well-behaved client sends them, each with the codes that it must be answered.

`rows(partner)` are records for that partner's topic. Rows without codes are registrations that nothing speaks against:
each under an id of its own, in cohorts of the demonstration's reference data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from senconet.demonstration.bad import Pools
from senconet.demonstration.bad_contract import CONTRACT
from senconet.demonstration.bad_record import RECORD
from senconet.demonstration.calibration import Person
from senconet.demonstration.lives import Life
from senconet.demonstration.model import Record
from senconet.demonstration.wire import Event, Studio, wire
from tests.support.histories import registration
from tests.support.odd_bytes import ODD

SOMEBODY: Final = Person(0, 0, "", None, date(2023, 1, 3), date(2023, 6, 1), "Childminders", setting="SY1")


@dataclass(frozen=True, slots=True)
class Row:
    """A record and what it must be answered; no codes: it keeps the contract."""

    name: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    codes: frozenset[str]

    @property
    def record(self) -> Record:
        """The record alone."""
        return Record(self.key, self.value, self.headers)


class OnePartner(Pools):
    """Makes the demonstration's bad records for one partner's topic."""

    partner = ""

    def fresh(self, cohort: int | None = None, partner: str = "", day: date | None = None) -> Event:
        """A faultless registration of that partner."""
        return Pools.fresh(self, cohort, self.partner, day)


def rows(partner: str) -> list[Row]:
    """The whole table for a partner's topic."""
    return [*_odd(partner), *_demonstrated(partner)]


def _odd(partner: str) -> Iterator[Row]:
    for name, (codes, spoil) in ODD.items():
        yield _row(name, spoil(good(partner, name)), codes)


def good(partner: str, name: str) -> Record:
    """A registration that nothing speaks against, told apart by its name."""
    subject = str(uuid5(NAMESPACE_OID, name))
    data = registration(subject) | {"partner_ref": f"F-{subject[:8]}", "trainee_id": subject}
    at = datetime(2023, 1, 3, 10, tzinfo=UTC)
    return wire(Event(partner, subject, "registered", at, data, f"f-{subject[:13]}", name, style=1))


def _demonstrated(partner: str) -> Iterator[Row]:
    """The bad kinds of the demonstration that the record alone decides."""
    for name, bad in (RECORD | CONTRACT).items():
        pools = OnePartner(Studio(Random(name)))
        pools.partner = partner
        pools.lives["completed"].append(Life("completed", SOMEBODY, ""))
        bad.make(pools, name)
        yield _row(name, pools.studio.items[-1].record, bad.codes)


def _row(name: str, record: Record, codes: frozenset[str]) -> Row:
    return Row(name, record.key, record.value, record.headers, codes)
