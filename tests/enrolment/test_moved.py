"""What a transfer makes of a registration: whose it is on which day, its references, and who is told what."""

from __future__ import annotations

import pytest

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.enrolment.doing import A_THIRD, NEXT_TRANSFER, OTHER, Door, accepted, after, cancelled, declined, offered
from tests.support.histories import OURS, THEIRS
from tests.support.telling import told, void

REGISTERED = told("registered", "2023-01-03")
DEFERRED = told("deferred", "2023-01-20T10:00")
OFFER = offered("2023-02-01T10:00", "2023-03-01")
ACCEPTED = accepted("2023-02-02T10:00")
MOVED = (REGISTERED, OFFER, ACCEPTED)


def test_a_transfer_is_neither_a_withdrawal_nor_a_new_registration() -> None:
    door = after(REGISTERED, DEFERRED, OFFER, ACCEPTED)
    assert door.course() == [
        ("2023-01-03", "registered", OURS),
        ("2023-01-20", "deferred", OURS),
        ("2023-03-01", "deferred", THEIRS),
    ]


def test_the_gaining_partner_owns_from_midnight_in_london_of_the_day_agreed() -> None:
    door = after(REGISTERED, offered("2023-04-01T10:00", "2023-04-05"), accepted("2023-04-02T10:00"))
    last, first = "2023-04-04T22:59:59", "2023-04-04T23:00"
    assert door.tell(told("deferred", first, "o1")) == ["held not_your_trainee"]
    assert door.tell(told("deferred", last, "t1", by=THEIRS)) == ["held not_your_trainee"]
    assert door.tell(told("deferred", last, "o2")) == ["accepted"]
    assert door.tell(told("resumed", first, "t2", by=THEIRS)) == ["accepted"]


def test_late_facts_of_both_partners_count_where_they_belong() -> None:
    door = after(*MOVED, told("withdrew", "2023-06-01", "t1", by=THEIRS))
    assert door.tell(told("deferred", "2023-02-10", "o1"), told("resumed", "2023-02-20", "o2")) == ["accepted"] * 2
    assert door.tell(told("deferred", "2023-04-10", "t2", by=THEIRS)) == ["accepted"]
    assert door.tell(told("resumed", "2023-04-10", "o3")) == ["held not_your_trainee"]


def test_what_another_service_owns_is_handed_on_for_its_owner_of_the_day_alone() -> None:
    door = after(*MOVED)
    assert door.tell(told("completed", "2023-02-20", "c1"), told("completed", "2023-03-20", "c2", by=THEIRS)) == [
        "handed on",
        "handed on",
    ]
    assert door.tell(told("completed", "2023-03-20", "c3")) == ["held not_your_trainee"]


def test_a_trainee_may_come_back() -> None:
    back = {"to": OURS, "by": THEIRS, "transfer": NEXT_TRANSFER}
    door = after(
        *MOVED,
        offered("2023-03-10T10:00", "2023-04-01", **back),
        accepted("2023-03-11T10:00", by=OURS, transfer=NEXT_TRANSFER),
    )
    assert door.course() == [
        ("2023-01-03", "registered", OURS),
        ("2023-03-01", "registered", THEIRS),
        ("2023-03-31", "registered", OURS),
    ]
    days = ("2023-02-10", "2023-03-10", "2023-04-10")
    for day, owner, other in zip(days, (OURS, THEIRS, OURS), (THEIRS, OURS, THEIRS), strict=True):
        assert door.tell(told("completed", day, f"c-{day}", by=owner)) == ["handed on"]
        assert door.tell(told("completed", day, f"no-{day}", by=other)) == ["held not_your_trainee"]


def test_a_trainee_may_move_on_within_the_day() -> None:
    on = offered("2023-03-01T10:00", "2023-03-01", to=A_THIRD, by=THEIRS, transfer=NEXT_TRANSFER)
    door = after(*MOVED, on, accepted("2023-03-01T11:00", by=A_THIRD, transfer=NEXT_TRANSFER))
    assert door.tell(told("completed", "2023-03-01T12:00", by=A_THIRD)) == ["handed on"]
    assert door.status().latest.partner == A_THIRD


def test_a_reference_is_claimed_by_the_acceptance_that_names_it() -> None:
    theirs = told("registered", "2023-01-04", "theirs", by=THEIRS, of=OTHER, partner_ref="T-9")
    door = after(REGISTERED, theirs, OFFER)
    assert door.tell(accepted(partner_ref="T-9")) == ["same_fact_exists"]
    assert door.error()["detail"] == {"first": "theirs"}
    assert door.tell(accepted(partner_ref="T-1")) == ["accepted"]
    again = told("registered", "2023-01-05", "again", by=THEIRS, of=OTHER[:-1] + "3", partner_ref="T-1")
    assert door.tell(again) == ["same_fact_exists"]


def test_a_reference_is_claimed_in_the_cohort_of_the_acceptance_however_late_that_is_told() -> None:
    moved_on = (told("withdrew", "2023-02-20"), told("resumed", "2023-02-25", cohort_code="2023-march"))
    theirs = told("registered", "2023-01-04", "theirs", by=THEIRS, of=OTHER, partner_ref="T-9")
    door = after(REGISTERED, OFFER, *moved_on, theirs)
    assert door.tell(accepted(partner_ref="T-9")) == ["same_fact_exists"]


def test_a_partner_that_has_the_trainee_again_keeps_what_it_claimed_first() -> None:
    back = offered("2023-03-10T10:00", "2023-04-01", to=OURS, by=THEIRS, transfer=NEXT_TRANSFER)
    returned = {"by": OURS, "transfer": NEXT_TRANSFER}
    door = after(*MOVED, back, accepted("2023-03-11T10:00", **returned))
    assert door.identity()["refs"] == {OURS: "Q-1"}
    door = after(*MOVED, back, accepted("2023-03-11T10:00", partner_ref="Q-7", **returned))
    assert door.identity()["refs"] == {OURS: "Q-7"}
    for number, taken in enumerate(("Q-1", "Q-7")):
        another = told("registered", "2023-01-05", f"o{number}", of=OTHER, partner_ref=taken)
        assert door.tell(another) == ["same_fact_exists"]


def test_each_partner_has_a_reference_of_its_own_and_one_without_has_none() -> None:
    assert after(*MOVED).identity()["refs"] == {OURS: "Q-1"}
    door = after(REGISTERED, OFFER, accepted(partner_ref="T-1"))
    assert door.identity()["refs"] == {OURS: "Q-1", THEIRS: "T-1"}
    assert "T-1" not in str(door.facts())


def test_a_registration_that_was_taken_back_is_so_for_each_partner_that_had_it() -> None:
    door = after(*MOVED, void(REGISTERED))
    assert door.course() == [("2024-01-05", "voided", OURS), ("2024-01-05", "voided", THEIRS)]
    assert door.tell(told("deferred", "2023-02-10", "o1")) == ["registration_voided"]
    assert door.tell(told("deferred", "2023-03-10", "o2")) == ["held not_your_trainee"]
    assert door.tell(told("deferred", "2023-03-10", "t1", by=THEIRS)) == ["registration_voided"]
    assert door.tell(told("deferred", "2023-02-10", "t2", by=THEIRS)) == ["held not_your_trainee"]
    assert door.tell(told("deferred", "2023-02-10", "s1", by=A_THIRD)) == ["held not_your_trainee"]


def test_a_registration_that_was_taken_back_is_not_told_of_to_strangers_nor_to_whom_nothing_is_offered() -> None:
    door = after(REGISTERED, OFFER, void(REGISTERED))
    assert door.tell(accepted(by=A_THIRD, id_="s1")) == ["held transfer_not_offered"]
    assert door.tell(accepted("2023-02-16T10:00", id_="t1")) == ["held transfer_not_offered"]
    assert door.tell(cancelled(by=LEAD)) == ["registration_voided"]
    assert door.tell(cancelled(transfer=NEXT_TRANSFER)) == ["registration_voided"]
    assert door.tell(accepted(id_="t2")) == ["registration_voided"]


def test_an_answer_by_whom_the_registration_once_was_hears_that_it_was_taken_back() -> None:
    door = after(*MOVED, void(REGISTERED))
    assert door.tell(accepted("2023-03-20T10:00", by=OURS, transfer=NEXT_TRANSFER)) == ["registration_voided"]
    assert door.tell(accepted("2023-03-20T10:00", by=A_THIRD, id_="s1")) == ["held transfer_not_offered"]


def test_a_registration_that_moved_is_taken_back_by_its_first_partner_while_registered() -> None:
    assert after(*MOVED).tell(void(REGISTERED, by=THEIRS)) == ["held target_unknown"]
    assert after(*MOVED).tell(void(REGISTERED, by=LEAD)) == ["accepted"]
    left = after(*MOVED, told("withdrew", "2023-06-01", "t1", by=THEIRS))
    assert left.tell(void(REGISTERED)) == ["would_invalidate"]
    assert left.error()["detail"] == {"count": 3, "ids": [OFFER.id]}


def test_references_of_all_partners_are_free_once_the_registration_is_taken_back() -> None:
    door = after(REGISTERED, OFFER, accepted(partner_ref="T-1"), void(REGISTERED))
    others = [
        told("registered", "2023-01-05", "o", of=OTHER),
        told("registered", "2023-01-05", "t", of=OTHER[:-1] + "3", by=THEIRS, partner_ref="T-1"),
    ]
    assert door.tell(*others) == ["accepted", "accepted"]


def test_a_second_registration_tells_who_lost_the_trainee_nothing_of_what_came_later() -> None:
    door = after(*MOVED, told("withdrew", "2023-06-01", "t1", by=THEIRS))
    assert door.tell(told("registered", "2023-07-01", "o1", cohort_code="2023-march")) == ["same_fact_exists"]
    assert door.tell(told("registered", "2023-07-01", "t2", by=THEIRS)) == ["not_your_trainee"]


def said(door: Door) -> list[tuple[str, str, str]]:
    """To whom, what, and the type of the cause."""
    return [(partner, name, body["cause"]["type"]) for partner, name, body in door.notices()]


def test_an_offer_is_told_to_whom_it_is_made() -> None:
    door = after(REGISTERED, OFFER)
    body = {
        "transfer_id": OFFER.data["transfer_id"],
        "effective_on": "2023-03-01",
        "cause": {"type": "transfer.offered"},
    }
    assert door.notices() == [(THEIRS, "transfer_offered", body)]


def test_an_offer_of_the_lead_tells_the_losing_partner_the_day_and_not_to_whom() -> None:
    door = after(REGISTERED, offered(by=LEAD))
    assert said(door) == [(partner, "transfer_offered", "transfer.offered") for partner in (THEIRS, OURS)]
    assert all(THEIRS not in str(body) for _, _, body in door.notices())
    assert {body["effective_on"] for _, _, body in door.notices()} == {"2023-03-01"}


@pytest.mark.parametrize(
    ("offerer", "answer", "concerned"),
    [
        (OURS, accepted(), [OURS]),
        (OURS, declined(), [OURS]),
        (OURS, cancelled(), [THEIRS]),
        (OURS, cancelled(by=LEAD), [THEIRS, OURS]),
        (LEAD, accepted(), [LEAD, OURS]),
        (LEAD, cancelled(by=LEAD), [THEIRS, OURS]),
    ],
    ids=lambda value: f"{value.fact} by {value.topic}" if isinstance(value, Event) else str(value),
)
def test_the_end_of_an_offer_is_told_to_whom_it_concerns(offerer: str, answer: Event, concerned: list[str]) -> None:
    door = after(REGISTERED, offered(by=offerer))
    before = len(door.notices())
    assert door.tell(answer) == ["accepted"]
    assert said(door)[before:] == [(partner, "transfer_closed", answer.fact) for partner in concerned]


def test_the_end_of_an_offer_is_told_even_after_another_was_made() -> None:
    door = after(REGISTERED, OFFER, offered("2023-02-20T10:00", to=A_THIRD, transfer=NEXT_TRANSFER))
    assert door.tell(declined()) == ["accepted"]
    partner, name, body = door.notices()[-1]
    assert (partner, name, body["transfer_id"]) == (OURS, "transfer_closed", OFFER.data["transfer_id"])
