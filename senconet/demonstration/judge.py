"""The answer key: an independent reading of the rule book, applied to the raw bytes of the records.

Within a phase the topics are read one after another, each in its order: records that depend on another
topic's belong in a later phase. `received` is one time for all; the order of reading stands for the order
of receipt. Holds end after the last phase, or after each with `expire_between_phases`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from senconet.demonstration.judge_contract import TYPES, contract
from senconet.demonstration.judge_door import (
    ACCEPT,
    Verdict,
    admit,
    admit_correction,
    judge_correction,
    judge_fact,
    judge_registered,
    reject,
)
from senconet.demonstration.judge_figures import counted, figures
from senconet.demonstration.judge_history import Fact, History, moment
from senconet.demonstration.judge_owners import FALLEN
from senconet.demonstration.judge_record import Envelope, read
from senconet.demonstration.judge_rules import Rules, day_of, rules_of
from senconet.demonstration.judge_shown import states
from senconet.demonstration.judge_world import ENROLMENT, Event, World
from senconet.demonstration.model import AS_AT, Answer, Key, Outcome, Phase, Record, Reference

WIRE_TYPES = frozenset(TYPES)
NO_CODES: frozenset[str] = frozenset()


def comparable(value: Any) -> Any:
    """Data in a form in which equal content is equal: names sorted, numbers by value, true not one."""
    if isinstance(value, dict):
        return ("object", tuple(sorted((name, comparable(item)) for name, item in value.items())))
    if isinstance(value, list):
        return ("list", tuple(comparable(item) for item in value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return ("number", value)
    return (type(value).__name__, value)


def _equal(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether type, subject, instant and data are the same."""
    return one[:-1] == other[:-1] and comparable(one[-1]) == comparable(other[-1])


def _door(event: Event) -> str:
    """Where the door keeps an event that waits there: beside the ids of its owner."""
    return ENROLMENT if event.owner == ENROLMENT else f"door of {event.owner}"


@dataclass(slots=True)
class Held:
    """A waiting event, where it waits, and the codes of its last judging."""

    event: Event
    service: str
    codes: frozenset[str]
    history: History | None  # that it was handed on to its owner with; None: it waits at the door

    @property
    def at(self) -> str:
        """The service that holds it, and whose acceptances can cure it."""
        return ENROLMENT if self.history is None else self.service


@dataclass(slots=True)
class Judge:
    """Reads records in order and answers each once."""

    rules: Rules
    received: datetime
    world: World = field(init=False)
    answers: dict[tuple[str, int], Answer] = field(default_factory=dict)
    held: defaultdict[str, list[Held]] = field(default_factory=lambda: defaultdict(list))
    bound: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.rules, day_of(self.received))

    def receive(self, partner: str, offset: int, record: Record) -> None:
        """Stages 1 and 2, then the owner's; what is accepted may cure what waits."""
        self.count += 1
        codes, envelope = read(record, WIRE_TYPES)
        if envelope is not None:
            codes = contract(self.rules, envelope, partner, self.received)
        if codes or envelope is None:
            self.answers[partner, offset] = Answer("rejected", codes, waits=False)
            return
        event = self._event(partner, offset, envelope)
        if self._answer_first(event):
            self._cure(event.subject, event.owner)

    def expire(self) -> None:
        """The deadline of everything that waits: the code of its last judging."""
        for waiting in list(self.held.values()):
            for item in list(waiting):
                self._release(item)
                self._answer(item.event, "rejected", item.codes, waits=True)

    def _event(self, partner: str, offset: int, found: Envelope) -> Event:
        name = TYPES[found.type]
        at = moment(name, found.time, found.data)
        fact = Fact(name, found.source, found.id, found.time, at, self.count, found.data)
        content = (found.type, found.subject, found.time, found.data)
        return Event(partner, offset, found.subject, content, fact)

    def _answer(self, event: Event, outcome: Outcome, codes: frozenset[str], *, waits: bool) -> None:
        self.answers[event.partner, event.offset] = Answer(outcome, codes, waits)

    def _answer_first(self, event: Event) -> bool:
        """Judges an event just received; true if something was accepted."""
        door = _door(event)
        if event.owner == ENROLMENT and self._known_id(event, ENROLMENT, waits=False):
            return False
        verdict = self._admit(event)
        if verdict.kind == "hold" and self._known_id(event, door, waits=False):
            return False
        if verdict.kind == "accept":
            return self._owner_answers(event, waits=False)
        return self._settle(event, door, verdict, waits=False)

    def _owner_answers(self, event: Event, *, waits: bool) -> bool:
        """The owner's stages of a record that the door admitted."""
        if event.owner != ENROLMENT and self._known_id(event, event.owner, waits=waits):
            return False
        handed_on = event.owner != ENROLMENT
        history = self.world.registrations[event.subject].history if handed_on else None
        return self._settle(event, event.owner, self._judge(event, history), waits=waits, history=history)

    def _known_id(self, event: Event, service: str, *, waits: bool) -> bool:
        """Stage 3: the same id again is a duplicate, or a conflict if the content differs."""
        key = (service, event.fact.source, event.fact.id)
        if key not in self.bound:
            return False
        same = _equal(self.bound[key], event.content)
        codes = NO_CODES if same else frozenset({"id_conflict"})
        self._answer(event, "duplicate" if same else "rejected", codes, waits=waits)
        return True

    def _admit(self, event: Event) -> Verdict:
        """The door's stage 4; of a registration all that follows the id."""
        if event.correction is not None:
            return admit_correction(self.world, event)
        if event.fact.name == "registered":
            return judge_registered(self.world, event)
        return admit(self.world, event)

    def _judge(self, event: Event, history: History | None = None) -> Verdict:
        """The owner's stages after the id, under the newest history unless another was handed on."""
        if event.fact.name == "registered":
            return ACCEPT
        if history is None:
            history = self.world.registrations[event.subject].history
        return (judge_fact if event.correction is None else judge_correction)(self.world, event, history)

    def _settle(
        self, event: Event, service: str, verdict: Verdict, *, waits: bool, history: History | None = None
    ) -> bool:
        if verdict.kind == "reject":
            self._answer(event, "rejected", verdict.codes, waits=waits)
            return False
        self.bound[service, event.fact.source, event.fact.id] = event.content
        if verdict.kind == "hold":
            self.held[event.subject].append(Held(event, service, verdict.codes, history))
            self.held[event.subject].sort(key=lambda item: item.event.fact.seq)
            return False
        self.world.apply(event, verdict.fallen)
        self._answer(event, "accepted", NO_CODES, waits=waits)
        return True

    def _release(self, item: Held) -> None:
        self.held[item.event.subject].remove(item)
        del self.bound[item.service, item.event.fact.source, item.event.fact.id]

    def _cure(self, subject: str, service: str) -> None:
        """After a service accepted something, judges again what waits there, in order of receipt, until none is cured.

        A registration that is voided ends what waits at the others too.
        """
        while any(self._again(item) for item in self._waiting(subject, service)):
            pass
        if service == ENROLMENT and self.world.registrations[subject].voided is not None:
            for owner in FALLEN:
                self._cure(subject, owner)

    def _waiting(self, subject: str, service: str) -> list[Held]:
        return [item for item in self.held.get(subject, ()) if item.at == service]

    def _again(self, item: Held) -> bool:
        """Judges a held event again; true if it was accepted where it waits."""
        if item.history is None:
            return self._again_at_door(item)
        voided = self.world.registrations[item.event.subject].voided is not None
        return self._judged_again(
            item, reject("registration_voided") if voided else self._judge(item.event, item.history)
        )

    def _again_at_door(self, item: Held) -> bool:
        """From the admission on. What another owns goes to it, and it has dealt with that before the next one comes."""
        event, verdict = item.event, self._admit(item.event)
        if verdict.kind == "accept" and event.owner != ENROLMENT:
            self._release(item)
            if self._owner_answers(event, waits=True):
                self._cure(event.subject, event.owner)
            return False
        return self._judged_again(item, self._judge(event) if verdict.kind == "accept" else verdict)

    def _judged_again(self, item: Held, verdict: Verdict) -> bool:
        """What still waits keeps the codes of this judging; all else is answered."""
        if verdict.kind == "hold":
            item.codes = verdict.codes
            return False
        self._release(item)
        return self._settle(item.event, item.service, verdict, waits=True)


def _answers(answers: Mapping[tuple[str, int], Answer]) -> dict[str, tuple[Answer, ...]]:
    found: defaultdict[str, list[Answer]] = defaultdict(list)
    for (partner, _), answer in sorted(answers.items(), key=lambda item: item[0]):
        found[partner].append(answer)
    return {partner: tuple(items) for partner, items in found.items()}


def judge(
    reference: Reference, topics: Sequence[Phase], *, received: datetime, expire_between_phases: bool = False
) -> Key:
    """The answer, state and figure that the rule book gives for these records."""
    rules = rules_of(reference)
    judged = Judge(rules, received.astimezone(UTC))
    offsets: defaultdict[str, int] = defaultdict(int)
    for phase in topics:
        for partner, records in phase.items():
            for record in records:
                judged.receive(partner, offsets[partner], record)
                offsets[partner] += 1
        if expire_between_phases:
            judged.expire()
    judged.expire()
    registrations = judged.world.registrations
    found = counted(rules, registrations.values())
    return Key(
        answers=_answers(judged.answers),
        states=states(registrations),
        figures={day: figures(rules, found, day) for day in AS_AT},
    )


def fold(reference: Reference, partner: str, records: Iterable[Record], *, received: datetime) -> Key:
    """The key of one partner's records alone."""
    return judge(reference, [{partner: tuple(records)}], received=received)
