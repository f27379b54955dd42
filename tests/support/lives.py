"""Legal lives of one registration: each event may follow on those before it, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.support.contents import ASSESSOR, MENTORS, OURS, PARTNERS, Choose, drawn, placed, registration

SUBJECT: Final = "11111111-1111-4111-8111-111111111111"
BEGINS: Final = date(2023, 1, 3)
UNITS: Final = ("unit-1", "unit-2")
MAX_ATTEMPTS: Final = 3
GAP: Final = timedelta(days=4)
BECOMES: Final = {"deferred": "deferred", "resumed": "registered", "withdrew": "withdrawn"}
ALLOWED: Final = {
    "registered": (
        *("deferred", "withdrew", "transfer", "session", "mentoring", "mentor"),
        *("submit", "submit", "submit", "decide", "decide", "decide"),
    ),
    "deferred": ("resumed", "resumed", "withdrew", "mentor", "decide", "transfer"),
    "withdrawn": ("resumed", "resumed", "decide"),
}


@dataclass
class Trainee:
    """A trainee as the life goes on: what has been told, and what may follow."""

    choose: Choose
    corrected: bool
    subject: str = SUBJECT
    partner: str = OURS
    day: date = BEGINS
    state: str = "registered"
    mentored: bool = False
    completed: bool = False
    moved: bool = False
    outcomes: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)

    def tell(self, fact: str, *, by: str = "", **data: Any) -> bool:
        """One fact; whether it stands, or was taken back at once."""
        at, more = placed(self.day, self.choose(("day", "first", "ten", "last")))
        id_ = f"{fact}-{len(self.told)}-{self.subject[:8]}"
        told = {**data, **more}
        event = Event(by or self.partner, self.subject, fact, at, told, id_, fact, style=self.choose(range(40)))
        self.told.append(event)
        self.day += GAP
        if not self.corrected or fact.startswith(("registered", "transfer")):
            return True
        correction = self.choose(("voided", "superseded", None, None, None))
        if correction is not None:
            self._correct(event, correction)
        return correction != "voided"

    def _correct(self, event: Event, correction: str) -> None:
        """Its sender takes it back or says it anew in other words, or the lead does."""
        topic = self.choose((event.topic, event.topic, LEAD))
        data: dict[str, Any] = {"target_id": event.id, "cause": "entered_in_error"}
        if topic == LEAD:
            data["target_source"] = event.source
        if correction == "superseded":
            words = {"minutes": 75, "evidence_count": 9, "reason": "other"}
            data["replacement"] = event.data | {name: new for name, new in words.items() if name in event.data}
        at = event.time + timedelta(days=1)
        fact = f"{event.fact}.{correction}"
        self.told.append(replace(event, topic=topic, fact=fact, time=at, data=data, id=f"{correction}-{event.id}"))

    def go_on(self) -> None:
        """One step that the state allows."""
        if self.completable and self.choose((True, True, False)):
            self.completed = self.tell("completed")
        else:
            step = self.choose(ALLOWED[self.state])
            getattr(self, f"_{step}", self._change(step))()

    @property
    def completable(self) -> bool:
        """Whether each unit has its last decision."""
        settled = [self.outcomes.get(unit, (0, None)) for unit in UNITS]
        last = all(o in ("passed", "not_passed") or (o and n == MAX_ATTEMPTS) for n, o in settled)
        return last and not self.completed and self.state == "registered"

    def _change(self, fact: str) -> Any:
        def change() -> None:
            data = drawn(self.choose, fact) if fact != "resumed" else {}
            data |= (
                {"reason": "health_or_pregnancy"} if data.get("reason") in ("lost_interest", "started-in-error") else {}
            )
            if self.tell(fact, **data):
                self.state = BECOMES[fact]

        return change

    def _session(self) -> None:
        self.tell("session.attended", **drawn(self.choose, "session.attended", session_id=f"s{len(self.told)}"))

    def _mentoring(self) -> None:
        self.tell("mentoring.held", **drawn(self.choose, "mentoring.held", mentoring_id=f"h{len(self.told)}"))

    def _mentor(self) -> None:
        ends = self.mentored or self.choose((True, False))
        if self.tell("mentor.assigned", mentor_id=self.choose(MENTORS), ends_previous=ends):
            self.mentored = True

    def _submit(self) -> None:
        unit = self.choose(UNITS)
        attempt, outcome = self.outcomes.get(unit, (0, "referred"))
        if self.completed or outcome != "referred" or attempt == MAX_ATTEMPTS:
            self._session()
        elif self.tell("portfolio.submitted", unit_code=unit, attempt=attempt + 1, evidence_count=2):
            self.outcomes[unit] = attempt + 1, None

    def _decide(self) -> None:
        waiting = [unit for unit, (_, outcome) in self.outcomes.items() if outcome is None]
        if self.completed or not waiting:
            return self._submit() if self.state == "registered" else None
        unit, outcome = self.choose(waiting), self.choose(("passed", "passed", "passed", "referred", "not_passed"))
        attempt = self.outcomes[unit][0]
        if self.tell("assessment.decided", unit_code=unit, attempt=attempt, outcome=outcome, assessor_id=ASSESSOR):
            self.outcomes[unit] = attempt, outcome

    def _transfer(self) -> None:
        """An offer and its answer; nothing is dated between the offer and the day on which the trainee moves."""
        named = {"transfer_id": f"5555555{len(self.told) % 10}-5555-4555-8555-5555555{len(self.told):05}"}
        gaining = self.choose([partner for partner in PARTNERS if partner != self.partner])
        by = self.choose((self.partner, self.partner, LEAD)) if not self.moved else self.partner
        effective = (self.day + timedelta(days=self.choose((0, 1, 3)))).isoformat()
        self.tell("transfer.offered", by=by, **named, to_partner=gaining, effective_on=effective, cause="trainee_moved")
        match self.choose(("accepted", "accepted", "accepted", "declined", "cancelled")):
            case "declined":
                self.tell("transfer.declined", by=gaining, **named, reason="no_capacity")
            case "cancelled":
                self.tell("transfer.cancelled", by=by, **named)
            case _:
                self.tell(
                    "transfer.accepted", by=gaining, **named, partner_ref=f"T-{self.subject[:8]}-{len(self.told)}"
                )
                self.partner, self.moved, self.mentored = gaining, True, False


def life(choose: Choose, *, corrected: bool, steps: int = 20, subject: str = SUBJECT) -> list[Event]:
    """A life of a few steps, told in order; if `corrected`, some are taken back or told anew at once."""
    trainee = Trainee(choose, corrected, subject)
    trainee.tell("registered", **registration(subject, subject[:8]))
    for _ in range(choose(range(1, steps))):
        trainee.go_on()
    return trainee.told


def random_life(seed: int, *, corrected: bool, steps: int = 20, subject: str = SUBJECT) -> list[Event]:
    """The life of a seed: the same for ever."""
    return life(Random(seed).choice, corrected=corrected, steps=steps, subject=subject)


def turns(events: Sequence[Event]) -> Iterator[list[Event]]:
    """A life by whose turn it is: each partner sends what follows once the others' records are answered."""
    turn: list[Event] = []
    for event in events:
        if turn and turn[-1].topic != event.topic:
            yield turn
            turn = []
        turn.append(event)
    yield turn
