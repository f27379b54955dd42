"""Services with one mistake each: the properties must find every one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest

from services.enrolment import domain as enrolment
from services.enrolment.domain import Context
from services.enrolment.transfer import Move, Offer
from shared import clock, standing, sweep
from shared import history as history_rules
from shared.batch import Batch
from shared.clock import Moment
from shared.contract import Event, Position
from shared.events.catalogue import EventType
from shared.history import Accepted, Bound, Decision, Fact, History, Ledger, history_of
from shared.judging import Change, Hold, Item, Writes
from shared.messages import Message, encode
from shared.owning import RESTORED, OwnerJudge
from shared.standing import Owner, Standing
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
    if not message.topic.endswith(".requests") or "event" not in body:
        return message
    status = batch._world.ledgers[message.key or ""].status
    assert status is not None
    return replace(message, value=encode(body | {"status": status.model_dump(mode="json")}))


def newest_status_instead_of_the_attached_one(patch: pytest.MonkeyPatch) -> None:
    """An owner asks what enrolment says by now, and not what it said of this record."""
    deliver, decide = System.deliver, Owner.decide
    newest: dict[str, Ledger] = {}

    def looking(system: System, *given: Any, **named: Any) -> None:
        newest.clear()
        newest.update(system.enrolment.world.ledgers)
        deliver(system, *given, **named)

    def decided(owner: Owner[Any], ledger: Ledger, event: Event, bound: Bound | None) -> Decision:
        return decide(owner, ledger, replace(event, attached=newest[event.registration].status), bound)

    patch.setattr(System, "deliver", looking)
    patch.setattr(Owner, "decide", decided)


def attached_status_instead_of_the_newest_one(patch: pytest.MonkeyPatch) -> None:
    """What stands after a record is told by the status that was attached to it."""
    accept = OwnerJudge.accept

    def accepted(judge: OwnerJudge[Any], ledger: Ledger, event: Event, decided: datetime) -> Change:
        change = accept(judge, replace(ledger, status=event.attached), event, decided)
        return replace(change, ledger=replace(change.ledger, status=ledger.status))

    patch.setattr(OwnerJudge, "accept", accepted)


def standing_is_not_folded(patch: pytest.MonkeyPatch) -> None:
    """A fact that is not legal any more after others were set aside stays."""
    after = Owner.after

    def kept(owner: Owner[Any], before: Standing[Any], fact: Fact, status: Status | None) -> Standing[Any]:
        found = after(owner, before, fact, status)
        admitted = standing.admits(status, fact.sender, fact.kind, fact.moment) is None
        return replace(before, facts=(*before.facts, fact)) if admitted and fact.name in found.aside else found

    def unfolded(judge: OwnerJudge[Any], ledger: Ledger) -> Standing[Any]:
        owner, found = judge._owner, Standing(judge._owner.rules.nothing)
        for fact in ledger.history.facts:
            found = kept(owner, found, fact, ledger.status)
        return found

    patch.setattr(OwnerJudge, "_standing", unfolded)


def facts_stand_whatever_the_status(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever set aside for a status."""
    admits = standing.admits

    def trusting(*given: Any) -> str | None:
        code = admits(*given)
        return code if code == "registration_unknown" else None

    patch.setattr(standing, "admits", trusting)


def restoring_is_not_told(patch: pytest.MonkeyPatch) -> None:
    """A sender hears that its fact was set aside, and never that it counts again."""
    notices = OwnerJudge._notices

    def silent(*given: Any) -> Iterator[Message]:
        return (m for m in notices(*given) if not dict(m.headers)["ce_type"].endswith(f"{RESTORED}.v1"))

    patch.setattr(OwnerJudge, "_notices", silent)


def a_request_sent_twice_is_taken_twice(patch: pytest.MonkeyPatch) -> None:
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
    """A late event is accepted though a fact of enrolment that stands would not be legal any more."""
    patch.setattr(enrolment, "_answer", lambda *given: Accepted())


def later_facts_of_an_owner_may_fall(patch: pytest.MonkeyPatch) -> None:
    """The same at the owners."""
    patch.setattr(standing, "_fallen", lambda *given: None)


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
    patch.setattr(standing, "same_id", forgiving)


def a_voided_fact_still_counts(patch: pytest.MonkeyPatch) -> None:
    """The history forgets nothing."""

    def remembering(accepted: Iterable[Fact]) -> History:
        came = tuple(accepted)
        kept = history_of(fact for fact in came if fact.kind.corrects is None or fact.kind.supersedes)
        return History(came, kept.facts, history_of(came).voided)

    patch.setattr(history_rules, "history_of", remembering)


def a_superseded_fact_stays_as_it_was(patch: pytest.MonkeyPatch) -> None:
    """What is told anew changes nothing."""
    patch.setattr(history_rules, "superseded", lambda fact, correction: fact)


def a_transfer_counts_from_its_offer(patch: pytest.MonkeyPatch) -> None:
    """The trainee moves when that is offered, and not on the day that was agreed."""
    patch.setattr(Offer, "move", property(lambda offer: Move(offer.offered, offer.to_partner)))


def late_events_are_refused(patch: pytest.MonkeyPatch) -> None:
    """Only what is newer than all that stands is taken."""
    decide = enrolment._decide_change

    def newest_only(ledger: Ledger, event: Event, context: Context) -> Decision:
        late = any(fact.moment > event.moment for fact in ledger.history.facts)
        return history_rules.reject("would_invalidate") if late else decide(ledger, event, context)

    patch.setattr(enrolment, "_decide_change", newest_only)


def anybody_may_tell(patch: pytest.MonkeyPatch) -> None:
    """Whoever sends a fact, it counts."""
    admits = enrolment.admits

    def trusting(status: Status | None, sender: str, kind: EventType, moment: Moment) -> str | None:
        code = admits(status, sender, kind, moment)
        return None if code == "not_your_trainee" else code

    patch.setattr(enrolment, "admits", trusting)


def a_hold_ends_by_the_clock_on_the_wall(patch: pytest.MonkeyPatch) -> None:
    """What waits is answered at its deadline, though what was received up to then has yet to be read."""
    over, append = sweep._over, System.append
    now: list[datetime] = []

    def noted(services: System, *given: Any) -> Position:
        place = append(services, *given)
        now[:] = [services.now + 3 * services.enrolment.hold_for]
        return place

    def early(holds: Iterable[Hold], until: datetime, blocked: frozenset[tuple[str, str]]) -> list[Hold]:
        return over(holds, max(until, *now), blocked)

    patch.setattr(System, "append", noted)
    patch.setattr(sweep, "_over", early)


def a_hold_ends_beside_a_queue(patch: pytest.MonkeyPatch) -> None:
    """What waits is answered at its deadline, though what may cure it stands behind a fault of ours."""
    over = sweep._over
    patch.setattr(sweep, "_over", lambda holds, until, blocked: over(holds, until, frozenset()))


def others_are_named_in_a_notice(patch: pytest.MonkeyPatch) -> None:
    """A notice names the event that caused it, whosever that is."""
    patch.setattr("shared.owning._shown", lambda cause, fact: dict(cause))


def others_references_are_shown(patch: pytest.MonkeyPatch) -> None:
    """The view of a partner has the first partner's reference."""
    patch.setattr(
        "services.reporting.partner_view._identifiers",
        lambda known, partner: (
            {"partner_ref": next(iter(known.identity.refs.values()), None)} if known.identity else {}
        ),
    )


def others_facts_are_named_in_a_refusal(patch: pytest.MonkeyPatch) -> None:
    """A refusal names all facts that would fall, whosever they are."""

    def telling(fallen: Sequence[Fact], event: Event) -> Decision | None:
        ids = sorted(fact.id for fact in fallen)
        return history_rules.reject("would_invalidate", "ce_time", count=len(ids), ids=ids) if ids else None

    patch.setattr(enrolment, "would_invalidate", telling)
    patch.setattr(standing, "would_invalidate", telling)


MUTANTS: Final[tuple[Mutant, ...]] = (
    status_as_of_the_end_of_the_batch,
    newest_status_instead_of_the_attached_one,
    attached_status_instead_of_the_newest_one,
    standing_is_not_folded,
    facts_stand_whatever_the_status,
    restoring_is_not_told,
    a_request_sent_twice_is_taken_twice,
    nothing_cures_what_waits,
    what_waits_is_judged_newest_first,
    later_facts_may_fall,
    later_facts_of_an_owner_may_fall,
    a_day_is_its_first_moment,
    a_void_frees_the_id,
    a_voided_fact_still_counts,
    a_superseded_fact_stays_as_it_was,
    a_transfer_counts_from_its_offer,
    late_events_are_refused,
    anybody_may_tell,
)
"""What random histories, told at random, must find."""

LEAKS: Final[tuple[Mutant, ...]] = (
    others_are_named_in_a_notice,
    others_references_are_shown,
    others_facts_are_named_in_a_refusal,
)
"""What lets one partner hear of another."""
