"""A trainee moves between partners: who may offer and answer, from when on whose it is (reference: events 8)."""

from __future__ import annotations

import pytest

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.enrolment.doing import (
    A_THIRD,
    AFTER_LATE_UNTIL,
    LEFT,
    NEXT_TRANSFER,
    Door,
    accepted,
    after,
    cancelled,
    declined,
    offered,
)
from tests.support.histories import OURS, THEIRS
from tests.support.telling import read, told, void

REGISTERED = told("registered", "2023-01-03")
DEFERRED = told("deferred", "2023-01-20T10:00")
WITHDREW = told("withdrew", "2023-01-20T10:00")
OFFER = offered("2023-02-01T10:00", "2023-03-01")
ACCEPTED = accepted("2023-02-02T10:00")
MOVED = (REGISTERED, OFFER, ACCEPTED)

STATES: dict[str, list[Event]] = {
    "none": [],
    "registered": [REGISTERED],
    "deferred": [REGISTERED, DEFERRED],
    "withdrawn": [REGISTERED, WITHDREW],
    "voided": [REGISTERED, void(REGISTERED)],
}
OFFERS = {
    "none": "held registration_unknown",
    "registered": "accepted",
    "deferred": "accepted",
    "withdrawn": "after_withdrawal",
    "voided": "registration_voided",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sender", [OURS, LEAD])
def test_an_offer_is_answered_by_the_state_of_its_moment(state: str, sender: str) -> None:
    assert after(*STATES[state]).tell(offered(by=sender)) == [OFFERS[state]]


ANSWERS = {"accepted": accepted(), "declined": declined(), "cancelled": cancelled()}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    ("meanwhile", "taking", "others"),
    [
        ((), "accepted", "accepted"),
        ((told("deferred", "2023-02-01T12:00"),), "accepted", "accepted"),
        ((told("withdrew", "2023-02-01T12:00"),), "after_withdrawal", "accepted"),
        ((void(REGISTERED),), "registration_voided", "registration_voided"),
    ],
    ids=["registered", "deferred", "withdrawn", "voided"],
)
def test_an_answer_to_an_offer_is_answered_by_the_state_of_its_moment(
    meanwhile: tuple[Event, ...], taking: str, others: str, answer: str
) -> None:
    door = after(REGISTERED, OFFER, *meanwhile)
    assert door.tell(ANSWERS[answer]) == [taking if answer == "accepted" else others]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_a_registration_that_nobody_knows_waits(answer: str) -> None:
    assert Door().tell(ANSWERS[answer]) == ["held registration_unknown"]


def test_the_trainee_of_another_is_offered_by_the_lead_alone() -> None:
    door = after(REGISTERED)
    assert door.tell(offered(by=THEIRS, to=A_THIRD)) == ["held not_your_trainee"]
    assert door.tell(offered(by=LEAD)) == ["accepted"]
    assert door.tell(ACCEPTED) == ["accepted"]


def test_one_offer_is_open_at_a_time() -> None:
    another = offered("2023-02-03T10:00", to=A_THIRD, transfer=NEXT_TRANSFER)
    assert after(REGISTERED, OFFER).tell(another) == ["transfer_pending"]
    assert after(REGISTERED, OFFER, ACCEPTED).tell(another) == ["transfer_pending"]
    assert after(REGISTERED, OFFER, declined()).tell(another) == ["accepted"]
    assert after(REGISTERED, OFFER, cancelled()).tell(another) == ["accepted"]


def test_an_offer_lapses_after_fourteen_days_and_another_may_follow() -> None:
    door = after(REGISTERED, OFFER)
    assert door.tell(offered("2023-02-15T10:00", to=A_THIRD, transfer=NEXT_TRANSFER)) == ["transfer_pending"]
    assert door.tell(offered("2023-02-15T10:00:01", to=A_THIRD, transfer=NEXT_TRANSFER)) == ["accepted"]


def test_what_is_agreed_is_in_the_way_of_another_offer_until_the_day_comes() -> None:
    door = after(*MOVED)
    back = {"to": A_THIRD, "transfer": NEXT_TRANSFER, "by": THEIRS}
    assert door.tell(offered("2023-02-28T23:59:59", "2023-03-01", **{**back, "by": OURS})) == ["transfer_pending"]
    assert door.tell(offered("2023-03-01T00:00", "2023-03-01", **back)) == ["accepted"]


def test_an_answer_may_come_for_fourteen_days_by_the_times_of_offer_and_answer() -> None:
    assert after(REGISTERED, OFFER).tell(accepted("2023-02-15T10:00")) == ["accepted"]
    assert after(REGISTERED, OFFER).tell(accepted("2023-02-15T10:00:01")) == ["held transfer_not_offered"]
    of_a_day = offered("2023-02-01", "2023-03-01")
    assert after(REGISTERED, of_a_day).tell(accepted("2023-02-15")) == ["accepted"]
    assert after(REGISTERED, of_a_day).tell(accepted("2023-02-15T10:00")) == ["held transfer_not_offered"]


@pytest.mark.parametrize(
    "answer",
    [
        accepted(by=A_THIRD),
        accepted(by=OURS),
        accepted(by=LEAD),
        declined(by=A_THIRD),
        declined(by=LEAD),
        cancelled(by=THEIRS),
        cancelled(by=A_THIRD),
        accepted(transfer=NEXT_TRANSFER),
        accepted("2023-02-01T09:00"),
    ],
    ids=lambda event: f"{event.fact} by {event.topic}",
)
@pytest.mark.parametrize("meanwhile", [(), (told("withdrew", "2023-01-31"),)], ids=["registered", "withdrawn"])
def test_whoever_has_no_offer_to_answer_is_told_nothing_more(answer: Event, meanwhile: tuple[Event, ...]) -> None:
    door = after(REGISTERED, *([OFFER] if not meanwhile else []), *meanwhile)
    assert door.tell(answer) == ["held transfer_not_offered"]


def test_the_lead_may_cancel_what_a_partner_has_offered_and_a_partner_what_the_lead_has() -> None:
    assert after(REGISTERED, OFFER).tell(cancelled(by=LEAD)) == ["accepted"]
    assert after(REGISTERED, offered(by=LEAD)).tell(cancelled()) == ["accepted"]


def test_an_offer_is_answered_once() -> None:
    for first in ANSWERS.values():
        second = accepted("2023-02-03T10:00", id_="again")
        assert after(REGISTERED, OFFER, first).tell(second) == ["held transfer_not_offered"]


def test_an_answer_that_comes_before_its_offer_waits_for_it() -> None:
    door = after(REGISTERED)
    assert door.tell(ACCEPTED) == ["held transfer_not_offered"]
    assert door.tell(OFFER) == ["accepted"]
    assert door.answers() == ["accepted"] * 3


def test_a_transfer_is_offered_once_and_only_its_sender_is_told_by_which_event() -> None:
    door = after(*MOVED)
    assert door.tell(offered("2023-02-03T10:00", to=A_THIRD, id_="ours")) == ["same_fact_exists"]
    assert door.error()["detail"] == {"first": OFFER.id}
    assert door.tell(offered("2023-03-03T10:00", to=A_THIRD, by=THEIRS, id_="theirs")) == ["same_fact_exists"]
    assert door.error()["detail"] == {"first": None}


def test_a_trainee_is_offered_to_another_partner_of_the_cohort_alone() -> None:
    door = after(REGISTERED)
    assert door.tell(offered(to=OURS)) == ["transfer_partner_invalid"]
    assert door.tell(offered(to="nobody")) == ["transfer_partner_invalid"]
    assert door.tell(offered("2023-06-20T10:00", "2023-06-28", to=LEFT)) == ["transfer_partner_invalid"]
    assert door.tell(offered("2023-06-20T10:00", "2023-06-27", to=LEFT)) == ["accepted"]


def test_the_day_of_a_transfer_may_not_lie_before_that_of_its_offer() -> None:
    door = after(REGISTERED)
    assert door.tell(offered("2023-02-01T10:00", "2023-01-31")) == ["transfer_date_conflict"]
    assert door.tell(offered("2023-02-01T10:00", "2023-02-01")) == ["accepted"]
    assert door.tell(accepted("2023-02-03T10:00")) == ["accepted"]


def test_facts_of_the_losing_partner_from_the_day_on_refuse_the_acceptance_and_are_not_named() -> None:
    door = after(REGISTERED, OFFER, told("deferred", "2023-03-01", "ours"))
    assert door.tell(ACCEPTED) == ["transfer_date_conflict"]
    assert door.error()["detail"] == {"date": "2023-03-01", "ids": []}
    assert after(REGISTERED, OFFER, told("deferred", "2023-02-28", "ours")).tell(ACCEPTED) == ["accepted"]


def test_a_later_offer_of_the_losing_partner_refuses_the_acceptance_of_an_earlier_one() -> None:
    later = offered("2023-03-02T10:00", "2023-04-01", to=A_THIRD, transfer=NEXT_TRANSFER)
    assert after(REGISTERED, OFFER, later).tell(ACCEPTED) == ["transfer_date_conflict"]
    by_the_lead = offered("2023-03-02T10:00", "2023-04-01", to=A_THIRD, transfer=NEXT_TRANSFER, by=LEAD)
    assert after(REGISTERED, OFFER, by_the_lead).tell(ACCEPTED) == ["accepted"]


def test_an_acceptance_told_late_does_not_break_what_was_offered_since() -> None:
    since = offered("2023-02-20T10:00", "2023-03-10", to=A_THIRD, transfer=NEXT_TRANSFER)
    door = after(REGISTERED, OFFER, since)
    assert door.tell(ACCEPTED) == ["would_invalidate"]
    assert door.error()["detail"] == {"count": 1, "ids": []}
    assert door.tell(declined()) == ["accepted"]


def test_the_status_is_said_before_all_else_and_the_history_after_it() -> None:
    door = after(REGISTERED, OFFER, told("withdrew", "2023-02-10"))
    nowhere = offered("2023-02-11T10:00", "2023-02-01", to="nobody", id_="w")
    assert door.tell(nowhere) == ["after_withdrawal"]
    door = after(REGISTERED, OFFER)
    assert door.tell(offered("2023-02-03T10:00", "2023-02-01", to="nobody", id_="x")) == ["same_fact_exists"]
    unfit = offered("2023-02-03T10:00", "2023-02-01", to="nobody", transfer=NEXT_TRANSFER)
    assert door.tell(unfit) == ["transfer_date_conflict transfer_partner_invalid"]
    assert door.tell(offered("2023-02-03T10:00", to=A_THIRD, transfer=NEXT_TRANSFER)) == ["transfer_pending"]


def test_a_closed_cohort_is_said_after_the_status_and_before_the_same_fact() -> None:
    door = after(*MOVED, told("withdrew", "2023-06-01", by=THEIRS))
    late = {"by": THEIRS, "to": A_THIRD}
    assert door.tell(offered("2023-04-01T10:00", "2023-04-02", **late), received=AFTER_LATE_UNTIL) == ["cohort_closed"]
    gone = offered("2023-06-03T10:00", "2023-06-04", id_="gone", **late)
    assert door.tell(gone, received=AFTER_LATE_UNTIL) == ["after_withdrawal"]


def test_transfers_are_not_corrected() -> None:
    with pytest.raises(AssertionError, match="type_unknown"):
        read(void(OFFER))
