"""What mentoring takes, warns of and refuses: sessions, mentorings and mentors (reference: events 2 and 5)."""

from __future__ import annotations

import pytest

from tests.support.owning import (
    DEFERRED,
    MENTOR,
    OTHER_MENTOR,
    REGISTERED,
    VOIDED,
    Alone,
    assigned,
    course,
    mentored,
    mentoring,
    session,
    supersede,
)
from tests.support.telling import told, void

FEBRUARY, MARCH = "2023-02-01T10:00", "2023-03-01T10:00"
MOVED = course("2023-01-03 registered", "2023-02-15 moved emberfold", version=4)
S1, M1, A1 = session("s-1", FEBRUARY), mentored("m-1", FEBRUARY), assigned("a-1", "2023-01-10T10:00")
PAUSED = told("deferred", "2023-01-20", "paused")
PAUSE = course("2023-01-03 registered", "2023-01-20 deferred", version=4)
BACK = REGISTERED.model_copy(update={"version": 5})


def warnings(service: Alone) -> list[str]:
    """What the sender of the record handed on last was warned of."""
    return [name for name in service.last()["warnings"] if name != "late"]


def mentors(service: Alone) -> list[tuple[str, str, str | None]]:
    """Each mentor that stands: who, from when, and until when."""
    return [(mentor["mentor_id"], mentor["begins"], mentor["ends"]) for mentor in service.state()["mentors"]]


@pytest.mark.parametrize("status", ["attended", "part_attended", "absent_notified", "absent"])
def test_a_session_is_told_whether_the_trainee_came_or_not(status: str) -> None:
    service = mentoring()
    assert service.tell(session("s-1", FEBRUARY, status)) == ["accepted"]
    came = status in ("attended", "part_attended")
    assert service.state()["activities"] == [
        {
            "at": "2023-02-01T10:00:00Z",
            "partner": "quillmarsh",
            "type": "facilitated_session",
            "due": True,
            "attended": came,
            "missed": not came,
            "minutes": 90,
        }
    ]


@pytest.mark.parametrize(
    ("status", "told_as"),
    [
        ("held", {"due": True, "attended": True, "missed": False, "minutes": 45}),
        ("trainee_absent", {"due": True, "attended": False, "missed": True, "minutes": 0}),
        ("mentor_absent", {"due": True, "attended": False, "missed": False, "minutes": 0}),
        ("cancelled", {"due": False, "attended": False, "missed": False, "minutes": 0}),
    ],
)
def test_a_mentoring_is_due_unless_cancelled_and_counts_minutes_only_if_held(
    status: str, told_as: dict[str, object]
) -> None:
    service = mentoring()
    service.tell(mentored("m-1", FEBRUARY, status))
    activity = service.state()["activities"][0]
    assert activity["type"] is None
    assert {name: activity[name] for name in told_as} == told_as


def test_one_session_and_one_mentoring_of_an_id() -> None:
    service = mentoring()
    assert service.tell(S1, M1) == ["accepted", "accepted"]
    assert service.tell(session("s-1", MARCH, id_="again")) == ["same_fact_exists"]
    assert service.last()["errors"][0]["detail"] == {"first": "s-1"}
    assert service.tell(mentored("m-1", MARCH, id_="again-m")) == ["same_fact_exists"]
    assert service.tell(session("m-1", MARCH, id_="other")) == ["accepted"]


def test_the_first_of_the_same_fact_is_named_to_its_own_sender_alone() -> None:
    service = mentoring(MOVED)
    assert service.tell(S1, session("s-1", MARCH, by="emberfold")) == ["accepted", "same_fact_exists"]
    assert service.last()["errors"][0]["detail"] == {"first": None}


def test_a_mentor_beside_a_present_one_is_refused_unless_that_one_ends() -> None:
    service = mentoring()
    beside = assigned("a-2", FEBRUARY, OTHER_MENTOR)
    assert service.tell(A1, beside) == ["accepted", "already_in_state"]
    assert service.last()["errors"][0]["message"] == "Mentored since 2023-01-10."
    assert service.tell(assigned("a-3", FEBRUARY, OTHER_MENTOR, ends_previous=True)) == ["accepted"]
    assert mentors(service) == [
        (MENTOR, "2023-01-10T10:00:00Z", "2023-02-01T10:00:00Z"),
        (OTHER_MENTOR, "2023-02-01T10:00:00Z", None),
    ]


def test_a_first_mentor_may_say_that_it_ends_a_previous_one() -> None:
    assert mentoring().tell(assigned("a-1", FEBRUARY, ends_previous=True)) == ["accepted"]


def test_a_mentor_told_late_does_not_make_a_later_one_fall() -> None:
    service = mentoring()
    assert service.tell(assigned("later", MARCH), A1) == ["accepted", "would_invalidate"]
    assert service.last()["errors"][0]["detail"] == {"count": 1, "ids": ["later"]}
    again = mentoring()
    assert again.tell(assigned("later", MARCH, OTHER_MENTOR, ends_previous=True), A1) == ["accepted", "accepted"]
    assert [mentor for mentor, *_ in mentors(again)] == [MENTOR, OTHER_MENTOR]


def test_a_mentor_ends_with_the_partner() -> None:
    service = mentoring(MOVED)
    assert service.tell(A1) == ["accepted"]
    assert mentors(service) == [(MENTOR, "2023-01-10T10:00:00Z", "2023-02-15T00:00:00Z")]
    theirs = assigned("b-1", MARCH, OTHER_MENTOR, by="emberfold")
    assert service.tell(mentored("m-2", MARCH, by="emberfold", mentor_id=OTHER_MENTOR)) == ["accepted"]
    assert warnings(service) == ["mentor_not_assigned"]
    assert service.tell(theirs) == ["accepted"]
    assert service.tell(mentored("m-3", MARCH, by="emberfold", mentor_id=OTHER_MENTOR)) == ["accepted"]
    assert warnings(service) == []


def test_a_mentor_does_not_come_back_with_the_trainee() -> None:
    service = mentoring(
        course("2023-01-03 registered", "2023-02-15 moved emberfold", "2023-03-15 moved quillmarsh", version=5)
    )
    assert service.tell(A1, assigned("a-2", "2023-04-01T10:00", OTHER_MENTOR)) == ["accepted", "accepted"]


def test_a_transfer_told_late_lets_a_mentor_end_earlier() -> None:
    service = mentoring()
    service.tell(A1, assigned("a-2", MARCH, OTHER_MENTOR, ends_previous=True))
    cause = told("transfer.accepted", "2023-02-01T10:00", "theirs", by="emberfold")
    service.learn(MOVED, cause)
    assert mentors(service) == [(MENTOR, "2023-01-10T10:00:00Z", "2023-02-15T00:00:00Z")]
    assert service.notices() == [
        ("quillmarsh", "fact_set_aside", "a-2", {"type": "transfer.accepted", "code": "not_your_trainee"})
    ]


def test_a_mentoring_without_a_mentor_or_of_unusual_length_is_taken_with_a_warning() -> None:
    service = mentoring()
    assert service.tell(M1) == ["accepted"]
    assert warnings(service) == ["mentor_not_assigned"]
    service.tell(A1)
    for number, (minutes, status, warned) in enumerate(
        [(19, "held", True), (20, "held", False), (90, "held", False), (91, "held", True), (0, "cancelled", False)]
    ):
        name = f"m-{minutes}-{number}"
        assert service.tell(mentored(name, MARCH, status, minutes=minutes)) == ["accepted"]
        assert warnings(service) == (["minutes_unusual"] if warned else [])


def test_a_mentoring_told_late_is_warned_of_by_who_was_the_mentor_then() -> None:
    service = mentoring()
    service.tell(assigned("a-1", MARCH), M1)
    assert warnings(service) == ["mentor_not_assigned"]
    service.tell(mentored("m-2", MARCH))
    assert warnings(service) == []


def test_the_minimum_is_met_when_so_many_mentorings_were_held() -> None:
    service = mentoring(mentoring_minimum=2)
    service.tell(mentored("m-1", "2023-02-01T10:00"), mentored("m-2", "2023-02-08T10:00", "trainee_absent"))
    assert service.state()["minimum_met"] is None
    service.tell(session("s-1", "2023-02-10T10:00"), mentored("m-3", "2023-02-15T10:00"), mentored("m-4", MARCH))
    assert service.state()["minimum_met"] == "2023-02-15T10:00:00Z"
    service.tell(mentored("m-0", "2023-01-20T10:00"))
    assert service.state()["minimum_met"] == "2023-02-01T10:00:00Z"


def test_a_session_taken_back_frees_its_id() -> None:
    service = mentoring()
    assert service.tell(S1, void(S1), session("s-1", MARCH, id_="anew")) == ["accepted"] * 3
    assert len(service.state()["activities"]) == 1


def test_a_mentor_that_another_ended_may_be_taken_back_and_one_beside_whom_it_stands_not() -> None:
    service = mentoring()
    change = assigned("a-2", FEBRUARY, OTHER_MENTOR, ends_previous=True)
    service.tell(A1, change)
    assert service.tell(void(A1)) == ["accepted"]
    assert mentors(service) == [(OTHER_MENTOR, "2023-02-01T10:00:00Z", None)]
    assert service.tell(supersede(change, ends_previous=False)) == ["accepted"]


def test_a_session_told_anew_has_its_new_content() -> None:
    service = mentoring()
    assert service.tell(S1, supersede(S1, status="absent", minutes=0)) == ["accepted", "accepted"]
    assert [(a["missed"], a["minutes"]) for a in service.state()["activities"]] == [(True, 0)]
    assert [name for name, _ in service.facts()[-2:]] == ["session.attended", "session.attended.superseded"]


def test_a_session_told_anew_at_another_time_is_judged_at_its_new_place() -> None:
    service = mentoring(DEFERRED)
    early = session("s-1", "2023-01-20T10:00")
    assert service.tell(early, supersede(early, "c-1", at=MARCH)) == ["accepted", "while_deferred"]
    assert service.tell(supersede(early, "c-2", at="2023-01-25T10:00")) == ["accepted"]
    assert service.state()["activities"][0]["at"] == "2023-01-25T10:00:00Z"


def test_a_session_moved_to_the_time_of_another_partner_is_refused() -> None:
    service = mentoring(MOVED)
    assert service.tell(S1, supersede(S1, at=MARCH)) == ["accepted", "not_your_trainee"]


def test_a_mentor_told_anew_beside_another_is_refused() -> None:
    service = mentoring()
    change = assigned("a-2", FEBRUARY, OTHER_MENTOR, ends_previous=True)
    service.tell(A1, change)
    assert service.tell(supersede(change, ends_previous=False)) == ["already_in_state"]
    assert service.last()["errors"][0]["path"] == "data.replacement.ends_previous"


def test_a_mentor_moved_so_that_another_would_fall_is_refused() -> None:
    service = mentoring()
    ended = assigned("a-0", "2023-01-05T10:00", ends_previous=True)
    moved = course("2023-01-03 registered", "2023-01-08 moved emberfold", "2023-01-09 moved quillmarsh", version=4)
    service.learn(moved, told("transfer.accepted", by="emberfold"))
    assert service.tell(ended, A1) == ["accepted", "accepted"]
    assert service.tell(supersede(ended, at="2023-01-09T12:00")) == ["would_invalidate"]
    assert service.last()["errors"][0]["detail"] == {"count": 1, "ids": [A1.id]}


def test_a_deferral_told_late_sets_sessions_aside_and_leaves_the_mentor() -> None:
    service = mentoring()
    service.tell(A1, S1, M1, assigned("a-2", FEBRUARY, OTHER_MENTOR, ends_previous=True))
    service.learn(PAUSE, PAUSED)
    cause = {"type": "trainee.deferred", "partner": "quillmarsh", "source": PAUSED.source, "id": "paused"}
    assert service.notices() == [
        ("quillmarsh", "fact_set_aside", name, {**cause, "code": "while_deferred"}) for name in ("s-1", "m-1")
    ]
    assert (service.state()["activities"], len(service.state()["mentors"])) == ([], 2)
    service.learn(BACK, void(PAUSED))
    assert [(what, of) for _, what, of, _ in service.notices()[2:]] == [
        ("fact_restored", "s-1"),
        ("fact_restored", "m-1"),
    ]
    assert len(service.state()["activities"]) == 2


def test_a_session_accepted_under_an_older_status_is_set_aside_at_once_under_the_newest() -> None:
    service = mentoring().learn(PAUSE, PAUSED)
    assert service.tell(S1, attached=REGISTERED) == ["accepted"]
    assert [(what, of) for _, what, of, _ in service.notices()] == [("fact_set_aside", "s-1")]
    assert service.state()["activities"] == []
    assert service.tell(session("s-2", FEBRUARY), attached=PAUSE) == ["while_deferred"]


@pytest.mark.parametrize("correction", [void(S1), supersede(S1), void(A1), supersede(M1)], ids=lambda event: event.fact)
def test_a_correction_waits_for_its_target_and_is_answered_when_all_is_taken_back(correction: object) -> None:
    service = mentoring()
    assert service.tell(correction) == ["held"]  # type: ignore[arg-type]
    assert service.learn(VOIDED, void(told("registered"))).answers() == ["registration_voided"]
    late = mentoring()
    late.tell(correction)  # type: ignore[arg-type]
    assert late.end() == ["target_unknown"]


def test_a_copy_is_a_duplicate_and_other_content_a_conflict() -> None:
    service = mentoring()
    assert service.tell(S1, S1, session("s-1", FEBRUARY, "absent")) == ["accepted", "duplicate", "id_conflict"]
    assert service.tell(supersede(S1, status="absent"), S1) == ["accepted", "duplicate"]
