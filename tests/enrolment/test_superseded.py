"""A fact of enrolment is told anew: it passes what a record of its type passes at its place (reference: events 7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import Event
from tests.enrolment.doing import A_THIRD, AFTER_LATE_UNTIL, OTHER, Door, accepted, after, offered
from tests.support.agreement import GIVEN
from tests.support.histories import OURS, THEIRS
from tests.support.memory import reference_of
from tests.support.owning import supersede
from tests.support.telling import told, void

REGISTERED = told("registered", "2023-01-03T09:00")
DEFERRED = told("deferred", "2023-02-01T10:00")
RESUMED = told("resumed", "2023-03-01T10:00")
WITHDREW = told("withdrew", "2023-04-01T10:00")
FACTS = (REGISTERED, DEFERRED, RESUMED, WITHDREW)
MOVED = (REGISTERED, offered("2023-02-01T10:00", "2023-03-01"), accepted("2023-02-02T10:00"))


@pytest.mark.parametrize(
    ("correction", "latest"),
    [
        (supersede(DEFERRED, at="2023-02-10T10:00"), ("2023-02-10", "deferred")),
        (supersede(DEFERRED, reason="other"), ("2023-02-01", "deferred")),
    ],
    ids=["place", "content"],
)
def test_a_deferral_is_told_anew(correction: Event, latest: tuple[str, str]) -> None:
    door = after(REGISTERED, DEFERRED, correction)
    assert door.course()[-1] == (*latest, OURS)
    assert door.status().latest.reason == correction.data["replacement"]["reason"]


def test_a_return_is_told_anew_into_another_cohort() -> None:
    left = (REGISTERED, told("withdrew", "2023-02-01T10:00"), told("resumed", "2023-02-09T10:00"))
    door = after(*left, supersede(left[-1], cohort_code="2023-march"))
    assert door.status().latest.cohort == "2023-march"
    assert after(*left).tell(supersede(left[-1], cohort_code="2022-october")) == ["cohort_closed"]
    assert after(*left).tell(supersede(left[-1], cohort_code="1999-march")) == ["partnership_not_active"]
    assert after(*left).tell(supersede(left[-1], at="2023-05-03T10:00")) == ["reinstatement_closed"]


def test_a_withdrawal_is_told_anew() -> None:
    door = after(*FACTS, supersede(WITHDREW, at="2023-05-01T10:00", reason="left_sector"))
    assert door.course()[-1] == ("2023-05-01", "withdrawn", OURS)
    assert (door.status().latest.reason, door.status().latest.reason_group) == ("left_sector", "setting")


@pytest.mark.parametrize(
    ("correction", "answer"),
    [
        (supersede(DEFERRED, at="2023-03-02T10:00"), "would_invalidate"),
        (supersede(RESUMED, at="2023-01-20T10:00"), "already_in_state"),
        (supersede(RESUMED, at="2023-04-02T10:00"), "accepted"),
        (supersede(WITHDREW, at="2023-01-20T10:00"), "would_invalidate"),
        (supersede(DEFERRED, at="2023-04-02T10:00"), "after_withdrawal"),
        (supersede(WITHDREW, at="2022-12-20T10:00"), "held registration_unknown"),
        (supersede(REGISTERED, at="2023-01-05T10:00"), "accepted"),
        (supersede(REGISTERED, at="2023-01-14T10:00"), "cohort_closed"),
        (supersede(REGISTERED, at="2022-10-02T10:00"), "time_before_cohort"),
    ],
    ids=lambda value: f"{value.fact} at {value.data['replacement_time']}" if isinstance(value, Event) else value,
)
def test_a_fact_is_moved_to_where_it_is_legal_and_nothing_falls(correction: Event, answer: str) -> None:
    assert after(*FACTS).tell(correction) == [answer]


def test_a_withdrawal_that_is_moved_over_others_breaks_them_and_only_own_ids_are_told() -> None:
    theirs = (told("deferred", "2023-03-10T10:00", "t1", by=THEIRS), told("withdrew", "2023-05-01", "t2", by=THEIRS))
    mine = (told("deferred", "2023-01-10T10:00", "o1"), told("resumed", "2023-01-20T10:00", "o2"))
    door = after(MOVED[0], *mine, *MOVED[1:], *theirs)
    assert door.tell(supersede(mine[0], at="2023-01-21T10:00")) == ["would_invalidate"]
    assert door.error()["detail"] == {"count": 2, "ids": ["o2"]}


def test_a_registration_is_not_moved_over_what_follows_on_it() -> None:
    early = told("deferred", "2023-01-04T10:00")
    door = after(REGISTERED, early)
    assert door.tell(supersede(REGISTERED, at="2023-01-05T10:00")) == ["would_invalidate"]
    assert door.error()["detail"] == {"count": 1, "ids": [early.id]}


def test_a_fact_is_not_moved_into_the_days_of_another_partner() -> None:
    door = after(*MOVED, told("deferred", "2023-02-10", "o1"), told("withdrew", "2023-04-10", "t1", by=THEIRS))
    assert door.tell(supersede(told("deferred", "2023-02-10", "o1"), at="2023-03-10")) == ["held not_your_trainee"]
    assert door.tell(supersede(told("withdrew", "2023-04-10", "t1", by=THEIRS), at="2023-02-20")) == [
        "held not_your_trainee"
    ]


def test_a_registration_is_not_moved_behind_the_start_of_the_day_on_which_it_went_to_another_partner() -> None:
    on = told("registered", "2023-01-04T09:00")
    before = told("registered", "2023-01-03T09:00")
    door = after(before, offered("2023-01-04T11:00", "2023-01-04"), accepted("2023-01-04T12:00"))
    assert door.tell(supersede(before, at="2023-01-04T09:00")) == ["held not_your_trainee"]
    door = after(on, offered("2023-01-04T11:00", "2023-01-04"))
    assert door.tell(accepted("2023-01-04T12:00")) == ["transfer_date_conflict"]


def test_all_that_speaks_against_a_new_registration_is_said_at_its_place_in_the_record() -> None:
    door = after(REGISTERED)
    unfit = supersede(REGISTERED, cohort_code="2024-march", level3_full_relevant=False)
    assert door.tell(unfit) == ["not_eligible time_before_cohort"]
    assert door.tell(supersede(REGISTERED, "x", level3_full_relevant=False)) == ["not_eligible"]
    assert door.error()["path"] == "data.replacement.level3_full_relevant"
    assert door.tell(supersede(REGISTERED, "y", cohort_code="1999-march")) == ["partnership_not_active"]


def test_a_corrected_registration_stays_its_senders_and_needs_its_partnership() -> None:
    theirs = told("registered", "2023-06-20", by="lindlemere", cohort_code="2023-june")
    door = after(theirs)
    assert door.tell(supersede(theirs, by=LEAD, cohort_code="2023-september")) == ["partnership_not_active"]
    assert door.tell(supersede(theirs, "two", by=LEAD, role="senco_designate")) == ["accepted"]
    assert door.status().latest.partner == "lindlemere"


def test_after_the_last_day_for_facts_only_the_lead_corrects() -> None:
    door = after(REGISTERED, DEFERRED)
    assert door.tell(supersede(DEFERRED, reason="other"), received=AFTER_LATE_UNTIL) == ["cohort_closed"]
    stranger = supersede(DEFERRED, "stranger", by=THEIRS)
    assert door.tell(stranger, received=AFTER_LATE_UNTIL) == ["held target_unknown"]
    by_the_lead = supersede(REGISTERED, "lead", by=LEAD, cohort_code="2023-march")
    assert door.tell(by_the_lead, received=AFTER_LATE_UNTIL) == ["accepted"]


def test_a_registration_is_not_corrected_into_a_cohort_that_takes_no_more_facts() -> None:
    ended = tuple({**body, "late_until": "2023-12-31"} for body in GIVEN.cohorts if body["cohort_code"] == "2023-march")
    others = tuple(body for body in GIVEN.cohorts if body["cohort_code"] != "2023-march")
    door = Door(reference_of(replace(GIVEN, cohorts=(*others, *ended)))[0])
    into = {"cohort_code": "2023-march", "level3_full_relevant": False}
    assert door.tell(REGISTERED, supersede(REGISTERED, **into)) == ["accepted", "cohort_closed"]
    assert door.tell(supersede(REGISTERED, "lead", by=LEAD, cohort_code="2023-march")) == ["accepted"]


def test_a_new_registration_after_the_last_day_for_facts_is_told_that_alone() -> None:
    door = after(told("registered", "2023-01-03", "o", of=OTHER))
    late = told("registered", "2023-01-03", provider_type="Private group-based providers", level3_full_relevant=False)
    assert door.tell(late, received=AFTER_LATE_UNTIL) == ["cohort_closed"]


def test_the_claim_of_a_registration_moves_with_its_correction() -> None:
    door = after(REGISTERED, told("registered", "2023-01-03", "o", of=OTHER, partner_ref="Q-2"))
    assert door.tell(supersede(REGISTERED, partner_ref="Q-2")) == ["same_fact_exists"]
    assert door.error()["detail"] == {"first": "o"}
    assert door.tell(supersede(REGISTERED, partner_ref="Q-2", cohort_code="2023-march")) == ["accepted"]
    third = {"of": OTHER[:-1] + "3"}
    assert door.tell(told("registered", "2023-01-05", "a", partner_ref="Q-1", **third)) == ["accepted"]
    assert door.tell(supersede(REGISTERED, "b", partner_ref="Q-1")) == ["same_fact_exists"]


def test_two_registrations_exchange_their_references_over_a_third_name() -> None:
    other = told("registered", "2023-01-03", "o", of=OTHER, partner_ref="Q-2")
    steps = [
        supersede(REGISTERED, "1", partner_ref="Q-0"),
        supersede(other, "2", partner_ref="Q-1"),
        supersede(REGISTERED, "3", partner_ref="Q-2", when="2024-01-06T10:00"),
    ]
    assert after(REGISTERED, other).tell(*steps) == ["accepted"] * 3


def test_the_place_of_a_corrected_registration_is_looked_up_anew() -> None:
    door = after(REGISTERED, supersede(REGISTERED, setting_urn="SY2"))
    assert [place.la_code for place in door.status().places] == ["E06000005"]
    assert door.identity()["setting_urn"] == "SY2"
    assert "SY2" not in str(door.facts())
    assert door.tell(supersede(REGISTERED, "n", setting_urn="NOWHERE", when="2024-02-01T10:00")) == ["accepted"]
    assert "place_unknown" in door.warnings()
    assert door.status().places == ()


def test_a_correction_into_another_persons_id_warns_and_one_of_the_same_does_not() -> None:
    person = "44444449-4444-4444-8444-444444444444"
    door = after(REGISTERED, told("registered", "2023-01-03", "o", of=OTHER, partner_ref="Q-2", trainee_id=person))
    assert door.tell(supersede(REGISTERED, "1", role="senco_designate")) == ["accepted"]
    assert "possible_duplicate_person" not in door.warnings()
    assert door.tell(supersede(REGISTERED, "2", trainee_id=person, when="2024-02-01T10:00")) == ["accepted"]
    assert "possible_duplicate_person" in door.warnings()


def test_a_corrected_registration_is_told_with_the_references_of_all_its_partners() -> None:
    door = after(*MOVED[:2], accepted("2023-02-02T10:00", partner_ref="T-1"))
    corrected = supersede(REGISTERED, partner_ref="Q-5", cohort_code="2023-march", setting_urn="SY2")
    assert door.tell(corrected) == ["accepted"]
    refs = {OURS: "Q-5", THEIRS: "T-1"}
    assert door.identity() == {"trainee_id": REGISTERED.data["trainee_id"], "setting_urn": "SY2", "refs": refs}
    assert [period.cohort for period in door.status().periods] == ["2023-march"] * 2


def test_of_several_corrections_the_last_in_their_own_order_holds_however_they_come() -> None:
    first = supersede(DEFERRED, "1", at="2023-02-05T10:00", when="2024-01-05T10:00")
    last = supersede(DEFERRED, "2", at="2023-02-07T10:00", when="2024-01-06T10:00")
    for order in ((first, last), (last, first)):
        assert after(REGISTERED, DEFERRED, *order).course()[-1] == ("2023-02-07", "deferred", OURS)


def test_the_last_correction_alone_gives_the_place() -> None:
    moved = supersede(DEFERRED, "1", at="2023-02-05T10:00")
    told_again = supersede(DEFERRED, "2", reason="other", when="2024-01-06T10:00")
    door = after(REGISTERED, DEFERRED, moved, told_again)
    assert door.course()[-1] == ("2023-02-01", "deferred", OURS)


def test_a_correction_behind_one_that_holds_changes_nothing() -> None:
    holds = supersede(REGISTERED, "1", partner_ref="Q-2", setting_urn="SY2", when="2024-01-06T10:00")
    behind = supersede(REGISTERED, "2", partner_ref="Q-3", setting_urn="NOWHERE", cohort_code="1999-march")
    door = after(REGISTERED, holds)
    before = (door.status().periods, door.status().places, door.identity())
    assert door.tell(behind) == ["accepted"]
    assert (door.status().periods, door.status().places, door.identity()) == before
    assert door.tell(told("registered", "2023-01-05", "o", of=OTHER, partner_ref="Q-3")) == ["accepted"]


def test_a_void_beats_every_correction() -> None:
    gone = void(DEFERRED)
    door = after(REGISTERED, DEFERRED, supersede(DEFERRED, "1", at="2023-02-05T10:00"), gone)
    assert door.course() == [("2023-01-03", "registered", OURS)]
    assert door.tell(supersede(DEFERRED, "2", reason="other")) == ["already_in_state"]


def test_a_registration_that_was_corrected_and_taken_back_is_shown_as_it_was_corrected() -> None:
    door = after(REGISTERED, supersede(REGISTERED, cohort_code="2023-march", partner_ref="Q-2"), void(REGISTERED))
    assert (door.status().latest.state, door.status().latest.cohort) == ("voided", "2023-march")
    assert door.tell(supersede(REGISTERED, "again", role="senco_designate")) == ["registration_voided"]
    assert door.tell(told("registered", "2023-01-05", "o", of=OTHER, partner_ref="Q-2")) == ["accepted"]


def test_a_correction_waits_for_what_it_corrects() -> None:
    door = Door()
    assert door.tell(supersede(REGISTERED)) == ["held target_unknown"]
    assert door.tell(REGISTERED, supersede(DEFERRED)) == ["accepted", "held target_unknown"]
    assert door.tell(DEFERRED) == ["accepted"]
    assert door.answers() == ["accepted"] * 4


def test_a_correction_of_another_type_finds_nothing() -> None:
    mistaken = supersede(told("resumed", "2023-02-01T10:00", DEFERRED.id))
    assert after(REGISTERED, DEFERRED).tell(mistaken) == ["held target_unknown"]


def test_only_its_sender_and_the_lead_correct_a_fact() -> None:
    door = after(REGISTERED, DEFERRED)
    assert door.tell(supersede(DEFERRED, "t", by=A_THIRD)) == ["held target_unknown"]
    assert door.tell(supersede(DEFERRED, "l", by=LEAD, reason="other")) == ["accepted"]


def test_a_copy_is_compared_with_what_was_first_sent() -> None:
    door = after(REGISTERED, DEFERRED, supersede(DEFERRED, reason="other"))
    assert door.tell(DEFERRED) == ["duplicate"]
    assert door.tell(told("deferred", "2023-02-01T10:00", reason="other")) == ["id_conflict"]


@pytest.mark.parametrize(
    ("fact", "reason"), [(DEFERRED, "bereavement"), (WITHDREW, "health_or_pregnancy")], ids=["deferred", "withdrew"]
)
def test_a_personal_reason_leaves_enrolment_as_its_group_alone_also_where_it_replaces_another(
    fact: Event, reason: str
) -> None:
    door = after(REGISTERED, fact, supersede(fact, "new", reason=reason))
    assert reason not in str([message.value for message in door.service.published])
    assert door.facts()[-1]["data"]["replacement"]["reason"] == "personal"
    assert (door.status().latest.reason, door.status().latest.reason_group) == ("personal", "personal")
    assert door.withheld() == {"new": reason}
