"""The judge by hand-written histories, each from a line of the rule book, and by random ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senconet.demonstration.judge import fold, judge
from senconet.demonstration.model import LEAD, Key, Record
from tests.demonstration.stories import RECEIVED, REGISTERED, SUBJECT, UNDECIDED, at, record, short, told

OURS, THEIRS = "quillmarsh", "emberfold"
OTHER = "22222222-2222-4222-8222-222222222222"
REG = record("registered", at(1, 3), "r")


def void(fact: str, target: str, event: str = "", **more: Any) -> Record:
    """A void; its time plays no part."""
    data = {"target_id": target, "cause": "entered_in_error"}
    if "owner" in more:
        data["target_source"] = f"/partners/{more.pop('owner')}/mis"
    return record(f"{fact}.voided", "2024-01-05T10:00:00", event or f"void-{target}", data=data, **more)


def key_of(*records: Record) -> Key:
    """The key of our partner's records."""
    return fold(UNDECIDED, OURS, records, received=RECEIVED)


def texts(key: Key, partner: str = OURS) -> list[str]:
    """Answers in short."""
    return [short(answer) for answer in key.answers[partner]]


HISTORIES = {
    "R; withdrew 2/1; resumed 2/9": "a a a = registered",
    "R; deferred 2/1; withdrew 2/9": "a a a = withdrawn",
    "R; deferred 2/1; deferred 2/9": "a a already_in_state = deferred",
    "R; deferred 2/9; withdrew 2/1": "a a would_invalidate = deferred",
    "R; withdrew 2/9; deferred 2/1": "a a a = withdrawn",
    "R; withdrew 2/9; withdrew 2/1": "a a would_invalidate = withdrawn",
    "R; withdrew 2/1; resumed 5/1": "a a a = registered",
    "R; withdrew 2/1; resumed 5/4": "a a reinstatement_closed = withdrawn",
    # completions: admitted by the status before them, set aside and restored
    "R; withdrew 6/1; completed 6/2": "a a after_withdrawal = withdrawn",
    "R; withdrew 6/1; completed 5/2": "a a a = completed",
    "R; withdrew 2/1 day; completed 2/1 day": "a a a = completed",
    "R; deferred 2/1 day; resumed 2/1 day": "a a already_in_state = deferred",
    "R; deferred 2/1; completed 2/2": "a a while_deferred = deferred",
    "R; completed 6/2; withdrew 6/1": "a a a = withdrawn",
    "R; completed 6/2; withdrew 6/3": "a a a = completed",
    "R; completed 6/2; deferred 6/1": "a a a = deferred",
    "R; completed 6/2; withdrew 6/1; completed 5/2 c2": "a a a same_fact_exists = withdrawn",
    "R; completed 6/2; withdrew 6/1 w; void withdrew w": "a a a a = completed",
    "R; completed 6/2; withdrew 6/1; completed 6/2": "a a a after_withdrawal = withdrawn",
    # ids
    "R; R": "a d = registered",
    "R; withdrew 2/1 w; void withdrew w; withdrew 2/1 w": "a a a d = registered",
    "R; withdrew 2/1 w; void withdrew w; withdrew 2/2 w": "a a a id_conflict = registered",
    "R; resumed 2/1 x; withdrew 2/1 x": "a already_in_state a = withdrawn",
    "R; completed 6/2 r": "a a = completed",
    "R; withdrew 6/2 r": "a id_conflict = registered",
    # holds
    "withdrew 2/1 w; withdrew 2/1 w; withdrew 2/2 w; R": "~a d id_conflict a = withdrawn",
    "deferred 2/1; resumed 3/1; completed 6/1; R": "~a ~a ~a a = completed",
    "completed 6/1; resumed 3/1; deferred 2/1; R": "~a ~already_in_state ~a a = deferred",
    "R; withdrew 1/2": "a ~registration_unknown = registered",
    "R; void withdrew w; withdrew 2/1 w": "a ~a a = registered",
    "void withdrew w; withdrew 2/1 w; deferred 2/2; R": "~a ~a ~a a = deferred",
    "R; void completed c; completed 6/1 c; completed 6/3 c2": "a ~a a a = completed",
    # corrections
    "R; void deferred r": "a ~target_unknown = registered",
    "R; withdrew 2/1 w; void withdrew w; void withdrew w v2": "a a a already_in_state = registered",
    "R; withdrew 2/1 w; resumed 2/9; void withdrew w": "a a a would_invalidate = registered",
    "R; deferred 2/1; resumed 2/9 s; withdrew 3/1; void resumed s": "a a a a a = withdrawn",
    "R; completed 6/1; void registered r": "a a a = voided",
    "R; withdrew 2/1; void registered r": "a a a = voided",
    "R; deferred 2/1; void registered r": "a a would_invalidate = deferred",
    "R; deferred 2/1; withdrew 3/1; void registered r": "a a a would_invalidate = withdrawn",
    "R; void registered r; void registered r v2": "a a already_in_state = voided",
    "R; void registered r; withdrew 2/1": "a a registration_voided = voided",
    "R; void registered r; completed 2/1": "a a registration_voided = voided",
    "R; void registered r; withdrew 1/1": "a a registration_voided = voided",
    "R; void registered r; void withdrew w": "a a registration_voided = voided",
    "R; void registered r; registered 1/4 r2": "a a registration_voided = voided",
    "R; void registered r; R": "a a d = voided",
    "R; void withdrew w; void registered r": "a ~registration_voided a = voided",
    "R; void completed c; void registered r": "a ~registration_voided a = voided",
    "R; withdrew 1/1 early; void registered r": "a ~registration_voided a = voided",
    # the same registration again
    "R; registered 1/4 r2": "a same_fact_exists = registered",
    "R; withdrew 1/4; registered 1/5 r2": "a a use_resume = withdrawn",
}


@pytest.mark.parametrize("text", HISTORIES)
def test_histories(text: str) -> None:
    answers, key = told(text, UNDECIDED)
    assert f"{answers} = {key.states[OURS, SUBJECT].state}" == HISTORIES[text]


def test_resumed_into_another_cohort() -> None:
    left = record("withdrew", at(2, 1))
    for cohort, answer in (("2023-march", "a"), ("2022-october", "cohort_closed")):
        back = record("resumed", at(2, 9), data={"cohort_code": cohort})
        assert texts(key_of(REG, left, back)) == ["a", "a", answer]


def test_since_is_the_moment() -> None:
    key = key_of(REG, record("withdrew", "2023-02-01"))
    assert key.states[OURS, SUBJECT].since == datetime(2023, 2, 1, 23, 59, 59, 999999, tzinfo=UTC)
    assert key_of(REG).states[OURS, SUBJECT].since == datetime(2023, 1, 3, 10, tzinfo=UTC)


def test_reference_is_free_after_a_void() -> None:
    again = record("registered", at(1, 4), "r2", subject=OTHER)
    assert texts(key_of(REG, again)) == ["a", "same_fact_exists"]
    assert texts(key_of(REG, void("registered", "r"), again)) == ["a", "a", "a"]


def test_another_partner_and_the_lead() -> None:
    theirs = (
        record("registered", at(1, 4), "r2", partner=THEIRS),
        record("withdrew", at(2, 1), partner=THEIRS),
        record("completed", at(2, 1), partner=THEIRS),
        void("registered", "r", partner=THEIRS),
        void("registered", "r", "v2", partner=THEIRS, owner=OURS),
    )
    lead = (void("registered", "r", partner=LEAD), void("registered", "r", "v2", partner=LEAD, owner=OURS))
    key = judge(UNDECIDED, [{OURS: (REG,)}, {THEIRS: theirs}, {LEAD: lead}], received=RECEIVED)
    held = "~not_your_trainee"
    assert texts(key, THEIRS) == ["not_your_trainee", held, held, "~target_unknown", "target_not_yours"]
    assert texts(key, LEAD) == ["~already_in_state", "a"]
    assert key.states[OURS, SUBJECT].state == "voided"


def test_a_cohort_past_its_last_day_takes_no_facts() -> None:
    late = datetime(2031, 1, 1, 12, tzinfo=UTC)
    records = (REG, record("withdrew", at(2, 1), "w"))
    key = fold(UNDECIDED, OURS, records, received=late)
    assert texts(key) == ["cohort_closed", "~registration_unknown"]


def test_equal_content_is_equal_however_it_is_spelled() -> None:
    capacity = {"training_in_working_hours": True, "cover_available": False}
    one = record(
        "registered",
        at(1, 3),
        "r",
        data=REGISTERED | {"capacity": capacity | {"protected_time_hours_per_week": 2}},
    )
    data = {"capacity": capacity | {"protected_time_hours_per_week": 2.0}} | REGISTERED
    same = record("registered", "2023-01-03T10:00:00.000Z", "r", data=data)
    other = record("registered", at(1, 3), "r", data=data | {"level3_full_relevant": False})
    assert texts(key_of(one, same, other)) == ["a", "d", "id_conflict"]


def test_figures_take_a_day_to_its_end() -> None:
    key = key_of(REG, record("withdrew", "2023-02-28"))
    day = min(key.figures)
    assert key.figures[day].cuts["national"]["total"].withdrawn == 1
    assert key.figures[day].cuts["region"]["x"].registrations == 1
    assert key.figures[day].reasons == {"unknown": 1}


EVENTS = st.builds(
    lambda fact, day, number: record(fact, at(2, day), f"{fact}-{day}-{number}"),
    st.sampled_from(["deferred", "resumed", "withdrew", "completed"]),
    st.integers(1, 9),
    st.integers(0, 1),
)
VOIDS = st.builds(
    lambda fact, day, number: void(fact, f"{fact}-{day}-{number}"),
    st.sampled_from(["deferred", "resumed", "withdrew", "completed"]),
    st.integers(1, 9),
    st.integers(0, 1),
)
RANDOM = st.lists(EVENTS | VOIDS | st.just(REG) | st.just(void("registered", "r")), max_size=14)


@settings(max_examples=60, deadline=None)
@given(RANDOM)
def test_random_histories_are_answered_once_and_copies_change_nothing(records: list[Record]) -> None:
    key = key_of(*records)
    assert len(key.answers.get(OURS, ())) == len(records)
    accepted = [
        found for found, answer in zip(records, key.answers.get(OURS, ()), strict=True) if answer.outcome == "accepted"
    ]
    again = key_of(*records, *accepted)
    assert again.states == key.states
    assert again.figures == key.figures
    assert all(answer.outcome != "accepted" for answer in again.answers.get(OURS, ())[len(records) :])


@settings(max_examples=60, deadline=None)
@given(RANDOM)
def test_what_no_judging_accepts_leaves_no_trace(records: list[Record]) -> None:
    """Without its rejected records a history has the same states."""
    key = key_of(*records)
    kept = [
        found for found, answer in zip(records, key.answers.get(OURS, ()), strict=True) if answer.outcome == "accepted"
    ]
    assert key_of(*kept).states == key.states
