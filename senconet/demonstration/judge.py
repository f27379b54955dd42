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
    Event,
    Verdict,
    World,
    admit_completed,
    admit_correction,
    apply,
    judge_completed,
    judge_fact,
    judge_registered,
    judge_void,
)
from senconet.demonstration.judge_figures import figures, shown
from senconet.demonstration.judge_history import Fact, moment
from senconet.demonstration.judge_record import Envelope, read
from senconet.demonstration.judge_rules import Rules, day_of, rules_of
from senconet.demonstration.model import AS_AT, Answer, Key, Outcome, Phase, Record, Reference, State

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


@dataclass(slots=True)
class Held:
    """A waiting event, where it waits, and the code of its last judging."""

    event: Event
    service: str
    codes: frozenset[str]


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
            self._cure(event.subject)

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
        content = (found.type, found.subject, found.time, comparable(found.data))
        return Event(partner, offset, found.subject, content, fact)

    def _answer(self, event: Event, outcome: Outcome, codes: frozenset[str], *, waits: bool) -> None:
        self.answers[event.partner, event.offset] = Answer(outcome, codes, waits)

    def _answer_first(self, event: Event) -> bool:
        """Judges an event just received; true if something was accepted."""
        service = "door" if event.handed_on else "enrolment"
        if not event.handed_on and self._known_id(event, service, waits=False):
            return False
        verdict = self._judge(event)
        if event.handed_on and verdict.kind == "hold" and self._known_id(event, service, waits=False):
            return False
        if event.handed_on and verdict.kind == "accept":
            return self._owner_answers(event, waits=False)
        return self._settle(event, service, verdict, waits=False)

    def _owner_answers(self, event: Event, *, waits: bool) -> bool:
        """Assessment's stages of a record that the door admitted."""
        if self._known_id(event, "assessment", waits=waits):
            return False
        verdict = judge_void(self.world, event) if event.void_of else judge_completed(self.world, event)
        return self._settle(event, "assessment", verdict, waits=waits)

    def _known_id(self, event: Event, service: str, *, waits: bool) -> bool:
        """Stage 3: the same id again is a duplicate, or a conflict if the content differs."""
        key = (service, event.fact.source, event.fact.id)
        if key not in self.bound:
            return False
        same = self.bound[key] == event.content
        codes = NO_CODES if same else frozenset({"id_conflict"})
        self._answer(event, "duplicate" if same else "rejected", codes, waits=waits)
        return True

    def _judge(self, event: Event) -> Verdict:
        """The door's stages after the id."""
        if event.void_of is not None:
            admitted = admit_correction(self.world, event)
            settled = admitted.kind != "accept" or event.handed_on
            return admitted if settled else judge_void(self.world, event)
        if event.handed_on:
            return admit_completed(self.world, event)
        if event.fact.name == "registered":
            return judge_registered(self.world, event)
        return judge_fact(self.world, event)

    def _settle(self, event: Event, service: str, verdict: Verdict, *, waits: bool) -> bool:
        if verdict.kind == "reject":
            self._answer(event, "rejected", verdict.codes, waits=waits)
            return False
        self.bound[service, event.fact.source, event.fact.id] = event.content
        if verdict.kind == "hold":
            self.held[event.subject].append(Held(event, service, verdict.codes))
            self.held[event.subject].sort(key=lambda item: item.event.fact.seq)
            return False
        apply(self.world, event)
        self._answer(event, "accepted", NO_CODES, waits=waits)
        return True

    def _release(self, item: Held) -> None:
        self.held[item.event.subject].remove(item)
        del self.bound[item.service, item.event.fact.source, item.event.fact.id]

    def _cure(self, subject: str) -> None:
        """After each acceptance, judges again what waits for the registration, in order of receipt."""
        while any(self._again(item) for item in list(self.held[subject])):
            pass

    def _again(self, item: Held) -> bool:
        """Judges a held event again; true if it was accepted."""
        event = item.event
        verdict = self._judge(event)
        if item.service == "assessment" and verdict.kind == "accept":
            verdict = judge_void(self.world, event)
        elif event.handed_on and verdict.kind == "accept":
            self._release(item)
            return self._owner_answers(event, waits=True)
        if verdict.kind == "hold":
            item.codes = verdict.codes
            return False
        self._release(item)
        return self._settle(event, item.service, verdict, waits=True)


def _states(world: World) -> dict[str, State]:
    found = {}
    for subject, registration in world.registrations.items():
        view = shown(world.rules, registration)
        if view is not None:
            found[subject] = State(view.state, view.since)
    return found


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
    registrations = judged.world.registrations.values()
    return Key(
        answers=_answers(judged.answers),
        states=_states(judged.world),
        figures={day: figures(rules, registrations, day) for day in AS_AT},
    )


def fold(reference: Reference, partner: str, records: Iterable[Record], *, received: datetime) -> Key:
    """The key of one partner's records alone."""
    return judge(reference, [{partner: tuple(records)}], received=received)
