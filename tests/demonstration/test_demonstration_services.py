"""The judge by histories of mentoring, assessment, corrections and transfers, each from a line of the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from senconet.demonstration.model import Key
from tests.demonstration.stories import DECIDED, SUBJECT, told

BOTH = "submitted 3/1 s1; decided 3/9 d1; submitted 3/1 s2 unit=unit-2; decided 3/9 d2 unit=unit-2"
HISTORIES = {
    # admission by the status at the moment
    "R; deferred 2/1; session 2/2; mentoring 2/2; submitted 2/2; decided 2/2; mentor 2/2": (
        "a a while_deferred while_deferred while_deferred ~submission_missing a = deferred"
    ),
    "R; withdrew 2/1; session 2/2; mentoring 2/2; submitted 2/2; mentor 2/2; session 1/9": (
        "a a after_withdrawal after_withdrawal after_withdrawal after_withdrawal a = withdrawn"
    ),
    "R; submitted 1/9; withdrew 2/1; decided 2/9": "a a a a = withdrawn",
    "R; session 1/2": "a ~registration_unknown = registered",
    "session 1/9; R": "~a a = registered",
    "R; void registered r; session 1/9": "a a registration_voided = voided",
    # same fact, whatever its state
    "R; session 1/9 a; session 1/10 b": "a a same_fact_exists = registered",
    "R; session 1/9 a; session 1/9 a": "a a d = registered",
    "R; session 1/9 a; session 1/9 a minutes=61": "a a id_conflict = registered",
    "R; session 1/9 a; mentoring 1/9 a": "a a id_conflict = registered",
    "R; session 1/9 a; submitted 1/9 a": "a a a = registered",
    "R; session 1/9 a; void session a; session 1/10 b": "a a a a = registered",
    "R; session 2/9 a; withdrew 2/1 w; session 1/10 b": "a a a same_fact_exists = withdrawn",
    # mentors
    "R; mentor 1/9; mentor 2/9": "a a already_in_state = registered",
    "R; mentor 2/9; mentor 1/9": "a a would_invalidate = registered",
    "R; mentor 1/9; mentor 2/9 ends_previous=true": "a a a = registered",
    "R; mentor 1/9 m; mentor 2/9 n ends_previous=true; change mentor n": "a a a already_in_state = registered",
    "R; mentor 1/9 m; mentor 2/9 n ends_previous=true; void mentor m; change mentor n": "a a a a a = registered",
    # units and attempts
    "R; submitted 3/1 unit=unit-9": "a code_not_in_list = registered",
    "R; submitted 3/1 attempt=2": "a attempt_out_of_order = registered",
    "R; submitted 3/1; submitted 3/2 attempt=2": "a a attempt_out_of_order = registered",
    "R; submitted 3/1; decided 3/2; submitted 3/3 attempt=2": "a a a attempt_out_of_order = registered",
    "R; submitted 3/1; decided 3/2 outcome=referred; submitted 3/3 attempt=3": (
        "a a a attempt_out_of_order = registered"
    ),
    "R; decided 3/2; submitted 3/1": "a ~a a = registered",
    "R; decided 3/2 attempt=9; submitted 3/1": "a ~submission_missing a = registered",
    "R; submitted 3/1; decided 3/2; submitted 3/1 x": "a a a same_fact_exists = registered",
    "R; submitted 3/1 s; decided 3/2 d; void submitted s": "a a a would_invalidate = registered",
    "R; submitted 3/1 s; decided 3/2 d; void decided d; void submitted s": "a a a a a = registered",
    "R; submitted 3/1; decided 3/2 outcome=referred; submitted 3/3 attempt=2; decided 3/4 attempt=2 outcome=referred;"
    " submitted 3/5 attempt=3; decided 3/6 attempt=3 outcome=referred; submitted 3/7 attempt=4": (
        "a a a a a a a attempts_exhausted = registered"
    ),
    "R; submitted 3/1; decided 3/2 d outcome=referred; submitted 3/3 attempt=2; change decided d outcome=passed": (
        "a a a a would_invalidate = registered"
    ),
    "R; submitted 3/1; decided 3/2 d outcome=referred resubmit_by=2023-04-01": "a a a = registered",
    "R; submitted 3/1; decided 3/2 d resubmit_by=2023-04-01": "a a schema_invalid = registered",
    # completion
    f"R; completed 6/1; {BOTH}": "a ~a a a a a = completed",
    f"R; {BOTH}; completed 3/8": "a a a a a ~decision_missing = registered",
    f"R; {BOTH}; completed 6/1 final_decision_id=d2": "a a a a a a = completed",
    f"R; {BOTH}; completed 6/1 final_decision_id=d3": "a a a a a ~decision_missing = registered",
    f"R; {BOTH}; completed 6/1; submitted 6/2 attempt=2; session 6/2": "a a a a a a after_completion a = completed",
    f"R; {BOTH}; completed 6/1; void decided d1": "a a a a a a would_invalidate = completed",
    f"R; {BOTH}; completed 6/1 c; void completed c; void decided d1": "a a a a a a a a = registered",
    f"R; {BOTH}; completed 6/1; withdrew 3/5 w; void withdrew w": "a a a a a a a a = completed",
    f"R; {BOTH}; completed 6/1; withdrew 2/1": "a a a a a a a = withdrawn",
    f"R; {BOTH}; completed 6/1; deferred 2/1; resumed 2/5": "a a a a a a a a = completed",
    f"R; {BOTH}; change decided d1 outcome=referred; completed 6/1": "a a a a a a ~decision_missing = registered",
    f"R; {BOTH}; completed 6/1; change decided d1 outcome=not_passed": "a a a a a a a = completed",
    f"R; {BOTH}; completed 6/1; change decided d1 outcome=referred": "a a a a a a would_invalidate = completed",
    # what waits at an owner: judged again when that owner accepts something, under the status it was handed on with
    "R; completed 1/24; deferred 1/10": "a ~decision_missing a = deferred",
    f"R; completed 6/1; deferred 2/1; {BOTH}; resumed 2/5": (
        "a ~decision_missing a while_deferred ~submission_missing while_deferred ~submission_missing a = registered"
    ),
    f"R; {BOTH[: BOTH.rindex(';')]}; completed 6/1; deferred 5/1; decided 3/9 d2 unit=unit-2": (
        "a a a a ~a a a = deferred"
    ),
    f"R; {BOTH[: BOTH.rindex(';')]}; completed 6/1; deferred 5/1 d; decided 3/9 d2 unit=unit-2; void deferred d": (
        "a a a a ~a a a a = completed"
    ),
    "R; void session a; deferred 1/5; session 1/4 a": "a ~a a a = deferred",
    "R; change session a; deferred 1/5; session 1/4 a": "a ~a a a = deferred",
    "R; decided 3/9; change registered r cohort=2023-march; submitted 3/1": "a ~a a a = registered",
    "R; decided 3/9; void registered r": "a ~registration_voided a = voided",
    "R; E:void session a; void registered r": "a ~registration_voided a = voided",
    # supersedes
    "R; session 1/9 a; change session a minutes=9": "a a a = registered",
    "R; change session a; session 1/9 a": "a ~a a = registered",
    "R; session 1/9 a; session 1/10 b session_id=t; change session b": "a a a same_fact_exists = registered",
    "R; session 1/9 a; change session a session_id=t; session 1/10 b": "a a a a = registered",
    "R; session 1/9 a; change session a session_id=t; session 1/9 a": "a a a d = registered",
    "R; session 1/9 a; deferred 2/1; change session a 2/2": "a a a while_deferred = deferred",
    "R; session 1/9 a; void session a; change session a": "a a a already_in_state = registered",
    "R; session 1/9 a; change session a minutes=1441": "a a schema_invalid = registered",
    "R; withdrew 2/1 w; change withdrew w reason=content": "a a a = withdrawn",
    "R; withdrew 2/1 w; change withdrew w reason=lost-interest": "a a code_not_in_list = withdrawn",
    "R; withdrew 2/1 w; change withdrew w reason=started-in-error": "a a use_void = withdrawn",
    "R; deferred 2/1 d; resumed 2/9; change deferred d 2/10": "a a a would_invalidate = registered",
    "R; deferred 2/1 d; withdrew 2/5; change deferred d 2/10": "a a a after_withdrawal = withdrawn",
    "R; deferred 2/1 d; change deferred d 1/9 c own=11; change deferred d 1/1 e own=9": "a a a a = deferred",
    "R; change registered r role=senco_designate": "a a = registered",
    "R; change registered r 1/20": "a cohort_closed = registered",
    "R; change registered r cohort=2023-march": "a a = registered",
    "R; deferred 1/4; change registered r 1/5": "a a would_invalidate = deferred",
    "R; session 1/4 a; change registered r 1/5; change session a minutes=1": "a a a registration_unknown = registered",
    "R; session 1/9 a; change session a 1/2": "a a registration_unknown = registered",
    "R; deferred 1/9 d; change deferred d 1/2": "a a ~registration_unknown = deferred",
    "R; void registered r; change registered r": "a a registration_voided = voided",
    "R; session 1/9 a; L:change session a owner=Q": "a a a = registered",
    "R; session 1/9 a; E:change session a": "a a ~target_unknown = registered",
    "R; session 1/9 a; E:void session a owner=Q": "a a target_not_yours = registered",
}


@pytest.mark.parametrize("text", HISTORIES)
def test_a_history_is_answered_as_the_rules_say(text: str) -> None:
    answers, key = told(text)
    assert f"{answers} = {key.states['quillmarsh', SUBJECT].state}" == HISTORIES[text]


MOVED = "R; offered 2/10; E:accepted 2/12"
SAME_DAY = "R; offered 2/10 on=2023-02-10"
TRANSFERS = {
    # the handshake
    "R; E:accepted 2/12": "a ~transfer_not_offered",
    "R; E:accepted 2/12; offered 2/10": "a ~a a",
    "R; offered 2/10; T:accepted 2/12; E:accepted 2/12": "a a ~transfer_not_offered a",
    f"{MOVED}; E:accepted 2/13 again": "a a a ~transfer_not_offered",
    "R; offered 2/10; E:accepted 2/24": "a a a",
    "R; offered 2/10; E:accepted 2/24 hour=11": "a a ~transfer_not_offered",
    "R; offered 2/10; E:declined 2/12; E:accepted 2/13": "a a a ~transfer_not_offered",
    "R; offered 2/10; cancelled 2/12; E:accepted 2/13": "a a a ~transfer_not_offered",
    "R; offered 2/10; L:cancelled 2/12": "a a a",
    "R; offered 2/10; E:cancelled 2/12": "a a ~transfer_not_offered",
    "R; L:offered 2/10; E:accepted 2/12; cancelled 2/13": "a a a ~transfer_not_offered",
    "R; E:offered 2/10 to=quillmarsh": "a ~not_your_trainee",
    "R; offered 2/10; offered 2/11 o transfer_id=55555555-5555-4555-8555-555555555555": "a a transfer_pending",
    "R; offered 2/10; offered 2/25 o on=2023-03-01 transfer_id=55555555-5555-4555-8555-555555555555": "a a a",
    "R; offered 2/10 x; cancelled 2/11; offered 2/12 y": "a a a same_fact_exists",
    "R; offered 2/10 to=quillmarsh": "a transfer_partner_invalid",
    "R; offered 2/10 to=nobody": "a transfer_partner_invalid",
    "R; offered 2/10 on=2023-02-09": "a transfer_date_conflict",
    "R; offered 2/10 on=2023-02-10; E:accepted 2/12": "a a a",
    "R; withdrew 2/1; offered 2/10": "a a after_withdrawal",
    "R; deferred 2/1; offered 2/10; E:accepted 2/12; E:resumed 2/20": "a a a a a",
    "R; offered 2/10; withdrew 2/11; E:accepted 2/12; E:declined 2/12": "a a a after_withdrawal a",
    "R; offered 2/10; E:accepted 2/12; withdrew 2/11": "a a a would_invalidate",
    "R; offered 2/10; E:accepted 2/12; withdrew 2/13; E:session 2/21": "a a a a after_withdrawal",
    "R; offered 2/10; deferred 2/20; E:accepted 2/12": "a a a transfer_date_conflict",
    "R; offered 2/10; void registered r; E:accepted 2/12; T:accepted 2/12": (
        "a a a registration_voided ~transfer_not_offered"
    ),
    "R; offered 2/10; E:accepted 2/12 ref=E-1": "a a a",
    "R; offered 2/10; cancelled 2/11; void registered r; cancelled 2/12": "a a a a registration_voided",
    "R; void registered r; cancelled 2/12": "a a registration_voided",
    "R; void registered r; L:cancelled 2/12; E:declined 2/12": "a a ~transfer_not_offered ~transfer_not_offered",
    f"{MOVED}; void registered r; cancelled 2/13; E:declined 2/13": "a a a a registration_voided registration_voided",
    # whose it is
    f"{MOVED}; E:withdrew 2/21; registered 2/22 again": "a a a a same_fact_exists",
    f"{MOVED}; withdrew 2/13; registered 2/14 again; registered 2/22 late": "a a a a use_resume same_fact_exists",
    f"{MOVED}; E:registered 2/22 again": "a a a not_your_trainee",
    f"{MOVED}; session 2/1 a; change session a 2/21": "a a a a not_your_trainee",
    f"{MOVED}; session 2/19 a; session 2/20 b session_id=t": "a a a a ~not_your_trainee",
    f"{MOVED}; E:session 2/19 a; E:session 2/20 b session_id=t": "a a a ~not_your_trainee a",
    f"E:session 2/21; {MOVED}": "~a a a a",
    "R; session 2/21; offered 2/10; E:accepted 2/12; E:session 2/22": "a a a a same_fact_exists",
    "R; mentor 1/9; offered 2/10; E:accepted 2/12; E:mentor 2/21; E:mentor 2/22": "a a a a a already_in_state",
    f"{MOVED}; E:withdrew 2/21; withdrew 2/22": "a a a a ~not_your_trainee",
    f"{MOVED}; E:offered 2/25 o on=2023-03-01 to=tarnwick transfer_id=55555555-5555-4555-8555-555555555555": "a a a a",
    f"{MOVED}; E:void registered r; void registered r": "a a a ~already_in_state a",
    # a transfer effective on the day of its offer: the losing partner is who offered
    f"{SAME_DAY}; E:accepted 2/12; cancelled 2/11": "a a a would_invalidate",
    f"{SAME_DAY}; E:accepted 2/12; E:cancelled 2/11": "a a a ~transfer_not_offered",
    f"{SAME_DAY}; E:accepted 2/14; E:deferred 2/20; E:accepted 2/12 again": "a a a a would_invalidate",
    f"{SAME_DAY}; deferred 2/10 hour=8; E:accepted 2/12": "a a a transfer_date_conflict",
    # an owner deals with one released record, and what waited for it, before the next one reaches it
    "R; E:mentor 2/21 m ends_previous=true; E:mentor 2/22 n; E:void mentor m; offered 2/10; E:accepted 2/12": (
        "a ~a ~a ~a a a"
    ),
    "R; E:submitted 2/21 s; E:decided 2/22 d; E:void submitted s; offered 2/10; E:accepted 2/12": (
        "a ~a ~submission_missing ~a a a"
    ),
    "R; E:decided 2/22 d; E:submitted 2/21 s; E:void submitted s; offered 2/10; E:accepted 2/12": "a ~a ~a ~a a a",
}


@pytest.mark.parametrize("text", TRANSFERS)
def test_a_transfer_is_answered_as_the_rules_say(text: str) -> None:
    assert told(text)[0] == TRANSFERS[text]


def test_the_losing_partner_sees_the_state_of_its_last_day_and_the_gaining_one_the_present() -> None:
    _, key = told(f"{MOVED}; E:withdrew 3/1")
    assert key.states["quillmarsh", SUBJECT].state == "registered"
    assert key.states["emberfold", SUBJECT].state == "withdrawn"
    _, key = told("R; offered 2/10; withdrew 2/15; E:accepted 2/12; E:resumed 2/20")
    assert key.states["quillmarsh", SUBJECT].state == "withdrawn"
    assert key.states["emberfold", SUBJECT].state == "registered"


def test_a_partner_that_was_only_offered_a_trainee_sees_nothing() -> None:
    _, key = told("R; offered 2/10; E:declined 2/12")
    assert set(key.states) == {("quillmarsh", SUBJECT)}


def test_a_transfer_that_moves_nobody_leaves_the_mentor_and_the_state_as_they_are() -> None:
    later = "L:offered 2/25 o on=2023-03-01 transfer_id=55555555-5555-4555-8555-555555555555"
    agreed = "E:accepted 2/26 b transfer_id=55555555-5555-4555-8555-555555555555"
    answers, key = told(f"R; {later}; {agreed}; offered 2/10; E:accepted 2/12; E:mentor 2/21; E:mentor 3/2")
    assert answers == "a a a a a a already_in_state"
    assert key.states["emberfold", SUBJECT] == told(MOVED)[1].states["emberfold", SUBJECT]


def counted(key: Key) -> tuple[int, int]:
    """Registrations and decisions that count in the end."""
    total = key.figures[max(key.figures)].cuts["national"]["total"]
    return total.registrations, total.decisions


def test_a_decision_on_a_unit_of_another_cohort_than_the_trainees_is_set_aside_and_restored() -> None:
    """It does not fall with its submission then: the lead may move that."""
    march = {"2023-march": {"units": ["unit-1"]}}
    given = replace(DECIDED, cohorts=tuple(body | march.get(body["cohort_code"], {}) for body in DECIDED.cohorts))
    story = (
        "R; deferred 1/16; submitted 1/10 s unit=unit-2; decided 2/1 d unit=unit-2; resumed 1/24 b cohort=2023-march"
    )
    answers, key = told(story, given)
    assert (answers, counted(key)) == ("a a a a a", (1, 0))
    answers, key = told(f"{story}; void resumed b", given)
    assert (answers, counted(key)) == ("a a a a a a", (1, 1))
    assert told(f"{story}; L:change submitted s 2/1 unit=unit-1 owner=Q", given)[0] == "a a a a a a"
    assert told(f"{story}; decided 2/2 e unit=unit-2 attempt=2", given)[0] == "a a a a a code_not_in_list"


def test_a_transfer_on_the_day_of_its_offer_is_counted_out_of_who_offered_and_into_who_accepted() -> None:
    _, key = told(f"{SAME_DAY}; E:accepted 2/12")
    cut = key.figures[max(key.figures)].cuts["partner"]
    moves = {partner: (found.registrations, found.moved_in, found.moved_out) for partner, found in cut.items()}
    assert moves == {"emberfold": (1, 1, 0), "quillmarsh": (0, 0, 1)}
