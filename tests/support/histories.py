"""Random histories: a few registrations of several partners, with conflicts, copies, corrections and transfers.

What is drawn depends on `choose` alone, so that hypothesis can shrink a history and a seed can repeat one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from senconet.demonstration.model import LEAD, Record
from senconet.demonstration.wire import Event, wire
from tests.support.contents import (
    ASSESSED,
    CLOCKS,
    DAYS,
    ENROLMENT,
    FACTS,
    FOLLOWS,
    MENTORING,
    OURS,
    PARTNERS,
    SHORT,
    SUBJECTS,
    THEIRS,
    THIRD,
    WEIGHTS,
    Choose,
    drawn,
    placed,
    registration,
)
from tests.support.lives import life

__all__ = ("OURS", "SUBJECTS", "THEIRS", "THIRD", "Author", "Choose", "random_history", "records_of")


@dataclass
class Author:
    """Writes one history, event by event."""

    choose: Choose
    sent: list[Event] = field(default_factory=list)

    def write(self, length: int) -> list[Event]:
        """A history of some such length: a legal life with much that disturbs it, or a mere heap of events."""
        if self.choose((True, True, False)):
            self._live(length)
        else:
            self.begin()
            for _ in range(length):
                self.go_on()
        return self.sent

    def _live(self, length: int) -> None:
        """A life of which some events come late, among others."""
        late: list[Event] = []
        for event in life(self.choose, corrected=self.choose((True, False)), steps=max(length, 2)):
            (late if self.sent and self.choose(range(6)) == 0 else self.sent).append(event)
            if self.choose(range(5)) == 0:
                self.go_on()
            if late and self.choose(range(3)) == 0:
                self.sent.append(late.pop())
        self.sent += late

    def begin(self) -> None:
        """Mostly with the registrations."""
        one = tuple(SUBJECTS)[:1]
        for subject in self.choose(((), *(one,) * 8, *(tuple(SUBJECTS),) * 3)):
            data = registration(subject, subject[0])
            self._tell(SUBJECTS[subject], subject, "registered", f"r{subject[0]}", data, DAYS[1:2])

    def go_on(self) -> Event:
        """One more event."""
        write: Callable[[], None] = getattr(self, f"_{self.choose(WEIGHTS) if self.sent else 'registered'}")
        write()
        return self.sent[-1]

    def _tell(
        self, topic: str, subject: str, fact: str, id_: str, data: Mapping[str, Any], days: Sequence[date]
    ) -> None:
        at, more = placed(self.choose(days), self.choose(CLOCKS))
        self.sent.append(Event(topic, subject, fact, at, {**data, **more}, id_, fact, style=self.choose(range(40))))

    def _subject(self) -> str:
        first = next(iter(SUBJECTS))
        known = [event.subject for event in self.sent if event.fact == "registered"] or [first]
        return self.choose((*known * 9, *SUBJECTS) if len(known) > 1 else (*known * 30, *SUBJECTS))

    def _owner(self, subject: str, day: date) -> str:
        """Whose registration it would be on a day, if all that was sent of transfers counted."""
        owner = SUBJECTS[subject]
        for answer in self._about(subject, "transfer.accepted"):
            offer = self._offer_of(answer)
            if offer is not None and offer.data["effective_on"] <= day.isoformat():
                owner = offer.data["to_partner"]
        return owner

    def _offer_of(self, answer: Event) -> Event | None:
        offers = self._about(answer.subject, "transfer.offered")
        return next((o for o in offers if o.data["transfer_id"] == answer.data["transfer_id"]), None)

    def _about(self, subject: str, *facts: str) -> list[Event]:
        return [event for event in self.sent if event.subject == subject and event.fact in facts]

    def _sender(self, owner: str) -> str:
        return self.choose((*(owner,) * 30, *PARTNERS, LEAD))

    def _id(self, subject: str, fact: str) -> str:
        """Ids of what is handed on are not used again for another registration: its owner reads those in parallel."""
        shared = fact in ENROLMENT and self.choose(range(3)) == 0
        return f"{SHORT[fact]}{self.choose(range(1, 30))}{'' if shared else '-' + subject[0]}"

    def _fact(self, subject: str, fact: str, data: Mapping[str, Any], days: Sequence[date]) -> None:
        """From whom it should come on its day, mostly."""
        day = self.choose(days)
        self._tell(self._sender(self._owner(subject, day)), subject, fact, self._id(subject, fact), data, [day])

    def _days(self, last: Event | None) -> Sequence[date]:
        """Mostly days not long after an event, else any."""
        if last is None or self.choose(range(7)) == 0:
            return (*DAYS[1:], *DAYS)
        later = [day for day in DAYS if day > last.time.date()][:3]
        return [last.time.date(), *later, *later] if later else DAYS[1:]

    def _registered(self) -> None:
        subject = self._subject()
        data = registration(subject, self.choose("112"), self.choose(("2023-january", "2023-march")))
        if self.choose(range(16)) == 0:
            data |= {"level3_full_relevant": False}
        id_ = f"r{self.choose('123456789')}-{subject[0]}"
        self._tell(self._sender(SUBJECTS[subject]), subject, "registered", id_, data, DAYS[1:3] * 9 + DAYS)

    def _enrolment(self) -> None:
        """Often what may follow on the last of its registration."""
        subject = self._subject()
        last = next(reversed(self._about(subject, *FOLLOWS)), None)
        in_line = last is not None and self.choose(range(4)) > 0
        fact = self.choose(FOLLOWS[last.fact] if last and in_line else ENROLMENT)
        self._fact(subject, fact, drawn(self.choose, fact), self._days(last) if in_line else DAYS)

    def _mentoring(self) -> None:
        subject, fact = self._subject(), self.choose(MENTORING)
        last = next(reversed(self._about(subject, *FOLLOWS, *MENTORING)), None)
        self._fact(subject, fact, drawn(self.choose, fact), self._days(last))

    def _assessment(self) -> None:
        """Often the next step of a unit, or the completion once both units are decided."""
        subject = self._subject()
        told = self._about(subject, *ASSESSED)
        decided = {event.data["unit_code"] for event in told if "outcome" in event.data}
        days = self._days(told[-1] if told else next(reversed(self._about(subject, "registered")), None))
        if self.choose((True, True, False) if len(decided) > 1 else (*(False,) * 8, True)):
            self._fact(subject, "completed", self._final(told), days)
        else:
            self._fact(subject, *self._step(told), days)

    def _final(self, told: Sequence[Event]) -> dict[str, str]:
        ids = [event.id for event in told if "outcome" in event.data]
        return {"final_decision_id": self.choose((*ids, "d0"))} if self.choose(range(3)) == 0 else {}

    def _step(self, told: Sequence[Event]) -> tuple[str, dict[str, Any]]:
        fact = self.choose(ASSESSED)
        data = drawn(self.choose, fact)
        if self.choose(range(5)) == 0:
            return fact, data
        last = next((event for event in reversed(told) if event.data["unit_code"] == data["unit_code"]), None)
        attempt = last.data["attempt"] if last else 1
        if last is None or "outcome" in last.data:
            known = {"unit_code": data["unit_code"], "attempt": attempt + (last is not None)}
            return "portfolio.submitted", drawn(self.choose, "portfolio.submitted", **known)
        known = {"unit_code": data["unit_code"], "attempt": attempt}
        return "assessment.decided", drawn(self.choose, "assessment.decided", **known)

    def _overtaken(self) -> None:
        """A completion that waits for its last decision, while a deferral from before it is told."""
        subject = self._subject()
        last = next(reversed(self._about(subject, "registered", *FACTS)), None)
        days = [day for day in DAYS if last is None or day > last.time.date()][:4]
        if len(days) < 4:
            return self._enrolment()
        decided = {event.data["unit_code"] for event in self._about(subject, "assessment.decided")}
        waiting = [unit for unit in ("unit-1", "unit-2") if unit not in decided]
        for unit in waiting:
            data = drawn(self.choose, "portfolio.submitted", unit_code=unit, attempt=1)
            self._fact(subject, "portfolio.submitted", data, days[:1])
        passed = {"attempt": 1, "outcome": "passed"}
        decisions = [drawn(self.choose, "assessment.decided", unit_code=unit, **passed) for unit in waiting]
        for data in decisions[:-1]:
            self._fact(subject, "assessment.decided", data, days[1:2])
        self._fact(subject, "completed", {}, days[3:])
        self._fact(subject, "deferred", drawn(self.choose, "deferred"), days[2:3])
        for data in decisions[-1:]:
            self._fact(subject, "assessment.decided", data, days[1:2])

    def _transfer(self) -> None:
        """An offer, or an answer to the last one."""
        subject = self._subject()
        offer = next(reversed(self._about(subject, "transfer.offered")), None)
        answers = ("transfer.accepted", "transfer.declined", "transfer.cancelled")
        open_ = offer is not None and not any(
            event.data["transfer_id"] == offer.data["transfer_id"] for event in self._about(subject, *answers)
        )
        if offer is not None and self.choose((*(True,) * 12, False) if open_ else (*(False,) * 12, True)):
            self._answer(offer, self.choose((*answers[:1] * 5, *answers)))
        else:
            self._offer(subject)

    def _offer(self, subject: str) -> None:
        days = self._days(next(reversed(self._about(subject, *FOLLOWS)), None))
        day, number = self.choose(days), self.choose("12345")
        owner = self._owner(subject, day)
        others = tuple(partner for partner in PARTNERS if partner != owner)
        effective = self.choose((day, *(d for d in DAYS if d >= day), day - timedelta(days=1)))
        data = {
            "transfer_id": f"5555555{number}-5555-4555-8555-55555555555{subject[0]}",
            "to_partner": self.choose((*others * 5, owner)),
            "effective_on": effective.isoformat(),
            "cause": "trainee_moved",
        }
        sender = self.choose((owner, owner, owner, owner, LEAD, self._sender(owner)))
        self._tell(sender, subject, "transfer.offered", self._id(subject, "transfer.offered"), data, [day])

    def _answer(self, offer: Event, fact: str) -> None:
        day = offer.time.date() + timedelta(days=self.choose((0, 0, 1, 1, 1, 5, 5, 14, 15)))
        data: dict[str, Any] = {"transfer_id": offer.data["transfer_id"]}
        if fact == "transfer.declined":
            data["reason"] = "no_capacity"
        if fact == "transfer.accepted" and self.choose((True, False)):
            data["partner_ref"] = f"Q-{self.choose('12' + offer.subject[0])}"
        rightful = offer.topic if fact == "transfer.cancelled" else offer.data["to_partner"]
        self._tell(self._sender(rightful), offer.subject, fact, self._id(offer.subject, fact), data, [day])

    def _target(self) -> tuple[str, str, str, str | None, Event | None]:
        """Subject, fact, id, source of what was sent, or of what may yet come."""
        facts = [event for event in self.sent if event.fact in FACTS or event.fact == "registered"]
        if facts and self.choose(range(8)) > 0:
            later = [event for event in facts if event.fact != "registered"] or facts
            found = self.choose((*(later[-1],) * 4, *later * 2, self.choose(facts)))
            return found.subject, found.fact, found.id, found.source, found
        subject, fact = self._subject(), self.choose(FACTS)
        return subject, fact, self._id(subject, fact), None, None

    def _correct(self, suffix: str, more: Callable[[str, Event | None], dict[str, Any]]) -> None:
        subject, fact, target_id, source, target = self._target()
        owner = source.split("/")[2] if source else SUBJECTS[subject]
        sender = self.choose((self._sender(owner), owner, owner, LEAD))
        data = {"target_id": target_id, "cause": "entered_in_error", **more(fact, target)}
        if source is not None and (sender == LEAD or self.choose((True, False))):
            data["target_source"] = source  # the lead names whose event it means
        id_ = f"{suffix[0]}{target_id}{self.choose(range(1, 10))}-{subject[0]}"
        self._tell(sender, subject, f"{fact}.{suffix}", id_, data, DAYS)

    def _void(self) -> None:
        self._correct("voided", lambda fact, target: {})

    def _supersede(self) -> None:
        self._correct("superseded", self._replacement)

    def _replacement(self, fact: str, target: Event | None) -> dict[str, Any]:
        """The data with some fields told anew, and at times another time."""
        data = {**target.data} if target else {}
        subject = target.subject if target else next(iter(SUBJECTS))
        told = registration(subject, self.choose("12")) if fact == "registered" else drawn(self.choose, fact)
        anew = {name: told[name] for name in told if not data or self.choose(range(3)) == 0}
        if self.choose((True, True, False)):
            return {"replacement": data | anew}
        near = [day for day in DAYS if target and abs((day - target.time.date()).days) < 30]
        at, more = placed(self.choose(near or DAYS), self.choose(CLOCKS))
        data.pop("time_precision", None)
        return {"replacement": data | anew | more, "replacement_time": at.isoformat()}

    def _copy(self) -> None:
        """The same event, spelled in another way."""
        self.sent.append(replace(self.choose(self.sent), style=self.choose(range(40))))

    def _retry(self) -> None:
        """The last but few again, exactly."""
        self.sent.append(self.choose(self.sent[-3:]))

    def _conflict(self) -> None:
        """The id of an earlier event with other content."""
        event = self.choose(self.sent)
        hours = 24 if event.data.get("time_precision") == "day" else 1
        self.sent.append(replace(event, time=event.time + timedelta(hours=hours)))


def random_history(seed: int) -> list[Event]:
    """The history of a seed: the same for ever."""
    choose = Random(seed).choice
    return Author(choose).write(choose(range(4, 30)))


def records_of(events: Sequence[Event]) -> list[tuple[str, Record]]:
    """The records of events, each with its partner, in order."""
    return [(event.topic, wire(event)) for event in events]
