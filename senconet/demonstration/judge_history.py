"""The order of facts and the state tables (events.md 4.8 and 5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias

from senconet.demonstration.judge_rules import LONDON, Rules, day_of

ORDER = (
    "registered",
    "mentor.assigned",
    "session.attended",
    "mentoring.held",
    "portfolio.submitted",
    "assessment.decided",
    "deferred",
    "resumed",
    "transfer.offered",
    "transfer.accepted",
    "transfer.declined",
    "transfer.cancelled",
    "completed",
    "withdrew",
)
TYPE_ORDER = {name: i for i, name in enumerate(ORDER)}
DAY_STARTS = frozenset({"registered", "mentor.assigned", "resumed"})
DAY_ENDS = frozenset({"deferred", "withdrew", "completed"})
ACTIVE = {"deferred": "while_deferred", "withdrawn": "after_withdrawal"}
REFUSED = {
    "deferred": {"deferred": "already_in_state", "withdrawn": "after_withdrawal"},
    "resumed": {"registered": "already_in_state"},
    "withdrew": {"withdrawn": "already_in_state"},
    "transfer.offered": {"withdrawn": "after_withdrawal"},
    "transfer.accepted": {"withdrawn": "after_withdrawal"},
    "session.attended": ACTIVE,
    "mentoring.held": ACTIVE,
    "mentor.assigned": {"withdrawn": "after_withdrawal"},
    "portfolio.submitted": ACTIVE,
    "completed": ACTIVE,
}  # fact -> state at its moment -> code; what is not named is admitted
BECOMES = {"deferred": "deferred", "resumed": "registered", "withdrew": "withdrawn"}
Place: TypeAlias = tuple[datetime, int, int, str, str]
FactKey: TypeAlias = tuple[str, str, str]  # fact name, source, id


def midnight(day: str | datetime) -> datetime:
    """The start (UTC) of a London day: of a date's text, or of the day of an instant."""
    date = day_of(day) if isinstance(day, datetime) else datetime.fromisoformat(day).date()
    return datetime.combine(date, time(0), LONDON).astimezone(UTC)


def moment(fact: str, at: datetime, data: dict[str, Any]) -> datetime:
    """The moment (UTC) of an event: its time, or where a day's event stands within the London day."""
    if data.get("time_precision") != "day":
        return at
    if fact in DAY_STARTS:
        clock = time(0)
    elif fact in DAY_ENDS:
        clock = time(23, 59, 59, 999999)
    else:
        clock = time(12)
    return datetime.combine(day_of(at), clock, LONDON).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its place in the order of facts; `seq` stands for the time of receipt."""

    name: str
    source: str
    id: str
    time: datetime
    moment: datetime
    seq: int
    data: dict[str, Any]
    place: Place = field(init=False, compare=False)  # moment, type order, received, source, id
    partner: str = field(init=False, compare=False)  # who sent it
    key: FactKey = field(init=False, compare=False)  # what corrections call it

    def __post_init__(self) -> None:
        order = TYPE_ORDER.get(self.name, len(TYPE_ORDER))
        object.__setattr__(self, "place", (self.moment, order, self.seq, self.source, self.id))
        object.__setattr__(self, "partner", self.source.split("/", 3)[2])
        object.__setattr__(self, "key", (self.name, self.source, self.id))


def ordered(facts: Iterable[Fact]) -> list[Fact]:
    """The facts by their places."""
    return sorted(facts, key=lambda fact: fact.place)


@dataclass(frozen=True, slots=True)
class Status:
    """Enrolment's state after some facts: since when, in which cohort, by which withdrawal or deferral."""

    state: str
    since: datetime
    cohort: str
    last: Fact


def _too_late(rules: Rules, status: Status, fact: Fact) -> bool:
    """Whether a return comes after the cohort's reinstatement days (London days between the two times)."""
    cohort = rules.cohorts.get(status.cohort)
    days = 0 if cohort is None else cohort.reinstatement_days
    return day_of(fact.time) > day_of(status.last.time) + timedelta(days=days)


def step(rules: Rules, status: Status | None, fact: Fact) -> Status | str:
    """The status after the fact, or the code that refuses it. Other services' facts change nothing."""
    if fact.name == "registered":
        return Status("registered", fact.moment, fact.data["cohort_code"], fact) if status is None else "none"
    if status is None:
        return "registration_unknown"
    code = REFUSED.get(fact.name, {}).get(status.state)
    if code is not None:
        return code
    if fact.name == "resumed" and status.state == "withdrawn" and _too_late(rules, status, fact):
        return "reinstatement_closed"
    if fact.name not in BECOMES:
        return status
    cohort = fact.data.get("cohort_code", status.cohort)
    return replace(status, state=BECOMES[fact.name], since=fact.moment, cohort=cohort, last=fact)


# Transfers (events.md 8)
OFFERED, ACCEPTED = "transfer.offered", "transfer.accepted"
ANSWERS = frozenset({ACCEPTED, "transfer.declined", "transfer.cancelled"})
LAPSES = timedelta(days=14)


def answer_to(offer: Fact, facts: Iterable[Fact]) -> Fact | None:
    """What closed an offer, of these facts."""
    named = offer.data["transfer_id"]
    return next((fact for fact in facts if fact.name in ANSWERS and fact.data["transfer_id"] == named), None)


def offer_of(answer: Fact, facts: Iterable[Fact]) -> Fact | None:
    """The offer that an answer names, of these facts."""
    named = answer.data["transfer_id"]
    return next((fact for fact in facts if fact.name == OFFERED and fact.data["transfer_id"] == named), None)


@dataclass(frozen=True, slots=True)
class Period:
    """From when (a place) a partner owns the registration."""

    place: Place
    partner: str


def periods(first: str, facts: Sequence[Fact]) -> list[Period]:
    """The owners after the first: for each agreed transfer to another, from 00:00 of its date, before all else then.

    Of two of one day the later in the order of facts holds, whichever was received first.
    """
    found = []
    for fact in facts:
        if fact.name == ACCEPTED and (offer := offer_of(fact, facts)) is not None:
            begins = (midnight(offer.data["effective_on"]), -1, 0, "", "")
            found.append(Period(begins, offer.data["to_partner"]))
    found.sort(key=lambda period: period.place)
    owners = [first, *(period.partner for period in found)]
    return [period for period, before in zip(found, owners, strict=False) if period.partner != before]


class History:
    """Enrolment's facts of one registration, folded: status and owner at each place."""

    __slots__ = ("_places", "_statuses", "facts", "last", "periods", "registered_by")

    def __init__(self, rules: Rules, facts: Sequence[Fact]) -> None:
        self.facts = tuple(facts)
        self.registered_by = next((fact.partner for fact in facts if fact.name == "registered"), "")
        self.periods = periods(self.registered_by, facts)
        self._places: list[Place] = []
        self._statuses: list[Status | None] = [None]
        for fact in facts:
            after = step(rules, self._statuses[-1], fact)
            self._places.append(fact.place)
            self._statuses.append(self._statuses[-1] if isinstance(after, str) else after)
        self.last = self._statuses[-1]

    def status_at(self, place: Place) -> Status | None:
        """The status after what stands before a place."""
        return self._statuses[bisect_left(self._places, place)]

    def status_before(self, instant: datetime) -> Status | None:
        """The status after what has its moment before an instant."""
        return self.status_at((instant, -2, 0, "", ""))

    def period_at(self, place: Place) -> int:
        """In which partner's period a place lies: 0 is that of the first."""
        return sum(1 for period in self.periods if period.place <= place) if self.periods else 0

    def owner_at(self, place: Place) -> str:
        """The partner whose registration it is at a place."""
        number = self.period_at(place)
        return self.periods[number - 1].partner if number else self.registered_by

    def loser(self, offer: Fact) -> str:
        """The partner that an offer takes the registration from: whose it would be at its place had it not been made.

        The period that an offer makes may begin before it, at 00:00 of its own day.
        """
        owner = self.registered_by
        for period in periods(owner, [fact for fact in self.facts if fact != offer]):
            if period.place <= offer.place:
                owner = period.partner
        return owner

    def had(self, partner: str) -> bool:
        """Whether the registration was ever this partner's."""
        return partner == self.registered_by or any(period.partner == partner for period in self.periods)

    def admits(self, fact: Fact) -> str | None:
        """The code that refuses another service's fact, or None."""
        status = self.status_at(fact.place)
        if status is None:
            return "registration_unknown"
        if self.owner_at(fact.place) != fact.partner:
            return "not_your_trainee"
        refused = REFUSED.get(fact.name)
        return None if refused is None else refused.get(status.state)


def transfer_code(history: History, fact: Fact, lead: str) -> str | None:
    """The code that refuses an offer or an answer after what stands before it, or None."""
    earlier = [found for found in history.facts if found.place < fact.place]
    if fact.name == OFFERED:
        return "transfer_pending" if any(_pending(offer, earlier, fact) for offer in earlier) else None
    if fact.name not in ANSWERS:
        return None
    offer = offer_of(fact, earlier)
    if offer is None or answer_to(offer, earlier) is not None or fact.time > offer.time + LAPSES:
        return "transfer_not_offered"
    if fact.name == "transfer.cancelled":
        return None if fact.partner in (lead, history.loser(offer)) else "transfer_not_offered"
    return None if fact.partner == offer.data["to_partner"] else "transfer_not_offered"


def _pending(offer: Fact, earlier: Sequence[Fact], new: Fact) -> bool:
    """Whether an earlier offer still stands in the way of a new one: open, or agreed for later."""
    if offer.name != OFFERED:
        return False
    answer = answer_to(offer, earlier)
    if answer is None:
        return new.time <= offer.time + LAPSES
    return answer.name == ACCEPTED and midnight(offer.data["effective_on"]) > new.moment


def holds_together(rules: Rules, facts: Sequence[Fact], lead: str = "lead") -> bool:
    """Whether every fact of enrolment is legal after those before it."""
    status: Status | None = None
    for fact in facts:
        after = step(rules, status, fact)
        if isinstance(after, str):
            return False
        status = after
    transfers = [fact for fact in facts if fact.name.startswith("transfer.")]
    history = History(rules, facts) if transfers else None
    return history is None or all(transfer_code(history, fact, lead) is None for fact in transfers)
