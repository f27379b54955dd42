"""Signals that a trainee is at risk: from when, until when, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mentoring.app import MentoringSettings
from services.mentoring.domain import Mentored
from services.mentoring.risk import USUAL, Thresholds, signals
from shared.reference import Reference
from shared.states import Activity
from shared.status import Status
from tests.support.memory import NOW
from tests.support.owning import REGISTERED, VOIDED, course, mentoring, rules, session
from tests.support.telling import told

REASONS: Final = {
    "missed_in_a_row": "missed_in_a_row",
    "no_contact_days": "no_contact",
    "sessions_behind": "behind_schedule",
}
PAUSED = course("2023-01-03 registered", "2023-02-01T10:00 deferred", "2023-03-01 registered")
GONE = course("2023-01-03 registered", "2023-02-01T10:00 withdrawn", version=3)
MOVED = course("2023-01-03 registered", "2023-02-01 moved emberfold")


def activity(line: str) -> Activity:
    """A day, and `came`, `missed` or `neither`; of a session unless it is a `mentoring`."""
    day, how, *kind = line.split()
    return Activity(
        at=datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC),
        partner="quillmarsh",
        type=None if kind else "enrichment",
        due=True,
        attended=how == "came",
        missed=how == "missed",
        minutes=60,
    )


def shown(*lines: str, status: Status = REGISTERED, reference: Reference | None = None, **thresholds: int) -> list[str]:
    """The signals for which thresholds are given: each as reason, first day and the day on which it ends."""
    state = Mentored(tuple(activity(line) for line in lines))
    cohort = partial((reference or planned()).cohort, received=NOW)
    wanted = {"capacity_not_declared", *(REASONS[name] for name in thresholds)}
    found = signals(state, status, cohort, replace(USUAL, **thresholds))
    return [f"{s.reason} {s.begins} {s.ends or ''}".strip() for s in found if s.reason in wanted]


def planned(*days: str) -> Reference:
    """Reference data in which every cohort has sessions on some days."""
    sessions = [{"session_id": f"p{n}", "activity_type": "enrichment", "on": day} for n, day in enumerate(days)]
    return rules(sessions=sessions)


def test_a_trainee_without_declared_capacity_is_at_risk_from_registration_on() -> None:
    assert shown(status=course("2023-01-03 registered", capacity=False)) == ["capacity_not_declared 2023-01-03"]
    assert shown(status=REGISTERED) == []


def test_so_many_activities_missed_in_a_row_are_a_signal_until_one_is_attended() -> None:
    lines = ("2023-02-01 missed", "2023-02-08 missed mentoring", "2023-02-15 missed", "2023-02-22 came")
    assert shown(*lines, missed_in_a_row=2) == ["missed_in_a_row 2023-02-08 2023-02-22"]
    assert shown(*lines[:3], missed_in_a_row=3) == ["missed_in_a_row 2023-02-15"]
    assert shown(*lines, missed_in_a_row=4) == []


def test_what_the_trainee_neither_attended_nor_missed_parts_no_row() -> None:
    lines = ("2023-02-01 missed", "2023-02-08 neither mentoring", "2023-02-15 missed")
    assert shown(*lines, missed_in_a_row=2) == ["missed_in_a_row 2023-02-15"]


def test_one_attended_between_parts_a_row() -> None:
    lines = ("2023-02-01 missed", "2023-02-08 came mentoring", "2023-02-15 missed", "2023-02-22 missed")
    assert shown(*lines, missed_in_a_row=2) == ["missed_in_a_row 2023-02-22"]


def test_no_contact_is_counted_from_the_later_of_registration_and_start() -> None:
    assert shown(no_contact_days=10) == ["no_contact 2023-01-19"], "the cohort starts on 9 January"
    late = course("2023-01-12 registered")
    assert shown(status=late, no_contact_days=10) == ["no_contact 2023-01-22"]


def test_no_contact_is_a_signal_from_so_many_days_after_a_contact_until_the_next() -> None:
    lines = ("2023-01-12 came", "2023-01-20 missed", "2023-02-01 came mentoring", "2023-02-05 came")
    assert shown(*lines, no_contact_days=10) == ["no_contact 2023-01-22 2023-02-01", "no_contact 2023-02-15"]


def test_a_contact_on_the_day_on_which_a_signal_would_begin_comes_in_time() -> None:
    assert shown("2023-01-19 came", no_contact_days=10) == ["no_contact 2023-01-29"]


def test_a_contact_before_the_start_of_the_cohort_counts() -> None:
    assert shown("2023-01-05 came", no_contact_days=10) == ["no_contact 2023-01-15"]


def test_days_of_a_deferral_do_not_count_and_after_the_return_they_are_counted_anew() -> None:
    lines = ("2023-01-28 came",)
    assert shown(*lines, status=PAUSED, no_contact_days=10) == [
        "no_contact 2023-01-19 2023-01-28",
        "no_contact 2023-03-11",
    ]


def test_a_signal_ends_with_the_registration_and_what_would_begin_later_does_not() -> None:
    lines = ("2023-01-20 missed", "2023-01-27 missed")
    assert shown(*lines, status=GONE, missed_in_a_row=2) == ["missed_in_a_row 2023-01-27 2023-02-01"]
    assert shown("2023-01-25 came", status=GONE, no_contact_days=10) == ["no_contact 2023-01-19 2023-01-25"]


def test_a_signal_whose_reason_holds_after_a_return_begins_again() -> None:
    lines = ("2023-01-20 missed", "2023-01-27 missed", "2023-03-10 came")
    assert shown(*lines, status=PAUSED, missed_in_a_row=2) == [
        "missed_in_a_row 2023-01-27 2023-02-01",
        "missed_in_a_row 2023-03-01 2023-03-10",
    ]


def test_a_move_to_another_partner_ends_no_signal() -> None:
    assert shown(status=MOVED, no_contact_days=10) == ["no_contact 2023-01-19"]


def test_a_trainee_is_behind_while_more_was_planned_than_attended() -> None:
    plan = planned("2023-01-10", "2023-01-20", "2023-01-30", "2023-02-10")
    limits = {"reference": plan, "sessions_behind": 1}
    assert shown(**limits) == ["behind_schedule 2023-01-20"]
    assert shown("2023-01-10 came", **limits) == ["behind_schedule 2023-01-30"]
    lines = ("2023-01-25 came", "2023-02-15 came", "2023-02-16 came")
    assert shown(*lines, **limits) == ["behind_schedule 2023-01-20 2023-01-25", "behind_schedule 2023-01-30 2023-02-16"]


def test_a_mentoring_is_no_session_of_the_schedule() -> None:
    plan = planned("2023-01-10")
    assert shown("2023-01-10 came mentoring", reference=plan, sessions_behind=0) == ["behind_schedule 2023-01-10"]


def test_what_is_planned_and_attended_on_one_day_leaves_no_gap() -> None:
    plan = planned("2023-01-10", "2023-01-20")
    limits = {"reference": plan, "sessions_behind": 0}
    assert shown("2023-01-10 came", **limits) == ["behind_schedule 2023-01-20"]
    assert shown("2023-01-20 came", **limits) == ["behind_schedule 2023-01-10"]


def test_a_return_into_another_cohort_counts_by_its_own_start() -> None:
    status = course("2023-01-03 registered", "2023-02-01T10:00 deferred", "2023-03-01 registered quillmarsh 2023-march")
    assert shown(status=status, no_contact_days=10) == ["no_contact 2023-01-19 2023-02-01", "no_contact 2023-03-16"]


def test_nobody_is_at_risk_who_is_not_or_no_longer_registered() -> None:
    cohort = partial(rules().cohort, received=NOW)
    assert signals(Mentored(), None, cohort, USUAL) == ()
    assert signals(Mentored(), VOIDED, cohort, USUAL) == ()


DAYS = st.dates(date(2023, 1, 3), date(2023, 6, 30)).map(date.isoformat)
LINES = st.builds(
    "{} {}{}".format, DAYS, st.sampled_from(["came", "missed", "neither"]), st.sampled_from(["", " mentoring"])
)


@given(st.lists(LINES, max_size=20), st.sampled_from([REGISTERED, PAUSED, GONE, MOVED]))
def test_signals_of_one_reason_lie_apart_within_the_time_registered(lines: list[str], status: Status) -> None:
    found = shown(
        *sorted(lines), status=status, reference=rules(), missed_in_a_row=2, no_contact_days=14, sessions_behind=2
    )
    by_reason: dict[str, list[list[str]]] = {}
    for line in found:
        reason, *days = line.split()
        by_reason.setdefault(reason, []).append([*days, "9999-01-01"][:2])
    for intervals in by_reason.values():
        assert all(begins < ends for begins, ends in intervals)
        assert all(one[1] <= other[0] for one, other in pairwise(intervals))
        for begins, ends in intervals:
            assert begins >= "2023-01-03"
            assert status is not GONE or ends <= "2023-02-01"
            assert status is not PAUSED or ends <= "2023-02-01" or begins >= "2023-03-01"


def test_a_registration_alone_is_published_with_its_signals() -> None:
    service = mentoring(course("2023-01-03 registered", capacity=False))
    assert [name for name, _ in service.facts()] == ["state_changed"]
    assert service.state()["version"] == 1
    assert [(s["reason"], s["begins"], s["ends"]) for s in service.state()["signals"]] == [
        ("capacity_not_declared", "2023-01-03", None),
        ("no_contact", "2023-02-06", None),
        ("behind_schedule", "2023-02-06", None),
    ]


def test_a_fact_and_a_change_of_status_each_move_the_signals() -> None:
    service = mentoring()
    service.tell(session("s-1", "2023-01-20T10:00"))
    reasons = [(s["reason"], s["begins"], s["ends"]) for s in service.state()["signals"]]
    assert reasons == [("no_contact", "2023-02-17", None), ("behind_schedule", "2023-02-15", None)]
    service.learn(GONE, told("withdrew", "2023-02-01T10:00"))
    assert service.state()["signals"] == []
    assert [name for name, _ in service.facts()] == ["state_changed", "session.attended", "state_changed"]


ENVIRONMENT = {
    "SENCONET_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "SENCONET_KAFKA_USERNAME": "mentoring",
    "SENCONET_KAFKA_PASSWORD": "p",
    "SENCONET_DATABASE_URL": "postgresql://127.0.0.1:1/m",
    "SENCONET_HTTP_PORT": "0",
}


def test_thresholds_are_settings_with_usual_values() -> None:
    assert MentoringSettings.from_env(ENVIRONMENT).thresholds == USUAL
    given = {"SENCONET_RISK_MISSED_IN_A_ROW": "3", "SENCONET_RISK_NO_CONTACT_DAYS": "14"}
    more = {"SENCONET_RISK_SESSIONS_BEHIND": "0"}
    assert MentoringSettings.from_env({**ENVIRONMENT, **given, **more}).thresholds == Thresholds(3, 14, 0)


@pytest.mark.parametrize("name", ["MISSED_IN_A_ROW", "NO_CONTACT_DAYS", "SESSIONS_BEHIND"])
def test_a_threshold_that_makes_no_sense_is_refused(name: str) -> None:
    with pytest.raises(SystemExit, match=f"SENCONET_RISK_{name}$"):
        MentoringSettings.from_env({**ENVIRONMENT, f"SENCONET_RISK_{name}": "-1"})
