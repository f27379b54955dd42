"""Random histories: a few registrations of several partners, with conflicts, copies, corrections and the lead.

What is drawn depends on `choose` alone, so that hypothesis can shrink a history and a seed can repeat one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final, Protocol, TypeVar

from senconet.demonstration.model import LEAD, Record
from senconet.demonstration.wire import LONDON, Event, wire

T = TypeVar("T")


class Choose(Protocol):
    """Picks one of several."""

    def __call__(self, options: Sequence[T], /) -> T: ...


OURS: Final = "quillmarsh"
THEIRS: Final = "emberfold"
SUBJECTS: Final = {
    "11111111-1111-4111-8111-111111111111": OURS,
    "22222222-2222-4222-8222-222222222222": OURS,
    "33333333-3333-4333-8333-333333333333": THEIRS,
}
DAYS: Final = tuple(
    date.fromisoformat(day)
    for day in (
        "2022-12-20",
        "2023-01-03",
        "2023-01-05",
        "2023-01-10",
        "2023-02-01",
        "2023-03-25",
        "2023-03-26",
        "2023-06-01",
        "2023-10-29",
    )
)
"""With both changes of the clocks, days on which no cohort registers, and returns too late."""
CLOCKS: Final = ("day", "day", "first", "ten", "ten", "eleven", "last")
REASONS: Final = {
    "withdrew": ("workload_too_high", "health_or_pregnancy", "left_sector", "lost_interest", "started-in-error"),
    "deferred": ("bereavement", "staffing_in_setting", "other"),
}
FOLLOWS: Final = {
    "registered": ("deferred", "withdrew", "completed"),
    "deferred": ("resumed", "withdrew"),
    "resumed": ("deferred", "withdrew", "completed"),
    "withdrew": ("resumed",),
    "completed": ("withdrew", "deferred"),
}
FACTS: Final = ("deferred", "resumed", "withdrew", "withdrew", "completed", "completed")
# What a history is made of, by weight: enough goes right that there is something to go wrong.
WEIGHTS: Final = ("fact",) * 8 + ("void",) * 5 + ("registered", "copy", "conflict", "retry")


@dataclass
class Author:
    """Writes one history, event by event."""

    choose: Choose
    sent: list[Event] = field(default_factory=list)

    def write(self, length: int) -> list[Event]:
        """A history of so many events, most of which begin with what the others need."""
        if self.choose((True, True, True, False)):
            for subject in self.choose((tuple(SUBJECTS)[:1], tuple(SUBJECTS))):
                owner = SUBJECTS[subject]
                data = registration(subject, subject[0])
                self.sent.append(self._event(owner, subject, "registered", f"r{subject[0]}", data, DAYS[1:2]))
        for kind in ("fact", *(self.choose(WEIGHTS) for _ in range(length - 1))):
            self.sent.append(getattr(self, f"_{kind}")())
        return self.sent

    def _subject(self) -> str:
        first = next(iter(SUBJECTS))
        known = [event.subject for event in self.sent if event.fact == "registered"] or [first]
        return self.choose((*known, *known, *SUBJECTS) if len(known) > 1 else (*known * 9, *SUBJECTS))

    def _sender(self, subject: str) -> str:
        owner = SUBJECTS[subject]
        return self.choose((*(owner,) * 12, OURS, THEIRS, LEAD))

    def _number(self) -> str:
        return self.choose("123456789")

    def _event(
        self, topic: str, subject: str, fact: str, id_: str, data: dict[str, Any], days: Sequence[date]
    ) -> Event:
        at, more = placed(self.choose(days), self.choose(CLOCKS))
        return Event(topic, subject, fact, at, data | more, id_, fact, style=self.choose(range(40)))

    def _registered(self) -> Event:
        subject = self._subject()
        data = registration(subject, self.choose("112"), self.choose(("2023-january", "2023-march")))
        if self.choose(range(16)) == 0:
            data |= {"level3_full_relevant": False}
        days = DAYS[1:3] * 9 + DAYS
        return self._event(self._sender(subject), subject, "registered", f"r{self._number()}-{subject[0]}", data, days)

    def _fact(self) -> Event:
        """Often one that may follow on the last of its registration, on a day not before it."""
        subject = self._subject()
        last = next((e for e in reversed(self.sent) if e.subject == subject and e.fact in FOLLOWS), None)
        in_line = last is not None and self.choose((True, True, True, False))
        fact = self.choose(FOLLOWS[last.fact] if last and in_line else FACTS)
        days = [day for day in DAYS if last and day >= last.time.date()][:3] if in_line else DAYS
        # ids of what is handed on are not used again for another registration: its owner reads those in parallel
        own = subject[0] if fact == "completed" or self.choose((True, True, False)) else ""
        return self._event(
            self._sender(subject), subject, fact, f"{fact[0]}{self._number()}{own}", self._data(fact), days or DAYS
        )

    def _data(self, fact: str) -> dict[str, Any]:
        match fact:
            case "withdrew":
                return {"reason": self.choose(REASONS[fact] + REASONS[fact][:3] * 3), "trigger": "trainee"}
            case "deferred":
                return {"reason": self.choose(REASONS[fact])}
            case "resumed":
                return self.choose(({}, {}, {"cohort_code": "2023-march"}, {"cohort_code": "2022-october"}))
        return {}

    def _void(self) -> Event:
        """Of what was sent, or of what may yet come."""
        subject, fact = self._subject(), self.choose(FACTS)
        target_id, source = f"{fact[0]}{self._number()}{subject[0]}", None
        facts = [event for event in self.sent if ".voided" not in event.fact]
        if facts and self.choose((True, True, True, True, False)):
            later = [event for event in facts if event.fact != "registered"] or facts
            target = self.choose((later[-1], later[-1], *later, self.choose(facts)))
            subject, fact, target_id, source = target.subject, target.fact, target.id, target.source
        fact = fact.removesuffix(".voided")
        sender = self.choose((self._sender(subject), SUBJECTS[subject], SUBJECTS[subject], LEAD))
        data = {"target_id": target_id, "cause": "entered_in_error"}
        if source is not None and (sender == LEAD or self.choose((True, False))):
            data["target_source"] = source  # the lead names whose event it means
        return self._event(sender, subject, f"{fact}.voided", f"v{target_id}{self._number()}{subject[0]}", data, DAYS)

    def _copy(self) -> Event:
        """The same event, spelled in another way."""
        return replace(self.choose(self.sent), style=self.choose(range(40)))

    def _retry(self) -> Event:
        """The last but few again, exactly."""
        return self.choose(self.sent[-3:])

    def _conflict(self) -> Event:
        """The id of an earlier event with other content."""
        event = self.choose(self.sent)
        hours = 24 if event.data.get("time_precision") == "day" else 1
        return replace(event, time=event.time + timedelta(hours=hours))


def placed(day: date, clock: str) -> tuple[datetime, dict[str, str]]:
    """A time of a London day, and what the data say of its precision."""
    if clock == "last":
        return datetime.combine(day, time.max, LONDON).astimezone(UTC), {}
    hour = {"ten": 10, "eleven": 11}.get(clock, 0)
    at = datetime.combine(day, time(hour), LONDON).astimezone(UTC)
    return at, {"time_precision": "day"} if clock == "day" else {}


def registration(subject: str, reference: str = "1", cohort: str = "2023-january") -> dict[str, Any]:
    """The data of a registration that nothing speaks against."""
    return {
        "trainee_id": f"4444444{subject[0]}-4444-4444-8444-444444444444",
        "partner_ref": f"Q-{reference}",
        "cohort_code": cohort,
        "setting_urn": "SY1",
        "provider_type": "Childminders",
        "role": "senco",
        "level3_full_relevant": True,
        "places_allocation": "contract_2022",
    }


def random_history(seed: int) -> list[Event]:
    """The history of a seed: the same for ever."""
    choose = Random(seed).choice
    return Author(choose).write(choose(range(4, 22)))


def records_of(events: Sequence[Event]) -> list[tuple[str, Record]]:
    """The records of events, each with its partner, in order."""
    return [(event.topic, wire(event)) for event in events]
