"""The judging of a batch: records one after another on what was loaded, collecting what is to be written. No I/O.

The same code judges live batches, holds that are cured or end, and queues that are answered after a repair.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.contract import Event, Refusal
from shared.events.codes import Problem
from shared.handover import StatusChange, released
from shared.history import (
    MAX_FACTS,
    Accepted,
    Bound,
    Decision,
    Duplicate,
    HandedOn,
    Held,
    Ledger,
    Rejected,
    bounded,
    digest,
    reject,
)
from shared.judging import (
    Change,
    Fault,
    Hold,
    Item,
    Judge,
    SystemicFault,
    World,
    Writes,
    Written,
    bound_name,
    dated,
    is_systemic,
)
from shared.messages import Answer, receipt

LATE: Final = timedelta(days=30)
"""A fact told later than this is accepted with a warning (reference: events 4.6)."""

MAX_WAITING: Final = 50
"""Records of one registration and topic that wait at a time; what comes above is answered at once."""

log = logging.getLogger("senconet.batch")


class Batch:
    """Judges items in order. Faults of ours are confined to the record and what stands behind it."""

    def __init__(
        self,
        judge: Judge,
        world: World,
        now: datetime,
        hold_for: timedelta,
    ) -> None:
        self.writes = Writes()
        self._judge = judge
        self._world = world
        self._now = now
        self._hold_for = hold_for

    def take_all(self, items: Sequence[Item | Fault]) -> Writes:
        """Judge all items; raise `SystemicFault` if most of a batch of any size fails."""
        for item in items:
            self.take(item)
        if is_systemic(len(self.writes.failed), len(items)):
            raise SystemicFault(f"{len(self.writes.failed)} of {len(items)} records failed: {self._errors()}")
        return self.writes

    def take(self, item: Item | Fault) -> None:
        """Judge one item."""
        match item:
            case Fault():
                self._quarantine(item)
            case StatusChange():
                self._observe(item)
            case Refusal():
                self._refuse(item)
            case Event() if item.position in self._world.seen:
                return
            case Event():
                self._world.seen.add(item.position)  # the relay may send a request twice, also within one batch
                if (item.position.topic, item.registration) in self._world.queues:
                    self.writes.queued.append(item)
                else:
                    self._take_event(item)

    def holds(self) -> list[Hold]:
        """All that waits of the registrations loaded."""
        return [hold for registration in self._world.holds for hold in self._holds(registration)]

    @property
    def queues(self) -> frozenset[tuple[str, str]]:
        """Topics and registrations whose records stand behind one that failed."""
        return frozenset(self._world.queues)

    def end(self, hold: Hold) -> None:
        """The hold's time is over: it is answered with the problems of its last judging."""
        self._release(hold)
        self._apply(hold.event, Rejected(hold.problems))

    def _errors(self) -> str:
        return ", ".join(sorted({error for *_, error in self.writes.failed}))

    def _take_event(self, event: Event) -> None:
        try:
            self._end_expired(event)
            decision, change = self._decide(event)
        except Exception as fault:  # whatever it is, it is ours: the record waits for the repair
            self._quarantine(Fault.of(event, fault))
            return
        self._apply(event, decision, change)
        if isinstance(decision, Accepted):
            self._cure(event.registration, event.cure)

    def _quarantine(self, fault: Fault) -> None:
        log.error("%s/%d: quarantined for %s", fault.position.topic, fault.position.offset, fault.error)
        self.writes.failed.append((fault.raw, fault.position, fault.registration, fault.error))
        if fault.registration:
            self._world.queues.add((fault.position.topic, fault.registration))

    def _decide(self, event: Event) -> tuple[Decision, Change | None]:
        ledger = self._world.ledgers[event.registration]
        bound = self._world.bound.get(bound_name(event))
        decision = self._judge.decide(ledger, event, bound)
        if isinstance(decision, Accepted) and bounded(event.kind) and ledger.history.full:
            decision = reject("too_many_facts", "ce_subject", most=MAX_FACTS)
        accepted = isinstance(decision, Accepted)
        return decision, self._judge.accept(ledger, event, self._decided(ledger)) if accepted else None

    def _decided(self, ledger: Ledger) -> datetime:
        """The database's clock, never going back for a registration."""
        return max(self._now, ledger.decided) if ledger.decided else self._now

    def _apply(self, event: Event, decision: Decision, change: Change | None = None) -> None:
        """Write down what was decided; nothing here can fail for what the record says."""
        self.writes.outcomes[event.kind.name, type(decision).__name__.lower()] += 1
        match decision:
            case Held() if self._waiting(event) >= MAX_WAITING:
                self._answer(event, "rejected", problems=decision.problems)
            case Held():
                self._hold(event, decision.problems)
            case HandedOn():
                ledger = self._world.ledgers[event.registration]
                self.writes.messages.append(self._judge.hand_on(ledger, event))
            case Accepted():
                assert change is not None
                self._accept(event, decision, change)
            case Rejected():
                self._answer(event, "rejected", problems=decision.problems)
            case Duplicate():
                self._answer(event, "duplicate", first=decision.first)

    def _accept(self, event: Event, decision: Accepted, change: Change) -> None:
        key = change.ledger.digest_key
        self._move(change)
        copy_of = digest(key, event)
        self._world.bound[bound_name(event)] = Bound(event.registration, copy_of, "accepted", event.received)
        warnings = (*(("late",) if event.received - event.time > LATE else ()), *decision.warnings)
        self._answer(event, "accepted", warnings=warnings, change=change, digest=copy_of)

    def _move(self, change: Change) -> None:
        ledger, before = change.ledger, self._world.ledgers[change.ledger.registration]
        self._world.ledgers[ledger.registration] = self.writes.ledgers[ledger.registration] = ledger
        if ledger.status is not before.status:
            self.writes.statuses[ledger.registration] = ledger.status
        self.writes.messages.extend(change.messages)

    def _answer(
        self,
        event: Event,
        outcome: str,
        *,
        problems: tuple[Problem, ...] = (),
        warnings: tuple[str, ...] = (),
        first: str | None = None,
        change: Change | None = None,
        digest: bytes | None = None,
    ) -> None:
        answer = Answer(
            event.position,
            event.sender,
            event.received,
            outcome,
            self._judge.ruleversion(event.received),
            problems,
            warnings,
            first,
            event.source,
            event.id,
            event.kind.wire,
            event.registration,
        )
        ledger = self._world.ledgers[event.registration]
        fact = change.fact if change else None
        version = change.ledger.version if change else None
        self._publish(Written(answer, self._decided(ledger), version, fact, digest))

    def _publish(self, written: Written) -> None:
        self.writes.answers.append(written)
        self.writes.messages.append(receipt(self._judge.service, written.answer, written.decided))

    def _refuse(self, refusal: Refusal) -> None:
        self.writes.outcomes[refusal.type or "unknown", "rejected"] += 1
        answer = Answer(
            refusal.position,
            refusal.sender,
            refusal.received,
            "rejected",
            self._judge.ruleversion(refusal.received),
            refusal.problems,
            source=refusal.source,
            id=refusal.id,
            type=refusal.type,
            subject=refusal.subject,
        )
        self._publish(Written(answer, self._now))

    def _waiting(self, event: Event) -> int:
        """How much waits of the event's registration and topic already."""
        holds = self._world.holds.get(event.registration, ())
        return sum(1 for hold in holds if hold.event.position.topic == event.position.topic)

    def _hold(self, event: Event, problems: tuple[Problem, ...]) -> None:
        ledger = self._world.ledgers[event.registration]
        deadline = event.received + self._hold_for
        hold = Hold(event, digest(ledger.digest_key, event), deadline, dated(problems, deadline))
        self._world.holds.setdefault(event.registration, []).append(hold)
        self._world.bound[bound_name(event)] = Bound(event.registration, hold.digest, "held", event.received)
        self.writes.held[event.position] = hold

    def _release(self, hold: Hold) -> None:
        event = hold.event
        self._world.holds[event.registration].remove(hold)
        self._world.bound.pop(bound_name(event), None)
        self.writes.held.pop(event.position, None)
        self.writes.released.add(event.position)

    def _end_expired(self, event: Event) -> None:
        """A record of the same id, received after the deadline, ends the hold first."""
        name = bound_name(event)
        for hold in self.holds() if name in self._world.bound else ():
            if bound_name(hold.event) == name and hold.deadline < event.received:
                self.end(hold)

    def _holds(self, registration: str) -> list[Hold]:
        holds = self._world.holds.get(registration, [])
        return sorted(holds, key=lambda hold: (hold.event.received, hold.event.position))

    def _observe(self, change: StatusChange) -> None:
        ledger = self._world.ledgers[change.registration]
        self._move(self._judge.observe(ledger, change, self._decided(ledger)))
        if change.status.voided:
            self._cure(change.registration, change.received)

    def _cure(self, registration: str, cure: datetime) -> None:
        """Judge what waits again, in order of receipt, from the start whenever one more is answered.

        Only what was received up to a hold's deadline can cure it, however late it is read.
        """
        while any(self._judge_again(hold, cure) for hold in self._holds(registration) if cure <= hold.deadline):
            continue

    def _judge_again(self, hold: Hold, cure: datetime) -> bool:
        """Whether the hold was answered, handed on or found to be our fault."""
        event = released(hold.event, cure)
        bound = self._world.bound.pop(bound_name(event), None)
        try:
            decision, change = self._decide(event)
        except Exception as fault:
            self._release(hold)
            self._quarantine(Fault.of(event, fault))
            return True
        if isinstance(decision, Held):
            if bound is not None:
                self._world.bound[bound_name(event)] = bound
            self._keep(hold, decision.problems)
            return False
        self._release(hold)
        self._apply(event, decision, change)
        return True

    def _keep(self, hold: Hold, problems: tuple[Problem, ...]) -> None:
        kept = replace(hold, problems=dated(problems, hold.deadline))
        if kept == hold:
            return
        holds = self._world.holds[hold.event.registration]
        holds[holds.index(hold)] = kept
        self.writes.held[hold.event.position] = kept
