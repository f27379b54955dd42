"""The state table of a unit, cell by cell, and what a completion requires (reference: events 5, assessment)."""

from __future__ import annotations

import pytest

from senconet.demonstration.wire import Event
from tests.support.owning import ASSESSOR, DEFERRED, WITHDRAWN, assessing, completed, course, decided, submitted
from tests.support.telling import told

S1, S2, S3 = submitted(1, "2023-02-01T10:00"), submitted(2, "2023-04-01T10:00"), submitted(3, "2023-06-01T10:00")
R1, R2, R3 = (decided(n, f"2023-0{2 * n + 1}-01T10:00", "referred") for n in (1, 2, 3))
OTHER = (submitted(1, "2023-02-01T10:00", "unit-2"), decided(1, "2023-03-01T10:00", unit="unit-2"))
PASSED = (S1, decided(1, "2023-03-01T10:00"))
LATER = "2023-09-01T10:00"

STATES: dict[str, tuple[Event, ...]] = {
    "none": (),
    "submitted": (S1,),
    "passed": PASSED,
    "not_passed": (S1, decided(1, "2023-03-01T10:00", "not_passed")),
    "referred": (S1, R1),
    "again": (S1, R1, S2),
    "used_up": (S1, R1, S2, R2, S3, R3),
    "completed": (*PASSED, *OTHER, completed("2023-08-01T10:00")),
}
NEXT = {
    **{f"submitted {n}": submitted(n, LATER, id_="next") for n in (1, 2, 3, 4)},
    **{f"decided {n}": decided(n, LATER, id_="next") for n in (1, 2, 4)},
}
TABLE = """
            | none                 | submitted            | passed               | not_passed
submitted 1 | accepted             | same_fact_exists     | same_fact_exists     | same_fact_exists
submitted 2 | attempt_out_of_order | attempt_out_of_order | attempt_out_of_order | attempt_out_of_order
submitted 4 | attempt_out_of_order | attempt_out_of_order | attempt_out_of_order | attempt_out_of_order
decided 1   | held                 | accepted             | same_fact_exists     | same_fact_exists
decided 2   | held                 | held                 | held                 | held
decided 4   | held                 | held                 | held                 | held

            | referred             | again                | used_up              | completed
submitted 1 | same_fact_exists     | same_fact_exists     | same_fact_exists     | same_fact_exists
submitted 2 | accepted             | same_fact_exists     | same_fact_exists     | after_completion
submitted 3 | attempt_out_of_order | attempt_out_of_order | same_fact_exists     | after_completion
submitted 4 | attempt_out_of_order | attempt_out_of_order | attempts_exhausted   | after_completion
decided 1   | same_fact_exists     | same_fact_exists     | same_fact_exists     | same_fact_exists
decided 2   | held                 | accepted             | same_fact_exists     | after_completion
decided 4   | held                 | held                 | held                 | after_completion
"""


def cells() -> list[tuple[str, str, str]]:
    """Event, state and answer of each cell."""
    found = []
    for block in TABLE.strip("\n").split("\n\n"):
        head, *rows = ([cell.strip() for cell in line.split("|")] for line in block.splitlines())
        found += [(row[0], state, answer) for row in rows for state, answer in zip(head[1:], row[1:], strict=True)]
    return found


@pytest.mark.parametrize(("event", "state", "answer"), cells())
def test_a_cell_of_the_table_of_a_unit(event: str, state: str, answer: str) -> None:
    assessment = assessing()
    assert set(assessment.tell(*STATES[state], NEXT[event])[:-1]) <= {"accepted"}
    assert assessment.answers()[-1] == answer


def test_a_decision_that_waits_is_accepted_when_its_submission_comes() -> None:
    assessment = assessing()
    assert assessment.tell(R1) == ["held"]
    assert assessment.tell(submitted(1, "2023-04-01T10:00", "unit-2")) == ["accepted"]
    assert assessment.answers()[0] == "held"
    assessment.tell(S1)
    assert assessment.answers() == ["accepted"] * 3


def test_a_decision_whose_submission_never_comes_is_refused_at_the_deadline() -> None:
    assessment = assessing()
    assessment.tell(R1)
    assert assessment.end() == ["submission_missing"]
    assert assessment.last()["retryable"]


def test_a_submission_dated_after_its_decision_is_none_for_it() -> None:
    assessment = assessing()
    assert assessment.tell(submitted(1, "2023-03-02T10:00"), R1) == ["accepted", "held"]


def test_a_decision_of_the_moment_of_its_submission_comes_after_it() -> None:
    assert assessing().tell(decided(1, "2023-02-01T10:00"), S1, S2) == ["accepted", "accepted", "attempt_out_of_order"]


def test_units_are_assessed_each_by_itself() -> None:
    assert assessing().tell(*OTHER, S1, R1, S2) == ["accepted"] * 5


def test_a_unit_is_one_of_the_cohort_at_the_events_moment() -> None:
    assessment = assessing()
    assert assessment.tell(submitted(1, LATER, "unit-9")) == ["code_not_in_list"]
    error = assessment.last()["errors"][0]
    assert error["path"] == "data.unit_code"
    assert error["detail"] == {"date": "2023-09-01", "allowed": ["unit-1", "unit-2"]}
    assert assessment.tell(decided(1, LATER, unit="unit-9")) == ["code_not_in_list"]


def test_a_unit_that_there_is_not_is_said_before_the_history_is_looked_at() -> None:
    assessment = assessing()
    assessment.tell(*STATES["completed"])
    assert assessment.tell(submitted(1, LATER, "unit-9")) == ["code_not_in_list"]


def test_an_attempt_that_comes_too_early_is_told_which_is_expected() -> None:
    assessment = assessing()
    assessment.tell(S1, R1, submitted(3, LATER))
    assert assessment.last()["errors"][0]["detail"] == {"expected": 2}


def test_a_cohort_says_how_many_attempts_there_are() -> None:
    assessment = assessing(max_attempts=1)
    assert assessment.tell(S1, R1, S2) == ["accepted", "accepted", "attempts_exhausted"]
    assert assessment.last()["errors"][0]["detail"] == {"most": 1}


OUTCOMES = {
    "nothing": (),
    "one unit passed": PASSED,
    "both passed": (*PASSED, *OTHER),
    "not passed": (*STATES["not_passed"], *OTHER),
    "referred": (*STATES["referred"], *OTHER),
    "submitted again": (*STATES["again"], *OTHER),
    "used up": (*STATES["used_up"], *OTHER),
}
REQUIRED = """
                | none     | any_decision | pass
nothing         | accepted | held         | held
one unit passed | accepted | held         | held
both passed     | accepted | accepted     | accepted
not passed      | accepted | accepted     | held
referred        | accepted | held         | held
submitted again | accepted | held         | held
used up         | accepted | accepted     | held
"""


def requirements() -> list[tuple[str, str, str]]:
    """What was decided, what the cohort requires, and the answer."""
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in REQUIRED.strip("\n").splitlines())
    return [(row[0], required, answer) for row in rows for required, answer in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("outcome", "required", "answer"), requirements())
def test_a_completion_needs_what_its_cohort_requires(outcome: str, required: str, answer: str) -> None:
    assessment = assessing(completion_requires=required)
    assert assessment.tell(*OUTCOMES[outcome], completed(LATER))[-1] == answer


def test_a_completion_waits_for_the_decisions_up_to_its_moment() -> None:
    assessment = assessing()
    assert assessment.tell(*PASSED, completed("2023-03-01T10:00")) == ["accepted", "accepted", "held"]
    assert assessment.tell(*OTHER) == ["accepted", "accepted"]
    assert assessment.answers()[2] == "accepted"


def test_a_decision_dated_after_a_completion_is_none_for_it() -> None:
    assessment = assessing()
    assessment.tell(*PASSED, OTHER[0], decided(1, "2023-09-02T10:00", unit="unit-2"), completed(LATER))
    assert assessment.end()[-1] == "decision_missing"
    assert assessment.last()["retryable"]


def test_the_final_decision_named_is_one_that_stands() -> None:
    named = completed(LATER, final_decision_id=PASSED[1].id)
    assert assessing().tell(*PASSED, *OTHER, named)[-1] == "accepted"
    assert assessing().tell(*PASSED, *OTHER, completed(LATER, final_decision_id="d9"))[-1] == "held"
    assert assessing().tell(*PASSED, *OTHER, completed(LATER, final_decision_id=S1.id))[-1] == "held"


def test_the_final_decision_named_is_not_read_where_none_is_required() -> None:
    assert assessing(completion_requires="none").tell(completed(LATER, final_decision_id="d9")) == ["accepted"]


def test_a_course_is_completed_once() -> None:
    assessment = assessing(completion_requires="none")
    assert assessment.tell(completed(LATER), completed("2023-08-01", "again")) == ["accepted", "same_fact_exists"]
    assert assessment.last()["errors"][0]["detail"] == {"first": "completed"}


def test_an_id_is_of_one_registration_even_where_another_uses_it_first() -> None:
    assessment = assessing(completion_requires="none")
    others = told("completed", LATER, "one", of="22222222-2222-4222-8222-222222222222")
    assert assessment.tell(others, completed(LATER, "one")) == ["accepted", "id_conflict"]


def test_what_is_dated_before_a_completion_is_still_taken() -> None:
    assert assessing(completion_requires="none").tell(completed(LATER), S1, R1) == ["accepted"] * 3


def test_a_completion_known_to_the_day_comes_after_all_of_its_day() -> None:
    evening = submitted(1, "2023-09-01T20:00")
    assert assessing(completion_requires="none").tell(completed("2023-09-01"), evening) == ["accepted"] * 2
    assert assessing(completion_requires="none").tell(completed("2023-08-31"), evening)[-1] == "after_completion"


def test_a_completion_told_late_does_not_make_later_facts_fall() -> None:
    assessment = assessing(completion_requires="none")
    assert assessment.tell(S1, R1, completed("2023-02-15")) == ["accepted", "accepted", "would_invalidate"]
    assert assessment.last()["errors"][0]["detail"] == {"count": 1, "ids": [R1.id]}


@pytest.mark.parametrize(("status", "code"), [(DEFERRED, "while_deferred"), (WITHDRAWN, "after_withdrawal")])
def test_an_attempt_submitted_before_a_pause_is_decided_during_it(status: object, code: str) -> None:
    early, late = submitted(1, "2023-01-20T10:00"), submitted(1, "2023-02-20T10:00", "unit-2")
    assessment = assessing(status)  # type: ignore[arg-type]
    assert assessment.tell(early, R1, late) == ["accepted", "accepted", code]
    assert assessment.tell(decided(1, LATER, unit="unit-2")) == ["held"]


def test_the_state_tells_attempts_result_and_completion() -> None:
    assessment = assessing()
    assessment.tell(S1)
    assert assessment.state()["result"] is None
    assessment.tell(decided(1, "2023-03-01T10:00", "not_passed"), *OTHER, completed(LATER))
    state = assessment.state()
    assert state["attempts"][0] == {
        "unit_code": "unit-1",
        "attempt": 1,
        "partner": "quillmarsh",
        "submitted": "2023-02-01T10:00:00Z",
        "decided": "2023-03-01T10:00:00Z",
        "decided_by": "quillmarsh",
        "assessor_id": ASSESSOR,
        "outcome": "not_passed",
    }
    assert (state["completed"], state["order"], state["result"]) == ("2023-09-01T10:00:00Z", 15, "not_passed")


def test_the_result_is_passed_where_the_latest_decision_on_every_unit_is() -> None:
    assessment = assessing()
    assessment.tell(S1, R1, *OTHER)
    assert assessment.state()["result"] == "not_passed"
    assessment.tell(S2, decided(2, "2023-05-01T10:00"))
    assert assessment.state()["result"] == "passed"


def test_each_partner_tells_of_a_trainee_in_its_own_time() -> None:
    moved = course("2023-01-03 registered", "2023-02-10 moved emberfold")
    assessment = assessing(moved)
    assert assessment.tell(S1, decided(1, "2023-03-01T10:00", by="emberfold")) == ["accepted", "accepted"]
    attempt = assessment.state()["attempts"][0]
    assert (attempt["partner"], attempt["decided_by"]) == ("quillmarsh", "emberfold")
    assert assessment.tell(submitted(1, LATER, "unit-2", by="emberfold")) == ["accepted"]
