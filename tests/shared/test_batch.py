"""A batch: faults of ours are confined, queues keep their order, and what waits is cured or ended in time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from senconet.demonstration.wire import Event
from services.enrolment.judge import Directory, EnrolmentJudge
from shared.batch import Batch
from shared.contract import Event as Read
from shared.history import MAX_FACTS, Bound, Decision, Ledger
from shared.judging import SYSTEMIC_BATCH, Fault, SystemicFault, World, Writes
from tests.support.histories import THEIRS
from tests.support.memory import HOLD, NOW, world
from tests.support.telling import REFERENCE, TRAINEE, read, read_all, told

OTHER = "22222222-2222-4222-8222-222222222222"
REGISTERED = told("registered")
LEFT = told("withdrew", "2023-02-01")
SECOND = timedelta(seconds=1)


class Buggy(EnrolmentJudge):
    """Rules with a bug that one id brings out."""

    def decide(self, ledger: Ledger, event: Read, bound: Bound | None) -> Decision:
        if event.id.startswith("bug"):
            raise ZeroDivisionError
        return super().decide(ledger, event, bound)


def judged(items: Sequence[Any], known: World | None = None) -> Writes:
    """What a batch writes."""
    judge = Buggy(REFERENCE, Directory())
    return Batch(judge, known or world(), NOW, HOLD).take_all(items)


def outcomes(writes: Writes) -> list[tuple[int, str]]:
    """Offset and outcome of each answer, in the order in which they were given."""
    return [(written.answer.position.offset, written.answer.outcome) for written in writes.answers]


def test_a_record_that_fails_stands_alone_and_later_ones_queue_behind_it() -> None:
    other = told("registered", of=OTHER, id_="other", partner_ref="Q-2")
    events = [REGISTERED, told("deferred", "2023-01-20", "bug"), LEFT, other]
    writes = judged(read_all(events))
    assert outcomes(writes) == [(0, "accepted"), (3, "accepted")]
    assert [(position.offset, error) for _, position, _, error in writes.failed] == [(1, "ZeroDivisionError")]
    assert [event.id for event in writes.queued] == [LEFT.id]


def test_another_partners_record_about_the_trainee_does_not_queue() -> None:
    theirs = told("withdrew", "2023-02-01", by=THEIRS)
    writes = judged([*read_all([REGISTERED, told("deferred", "2023-01-20", "bug")]), read(theirs, 0)])
    assert writes.queued == []
    assert [hold.event.sender for hold in writes.held.values()] == [THEIRS]


def test_a_queue_left_by_an_earlier_batch_is_still_joined() -> None:
    known = world()
    known.queues.add(("partners.quillmarsh.events", TRAINEE))
    assert [event.id for event in judged(read_all([REGISTERED, LEFT]), known).queued] == ["registered", "withdrew"]


def test_so_many_facts_of_one_registration_are_accepted_and_no_more() -> None:
    start = date(2023, 1, 20)
    pauses = [
        told("resumed" if n % 2 else "deferred", (start + timedelta(days=n)).isoformat(), f"e{n}")
        for n in range(MAX_FACTS)
    ]
    writes = judged(read_all([REGISTERED, *pauses]))
    assert [outcome for _, outcome in outcomes(writes)] == ["accepted"] * MAX_FACTS + ["rejected"]
    assert writes.answers[-1].answer.codes == ("too_many_facts",)


def test_a_record_that_could_not_be_read_is_set_apart_with_its_registration() -> None:
    broken, after = read_all([REGISTERED, LEFT])
    writes = judged([Fault(broken.raw, broken.position, TRAINEE, "KeyError"), after])
    assert [(raw.offset, error) for raw, _, _, error in writes.failed] == [(0, "KeyError")]
    assert [event.id for event in writes.queued] == [LEFT.id]


def trainee(number: int) -> str:
    return f"11111111-1111-4111-8111-{number:012}"


def bugs(count: int) -> list[Event]:
    return [told("registered", of=trainee(number), id_=f"bug-{number}") for number in range(count)]


def fine(count: int) -> list[Event]:
    return [
        told("registered", of=trainee(900 + number), id_=f"fine-{number}", partner_ref=f"F-{number}")
        for number in range(count)
    ]


def test_a_service_most_of_whose_batch_fails_stops() -> None:
    half = SYSTEMIC_BATCH // 2
    with pytest.raises(SystemicFault, match="11 of 20 records failed: ZeroDivisionError"):
        judged(read_all([*bugs(half + 1), *fine(half - 1)]))


def test_half_of_a_batch_and_a_small_batch_do_not_stop_a_service() -> None:
    half = SYSTEMIC_BATCH // 2
    assert len(judged(read_all([*bugs(half), *fine(half)])).failed) == half
    assert len(judged(read_all(bugs(SYSTEMIC_BATCH - 1))).failed) == SYSTEMIC_BATCH - 1


def test_a_record_that_waits_is_cured_up_to_its_deadline_however_late_that_is_read() -> None:
    for late, answers in ((HOLD, [(1, "accepted"), (0, "accepted")]), (HOLD + SECOND, [(1, "accepted")])):
        writes = judged([read(LEFT, 0, NOW), read(REGISTERED, 1, NOW + late)])
        assert outcomes(writes) == answers
        assert len(writes.held) == 2 - len(answers)


def test_the_same_id_after_the_deadline_ends_the_hold_first_and_waits_itself() -> None:
    writes = judged([read(LEFT, 0, NOW), read(LEFT, 1, NOW + HOLD + SECOND)])
    assert outcomes(writes) == [(0, "rejected")]
    assert [position.offset for position in writes.held] == [1]


def test_the_same_id_up_to_the_deadline_is_a_copy() -> None:
    assert outcomes(judged([read(LEFT, 0, NOW), read(LEFT, 1, NOW + HOLD)])) == [(1, "duplicate")]


def test_a_hold_that_ends_is_answered_with_its_last_code_and_its_deadline() -> None:
    batch = Batch(Buggy(REFERENCE, Directory()), world(), NOW, HOLD)
    batch.take(read(LEFT, 0, NOW))
    (hold,) = batch.holds()
    batch.end(hold)
    (written,) = batch.writes.answers
    (problem,) = written.answer.problems
    assert problem.code == "registration_unknown"
    assert problem.detail["deadline"] == "2026-11-01T12:00:20Z"
    assert batch.holds() == []
    assert batch.writes.released == {hold.event.position}


def test_what_waits_is_answered_in_the_order_of_its_receipt() -> None:
    back = told("resumed", "2023-02-09")
    assert outcomes(judged(read_all([back, LEFT, REGISTERED]))) == [
        (2, "accepted"),
        (0, "rejected"),
        (1, "accepted"),
    ]


def test_a_hold_that_fails_when_judged_again_goes_into_quarantine() -> None:
    known = world()
    judged([read(LEFT, 0)], known)

    class LaterBuggy(EnrolmentJudge):
        def decide(self, ledger: Ledger, event: Read, bound: Bound | None) -> Decision:
            if event.id == LEFT.id:
                raise ZeroDivisionError
            return super().decide(ledger, event, bound)

    batch = Batch(LaterBuggy(REFERENCE, Directory()), known, NOW, HOLD)
    writes = batch.take_all([read(REGISTERED, 1)])
    assert outcomes(writes) == [(1, "accepted")]
    assert [position.offset for _, position, _, _ in writes.failed] == [0]
    assert {position.offset for position in writes.released} == {0}
    assert batch.queues == {("partners.quillmarsh.events", TRAINEE)}


def test_a_request_read_before_is_not_judged_again() -> None:
    known = world()
    (event,) = read_all([REGISTERED])
    known.seen.add(event.position)
    assert judged([event], known) == Writes()


def test_a_request_that_the_relay_sent_twice_into_one_batch_is_judged_once() -> None:
    (event,) = read_all([REGISTERED])
    assert outcomes(judged([event, event])) == [(0, "accepted")]


def test_decisions_of_a_registration_never_go_back_in_time() -> None:
    known = world()
    judged([read(REGISTERED, 0)], known)
    batch = Batch(Buggy(REFERENCE, Directory()), known, NOW - HOLD, HOLD)
    (written,) = batch.take_all([read(LEFT, 1)]).answers
    assert written.decided == NOW


def test_every_answer_is_written_down_and_published_once() -> None:
    writes = judged(read_all([REGISTERED, REGISTERED, LEFT, told("withdrew", "2023-03-01", "again")]))
    receipts = [json.loads(m.value or b"{}") for m in writes.messages if m.topic.endswith(".receipts")]
    assert [(body["position"]["offset"], body["outcome"]) for body in receipts] == outcomes(writes)
    assert outcomes(writes) == [(0, "accepted"), (1, "duplicate"), (2, "accepted"), (3, "rejected")]
    assert writes.outcomes == {
        ("trainee.registered", "accepted"): 1,
        ("trainee.registered", "duplicate"): 1,
        ("trainee.withdrew", "accepted"): 1,
        ("trainee.withdrew", "rejected"): 1,
    }
