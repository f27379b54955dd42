"""The handshake by which a trainee moves between partners: offered, then accepted, declined, cancelled or lapsed. Pure.

An offer and its answers are judged in the order of facts; what is agreed takes effect from 00:00 of `effective_on`
(reference: events 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from shared import clock
from shared.clock import Moment
from shared.events.catalogue import ACCEPTED, ANSWERS, CANCELLED
from shared.events.codes import Problem
from shared.history import Fact, History
from shared.reference import Rules
from shared.status import Period
from shared.topics import LEAD

LAPSES_AFTER: Final = timedelta(days=14)
"""An offer that is not answered within this time, by the times of offer and answer, is closed."""

MOVE_ORDER: Final = -1
"""A transfer takes effect before everything else of its moment."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer that was agreed: from when on the registration is whose."""

    at: datetime
    to_partner: str

    @property
    def moment(self) -> Moment:
        """When it takes effect."""
        return Moment(self.at, MOVE_ORDER)


@dataclass(frozen=True, slots=True)
class Offer:
    """The last offer of a registration, and its answer if it has one. `by` is who sent it: the partner or the lead."""

    transfer_id: str
    offered: datetime
    by: str
    from_partner: str
    to_partner: str
    effective: datetime
    answer: str | None = None

    def open_at(self, time: datetime) -> bool:
        """Whether it can still be answered then."""
        return self.answer is None and time <= self.offered + LAPSES_AFTER

    def in_the_way_of(self, fact: Fact) -> bool:
        """Whether it is still open for another offer, or agreed for a moment to come: there is one at a time."""
        return self.open_at(_time(fact)) or (self.answer == ACCEPTED.name and self.effective > fact.moment.time)

    def awaits(self, fact: Fact) -> bool:
        """Whether it is open for this answer: of whom it was made to, or a cancellation of losing partner or lead."""
        may = (self.from_partner, LEAD) if fact.kind is CANCELLED else (self.to_partner,)
        return self.transfer_id == fact.data["transfer_id"] and fact.sender in may and self.open_at(_time(fact))

    @property
    def move(self) -> Move:
        """What an acceptance makes of it."""
        return Move(self.effective, self.to_partner)


def offer(last: Offer | None, state: str, owner: str, fact: Fact) -> Offer | Problem:
    """What an offer makes of the last one; a withdrawn trainee is not handed over."""
    if state == "withdrawn":
        return Problem("after_withdrawal", "ce_time")
    if last is not None and last.in_the_way_of(fact):
        return Problem("transfer_pending", "ce_type", {"since": clock.london_day(last.offered).isoformat()})
    effective = clock.start_of_day(date.fromisoformat(fact.data["effective_on"]))
    return Offer(fact.data["transfer_id"], _time(fact), fact.sender, owner, fact.data["to_partner"], effective)


def answer(last: Offer | None, state: str, fact: Fact) -> Offer | Problem:
    """The offer with its answer. Too late, twice or by another: there is no such offer open, and no more is said."""
    if last is None or not last.awaits(fact):
        return Problem("transfer_not_offered", "data.transfer_id")
    if fact.kind is ACCEPTED and state == "withdrawn":
        return Problem("after_withdrawal", "ce_time")
    return replace(last, answer=fact.kind.name)


def _time(fact: Fact) -> datetime:
    """The `time` of a fact, by which offers lapse: of a day of which no more is known, its start."""
    if fact.data.get("time_precision") != "day":
        return fact.moment.time
    return clock.start_of_day(clock.london_day(fact.moment.time))


def invalid(offered: Fact, owner: Period, rules: Rules) -> Iterator[Problem]:
    """Stage 6 of an offer: the gaining partner needs the cohort on that day, and the day may not lie before it."""
    to_partner, day = offered.data["to_partner"], date.fromisoformat(offered.data["effective_on"])
    if to_partner == owner.partner or not rules.partnership(to_partner, owner.cohort, day):
        yield Problem("transfer_partner_invalid", "data.to_partner", {"date": day.isoformat()})
    if day < clock.london_day(offered.moment.time):
        yield Problem("transfer_date_conflict", "data.effective_on", {"date": day.isoformat()})


def conflicts(history: History, agreed: Offer) -> list[Fact]:
    """Facts of the losing partner at or after the moment from which the trainee would not be its own any more.

    The offer itself may be made on that day, and answers need not come from the owner.
    """
    return [
        fact
        for fact in history.facts
        if fact.sender == agreed.from_partner
        and fact.moment >= agreed.move.moment
        and fact.kind not in ANSWERS
        and fact.data.get("transfer_id") != agreed.transfer_id
    ]
