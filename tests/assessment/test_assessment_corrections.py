"""What is taken back or told anew at assessment, and what is set aside and restored when the status changes."""

from __future__ import annotations

import pytest

from tests.support.owning import (
    DEFERRED,
    REGISTERED,
    VOIDED,
    WITHDRAWN,
    Alone,
    assessing,
    completed,
    course,
    decided,
    submitted,
    supersede,
)
from tests.support.telling import told, void

S1, S2 = submitted(1, "2023-02-01T09:00"), submitted(2, "2023-04-01T10:00")
R1 = decided(1, "2023-03-01T10:00", "referred")
P1 = decided(1, "2023-03-01T10:00")
OTHER = (submitted(1, "2023-02-01T09:30", "unit-2"), decided(1, "2023-03-01T10:30", unit="unit-2"))
DONE = completed("2023-09-01T10:00")
LEFT = told("withdrew", "2023-01-20T10:00", "left")
GONE = course("2023-01-03 registered", "2023-01-20T10:00 withdrawn", version=4)
BACK = REGISTERED.model_copy(update={"version": 5})


def whole(assessment: Alone) -> Alone:
    """An owner that was told a whole life."""
    assert assessment.tell(S1, P1, *OTHER, DONE) == ["accepted"] * 5
    return assessment


def test_a_fact_that_was_never_true_is_taken_back() -> None:
    assessment = assessing()
    assert assessment.tell(S1, R1, void(R1)) == ["accepted"] * 3
    assert assessment.state()["attempts"][0]["outcome"] is None
    assert assessment.tell(decided(1, "2023-03-02T10:00", id_="anew")) == ["accepted"]


def test_a_fact_that_others_rest_on_is_not_taken_back() -> None:
    assessment = assessing()
    assessment.tell(S1, R1, S2)
    assert assessment.tell(void(S1)) == ["would_invalidate"]
    assert assessment.last()["errors"][0]["detail"] == {"count": 2, "ids": [R1.id, S2.id]}
    assert assessment.tell(void(R1)) == ["would_invalidate"]
    assert assessment.tell(void(S2), void(R1, "v2"), void(S1, "v3")) == ["accepted"] * 3


def test_of_facts_that_would_fall_only_the_senders_own_are_named() -> None:
    assessment = assessing(course("2023-01-03 registered", "2023-02-10 moved emberfold"))
    assessment.tell(S1, decided(1, "2023-03-01T10:00", by="emberfold"))
    assert assessment.tell(void(S1)) == ["would_invalidate"]
    assert assessment.last()["errors"][0]["detail"] == {"count": 1, "ids": []}


def test_a_decision_that_a_completion_rests_on_is_not_taken_back() -> None:
    assert whole(assessing()).tell(void(P1)) == ["would_invalidate"]


def test_a_completion_taken_back_leaves_what_was_passed() -> None:
    assessment = whole(assessing())
    assert assessment.tell(void(DONE)) == ["accepted"]
    assert (assessment.state()["completed"], assessment.state()["result"]) == (None, "passed")


def test_what_is_taken_back_twice_is_so_already() -> None:
    assert assessing().tell(S1, void(S1), void(S1, "again")) == ["accepted", "accepted", "already_in_state"]


@pytest.mark.parametrize("correction", [void(S1), supersede(S1)], ids=["voided", "superseded"])
def test_a_correction_waits_for_its_target(correction: object) -> None:
    assessment = assessing()
    assert assessment.tell(correction) == ["held"]  # type: ignore[arg-type]
    assert assessment.tell(S1) == ["accepted"]
    assert assessment.answers() == ["accepted", "accepted"]
    assert assessing().tell(correction, void(R1)) == ["held", "held"]  # type: ignore[arg-type]


def test_a_correction_of_another_type_than_its_target_finds_nothing() -> None:
    assessment = assessing()
    wrong = told("assessment.decided.voided", "2024-01-05T10:00", "v", target_id=S1.id, cause="entered_in_error")
    assert assessment.tell(S1, wrong) == ["accepted", "held"]
    assert assessment.end()[-1] == "target_unknown"


def test_what_waits_is_answered_when_the_registration_is_taken_back() -> None:
    assessment = assessing()
    assessment.tell(R1, void(S1), completed("2023-09-01"))
    assert assessment.learn(VOIDED).answers() == ["registration_voided"] * 3


def test_a_decision_told_anew_changes_what_follows() -> None:
    assessment = assessing()
    assert assessment.tell(S1, P1, S2) == ["accepted", "accepted", "attempt_out_of_order"]
    assert assessment.tell(supersede(P1, outcome="referred")) == ["accepted"]
    assert assessment.tell(submitted(2, "2023-04-01T10:00", id_="s2-again")) == ["accepted"]
    assert assessment.tell(supersede(P1, "back", outcome="passed", when="2024-01-06T10:00")) == ["would_invalidate"]


def test_a_completion_that_waits_is_cured_by_a_decision_told_anew() -> None:
    assessment = assessing(completion_requires="pass")
    assert assessment.tell(S1, R1, *OTHER, DONE)[-1] == "held"
    assert assessment.tell(supersede(R1, outcome="passed")) == ["accepted"]
    assert assessment.answers()[4] == "accepted"


def test_a_fact_told_anew_at_another_time_takes_another_place() -> None:
    assessment = assessing()
    assert assessment.tell(S1, supersede(S1, at="2023-03-15T10:00")) == ["accepted", "accepted"]
    assert assessment.state()["attempts"][0]["submitted"] == "2023-03-15T10:00:00Z"
    assert assessment.tell(P1) == ["held"]


def test_a_fact_told_anew_without_a_time_keeps_its_place() -> None:
    assessment = assessing()
    assert assessment.tell(S1, supersede(S1, evidence_count=9, time_precision="day"))[-1] == "accepted"
    assert assessment.state()["attempts"][0]["submitted"] == "2023-02-01T09:00:00Z"


def test_a_fact_told_anew_passes_what_a_new_one_passes() -> None:
    assessment = assessing(course("2023-01-03 registered", "2023-02-01T10:00 deferred", "2023-05-01 registered"))
    other = submitted(1, "2023-01-20T10:00", "unit-2")
    assessment.tell(S1, other)
    for change, code in (
        (supersede(S1, "c1", at="2023-02-02T10:00"), "while_deferred"),
        (supersede(S1, "c2", unit_code="unit-2"), "same_fact_exists"),
        (supersede(S1, "c3", attempt=2), "attempt_out_of_order"),
        (supersede(S1, "c4", unit_code="unit-9"), "code_not_in_list"),
        (supersede(S1, "c5", at="2023-01-02T10:00"), "registration_unknown"),
    ):
        assert assessment.tell(change) == [code]
    assert assessment.tell(supersede(S1, "c6", at="2023-05-02T10:00")) == ["accepted"]


def test_what_is_wrong_with_a_replacement_is_named_by_its_path() -> None:
    assessment = assessing()
    assessment.tell(S1, supersede(S1, unit_code="unit-9"))
    assert assessment.last()["errors"][0]["path"] == "data.replacement.unit_code"
    assert "unit_code" in assessment.last()["errors"][0]["message"]


def test_a_decision_moved_before_its_submission_waits_for_it() -> None:
    assessment = assessing()
    assert assessment.tell(S1, R1, supersede(R1, at="2023-01-10T10:00")) == ["accepted", "accepted", "held"]
    assert assessment.tell(supersede(S1, at="2023-01-09T10:00")) == ["accepted"]
    assert assessment.answers()[2] == "accepted"


def test_of_several_corrections_the_last_in_their_order_holds() -> None:
    assessment = assessing()
    late = supersede(P1, "late", when="2024-03-01T10:00", outcome="not_passed")
    early = supersede(P1, "early", when="2024-02-01T10:00", outcome="referred")
    assert assessment.tell(S1, P1, late, early) == ["accepted"] * 4
    assert assessment.state()["attempts"][0]["outcome"] == "not_passed"


def test_a_void_beats_what_was_told_anew() -> None:
    assessment = assessing()
    assert assessment.tell(S1, supersede(S1, evidence_count=9), void(S1)) == ["accepted"] * 3
    assert assessment.state()["attempts"] == []
    assert assessment.tell(supersede(S1, "again", evidence_count=8)) == ["already_in_state"]


def test_a_copy_of_what_was_told_anew_is_compared_with_what_was_first_sent() -> None:
    assessment = assessing()
    assessment.tell(S1, supersede(S1, evidence_count=9))
    assert assessment.tell(S1) == ["duplicate"]
    assert assessment.tell(submitted(1, "2023-02-01T09:00", evidence_count=9)) == ["id_conflict"]
    assert assessment.tell(void(S1), S1) == ["accepted", "duplicate"]


def test_a_copy_of_what_waits_is_answered_as_held() -> None:
    assessment = assessing()
    assessment.tell(R1, R1)
    assert assessment.answers() == ["held", "duplicate"]
    assert assessment.last()["first"] == {"outcome": "held"}


def test_what_a_partner_says_anew_of_anothers_key_is_freed_by_it() -> None:
    assessment = assessing()
    again = submitted(1, "2023-02-01T11:00", id_="again")
    assert assessment.tell(S1, again) == ["accepted", "same_fact_exists"]
    assert assessment.tell(supersede(S1, unit_code="unit-2"), again) == ["accepted", "accepted"]


def test_the_lead_may_correct_what_a_partner_sent() -> None:
    assessment = assessing()
    assert assessment.tell(S1, P1, supersede(P1, by="lead", outcome="referred")) == ["accepted"] * 3
    assert assessment.state()["attempts"][0]["outcome"] == "referred"
    assert assessment.tell(void(P1, by="lead")) == ["accepted"]


def test_a_withdrawal_told_late_sets_aside_all_that_rests_on_what_it_refuses() -> None:
    assessment = whole(assessing()).learn(GONE, LEFT)
    assert [(who, what, of, cause["code"]) for who, what, of, cause in assessment.notices()] == [
        ("quillmarsh", "fact_set_aside", S1.id, "after_withdrawal"),
        ("quillmarsh", "fact_set_aside", OTHER[0].id, "after_withdrawal"),
        ("quillmarsh", "fact_set_aside", P1.id, "submission_missing"),
        ("quillmarsh", "fact_set_aside", OTHER[1].id, "submission_missing"),
        ("quillmarsh", "fact_set_aside", DONE.id, "after_withdrawal"),
    ]
    assert {cause["id"] for *_, cause in assessment.notices()} == {"left"}
    assert (assessment.state()["attempts"], assessment.state()["completed"]) == ([], None)


def test_what_was_set_aside_is_restored_when_its_cause_goes() -> None:
    before = whole(assessing())
    stood = before.state()
    after = before.learn(GONE, LEFT).learn(BACK, void(LEFT))
    assert [(what, cause["id"]) for _, what, _, cause in after.notices()[5:]] == [("fact_restored", "void-left")] * 5
    assert after.state() == {**stood, "version": stood["version"] + 2}
    assert [name for name, _ in after.facts()[-2:]] == ["fact_set_aside", "fact_restored"]


def test_another_partners_cause_is_not_named() -> None:
    moved = course("2023-01-03 registered", "2023-01-20 moved emberfold", version=4)
    cause = told("transfer.accepted", "2023-01-10T10:00", "theirs", by="emberfold", transfer_id="t")
    assessment = assessing()
    assessment.tell(S1)
    who, what, of, shown = assessment.learn(moved, cause).notices()[0]
    assert (who, what, of) == ("quillmarsh", "fact_set_aside", S1.id)
    assert shown == {"type": "transfer.accepted", "code": "not_your_trainee"}


def test_what_is_set_aside_keeps_its_key_and_its_place() -> None:
    assessment = assessing()
    assessment.tell(S1)
    assessment.learn(GONE, LEFT)
    assert assessment.tell(submitted(1, "2023-01-10T10:00", id_="again")) == ["same_fact_exists"]
    assert assessment.learn(BACK, void(LEFT)).tell(P1) == ["accepted"]


def test_what_is_set_aside_is_no_hindrance_to_a_correction() -> None:
    assessment = assessing()
    assessment.tell(S1, R1)
    assessment.learn(GONE, LEFT)
    assert assessment.tell(void(S1)) == ["accepted"]
    assert assessment.tell(supersede(R1, outcome="passed")) == ["held"]


def test_a_record_is_judged_by_the_status_attached_and_stands_by_the_newest() -> None:
    assessment = assessing().learn(GONE, LEFT)
    assert assessment.tell(S1, attached=REGISTERED) == ["accepted"]
    assert assessment.state()["attempts"] == []
    assert [(what, of) for _, what, of, _ in assessment.notices()] == [("fact_set_aside", S1.id)]
    assert assessment.tell(P1, attached=REGISTERED) == ["accepted"]
    assert assessment.tell(S2, attached=GONE) == ["after_withdrawal"]
    assert assessment.learn(BACK, void(LEFT)).state()["attempts"][0]["outcome"] == "passed"


def test_what_waits_is_judged_again_by_its_own_status() -> None:
    assessment = assessing()
    late = completed("2023-09-01T10:00")
    assert assessment.tell(S1, P1, OTHER[0], late)[-1] == "held"
    assessment.learn(course("2023-01-03 registered", "2023-08-01 withdrawn", version=6), LEFT)
    assessment.tell(OTHER[1])
    assert assessment.answers()[3] == "accepted"
    assert assessment.state()["completed"] is None


def test_an_older_status_says_nothing_new() -> None:
    assessment = assessing().learn(GONE, LEFT)
    published = len(assessment.facts())
    assessment.learn(REGISTERED, LEFT)
    assert len(assessment.facts()) == published


def test_a_status_that_changes_nothing_here_publishes_nothing() -> None:
    assessment = assessing()
    assessment.tell(S1)
    for status in (DEFERRED, WITHDRAWN):
        assessment.learn(status, LEFT)
    assert [name for name, _ in assessment.facts()] == ["portfolio.submitted"]


def test_a_voided_registration_sets_everything_aside_for_good() -> None:
    assessment = whole(assessing()).learn(VOIDED, void(told("registered")))
    assert [cause["code"] for *_, cause in assessment.notices()] == ["registration_voided"] * 5
    assert assessment.tell(void(S1)) == ["registration_voided"]


def test_a_life_told_backwards_ends_as_it_does_in_order() -> None:
    life = (S1, R1, S2, decided(2, "2023-05-01T10:00"), *OTHER, DONE)
    forwards, backwards = assessing(), assessing()
    forwards.tell(*life)
    backwards.tell(*(event for event in reversed(life) if event is not S2))
    backwards.tell(S2)
    assert backwards.answers() == ["accepted"] * 7
    assert {**backwards.state(), "version": 0} == {**forwards.state(), "version": 0}
