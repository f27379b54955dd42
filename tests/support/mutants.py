"""Services with one mistake each: the properties must find every one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from services.assessment import domain as assessment
from services.enrolment import domain as enrolment
from shared import clock, topics
from shared import history as history_rules
from shared.batch import Batch
from shared.clock import Moment
from shared.contract import Event
from shared.events.catalogue import EventType
from shared.history import Accepted, Bound, Decision, History, Ledger
from shared.judging import Hold, Item, Writes
from shared.messages import Message, encode
from shared.reference import Reference
from shared.status import Status
from tests.support.memory import System

Mutant = Callable[[pytest.MonkeyPatch], None]


def status_as_of_the_end_of_the_batch(patch: pytest.MonkeyPatch) -> None:
    """Every request of a batch carries the status that the whole batch leaves."""
    take_all = Batch.take_all

    def late(batch: Batch, items: Sequence[Item]) -> Writes:
        writes = take_all(batch, items)
        writes.messages = [_with_status(message, batch) for message in writes.messages]
        return writes

    patch.setattr(Batch, "take_all", late)


def _with_status(message: Message, batch: Batch) -> Message:
    body: dict[str, Any] = json.loads(message.value or b"{}")
    if message.topic != topics.requests("assessment") or "event" not in body:
        return message
    status = batch._world.ledgers[message.key or ""].status
    assert status is not None
    return replace(message, value=encode(body | {"status": status.model_dump(mode="json")}))


def newest_status_instead_of_the_attached_one(patch: pytest.MonkeyPatch) -> None:
    """Assessment asks what enrolment says by now, and not what it said of this record."""
    deliver, decide = System.deliver, assessment.decide
    newest: dict[str, Ledger] = {}

    def looking(system: System, count: int | None = None, *, twice: bool = False) -> None:
        newest.clear()
        newest.update(system.enrolment.world.ledgers)
        deliver(system, count, twice=twice)

    def decided(ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        return decide(ledger, replace(event, attached=newest[event.registration].status), bound)

    patch.setattr(System, "deliver", looking)
    patch.setattr(assessment, "decide", decided)


def a_request_sent_twice_is_a_duplicate(patch: pytest.MonkeyPatch) -> None:
    """What the relay sends again is answered again."""
    take = Batch.take

    def forgetful(batch: Batch, item: Item) -> None:
        batch._world.seen.clear()
        take(batch, item)

    patch.setattr(Batch, "take", forgetful)


def nothing_cures_what_waits(patch: pytest.MonkeyPatch) -> None:
    """A held record is answered at its deadline, whatever has come."""
    patch.setattr(Batch, "_cure", lambda batch, registration, cure: None)


def what_waits_is_judged_newest_first(patch: pytest.MonkeyPatch) -> None:
    """Held records are judged again in the wrong order."""
    holds = Batch._holds

    def reverse(batch: Batch, registration: str) -> list[Hold]:
        return holds(batch, registration)[::-1]

    patch.setattr(Batch, "_holds", reverse)


def later_facts_may_fall(patch: pytest.MonkeyPatch) -> None:
    """A late event is accepted though a fact that stands would not be legal any more."""
    patch.setattr(enrolment, "_insert", lambda history, event, reference: Accepted())


def a_day_is_its_first_moment(patch: pytest.MonkeyPatch) -> None:
    """Facts of day precision all stand at 00:00."""
    patch.setattr(clock, "placed", lambda instant, precision, place: instant)


def a_void_frees_the_id(patch: pytest.MonkeyPatch) -> None:
    """A copy of what was taken back counts as new."""
    same_id = history_rules.same_id

    def forgiving(bound: Bound | None, ledger: Ledger, event: Event) -> Decision | None:
        voided = (event.source, event.id) in ledger.history.voided
        return None if voided else same_id(bound, ledger, event)

    patch.setattr(enrolment, "same_id", forgiving)
    patch.setattr(assessment, "same_id", forgiving)


def a_voided_fact_still_counts(patch: pytest.MonkeyPatch) -> None:
    """The history forgets nothing."""
    patch.setattr(History, "voided", frozenset())


def a_completion_stands_whatever_the_status(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever set aside."""
    patch.setattr(assessment, "standing", lambda history, status: assessment.Standing(history.facts, {}))


def late_events_are_refused(patch: pytest.MonkeyPatch) -> None:
    """Only what is newer than all that stands is taken."""
    insert = enrolment._insert

    def newest_only(history: History, event: Event, reference: Reference) -> Decision:
        late = any(fact.moment > event.moment for fact in history.facts)
        return history_rules.reject("would_invalidate") if late else insert(history, event, reference)

    patch.setattr(enrolment, "_insert", newest_only)


def anybody_may_tell(patch: pytest.MonkeyPatch) -> None:
    """Whoever sends a fact, it counts."""
    admits = enrolment.admits

    def trusting(status: Status | None, sender: str, kind: EventType, moment: Moment) -> str | None:
        code = admits(status, sender, kind, moment)
        return None if code == "not_your_trainee" else code

    patch.setattr(enrolment, "admits", trusting)


MUTANTS: Final[tuple[Mutant, ...]] = (
    status_as_of_the_end_of_the_batch,
    newest_status_instead_of_the_attached_one,
    a_request_sent_twice_is_a_duplicate,
    nothing_cures_what_waits,
    what_waits_is_judged_newest_first,
    later_facts_may_fall,
    a_day_is_its_first_moment,
    a_void_frees_the_id,
    a_voided_fact_still_counts,
    a_completion_stands_whatever_the_status,
    late_events_are_refused,
    anybody_may_tell,
)
