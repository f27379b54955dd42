"""What is counted of one trainee, and where, as at the end of a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import views
from services.reporting.figures import CUTS, MEASURES, OF_PARTNERS, STAGES, Number
from services.reporting.projector import project
from services.reporting.scope import Scope
from shared import clock
from shared.database import snapshot
from shared.records import RawRecord
from shared.states import AssessmentState, MentoringState
from shared.status import Status
from tests.reporting import told
from tests.reporting.told import GAINING, ID, PARTNER, at

JANUARY, FEBRUARY, MARCH, MAY, JUNE, JULY = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 3, 5, 6, 7))
MOVED_ON = clock.start_of_day(date(2024, 4, 1))
END = date(2025, 1, 1)
NATION = ("national", "total")
REGISTERED = told.status(1, told.registered(JANUARY), places=[told.place("a")])
Cell = tuple[str, str]


def noon(day: date) -> datetime:
    return clock.start_of_day(day) + timedelta(hours=12)


async def cells(
    engine: AsyncEngine, *states: Status | MentoringState | AssessmentState, as_at: date = END
) -> dict[Cell, dict[str, Number]]:
    """What is counted, by cut and code: only measures that are not nothing."""
    await project(engine, told.numbered([told.record(state) for state in states]))
    return await counted(engine, as_at)


async def counted(engine: AsyncEngine, as_at: date) -> dict[Cell, dict[str, Number]]:
    async with snapshot(engine) as tx:
        rows = (await views.figures(Scope.national_reader(), tx, as_at)).rows
    assert all(row.counts.keys() == set(MEASURES) for row in rows)
    return {(row.cut, row.code): {name: n for name, n in row.counts.items() if n} for row in rows}


async def test_one_who_has_not_started_is_counted_once_in_each_cut(engine: AsyncEngine) -> None:
    found = await cells(engine, REGISTERED)
    assert {cut for cut, _ in found} == set(CUTS)
    assert all(counts == {"registrations": 1, "not_started": 1, "settings": 1} for counts in found.values())


@pytest.mark.parametrize(("as_at", "state"), [(date(2024, 2, 9), "not_started"), (date(2024, 2, 10), "in_training")])
async def test_training_begins_with_the_day_of_the_start(engine: AsyncEngine, as_at: date, state: str) -> None:
    found = (await cells(engine, REGISTERED, told.mentored(1, told.session(FEBRUARY)), as_at=as_at))[NATION]
    assert found[state] == 1
    assert ("starts" in found) is (state == "in_training")


@pytest.mark.parametrize(
    ("start", "left", "stage"),
    [
        (None, date(2024, 2, 1), "withdrawn_before_start"),
        (date(2024, 1, 31), date(2024, 1, 31), "withdrawn_month_1"),
        (date(2024, 1, 31), date(2024, 2, 28), "withdrawn_month_1"),
        (date(2024, 1, 31), date(2024, 2, 29), "withdrawn_month_2"),
        (date(2024, 1, 31), date(2024, 3, 30), "withdrawn_month_2"),
        (date(2024, 1, 31), date(2024, 3, 31), "withdrawn_month_3"),
        (date(2024, 1, 31), date(2024, 4, 29), "withdrawn_month_3"),
        (date(2024, 1, 31), date(2024, 4, 30), "withdrawn_month_4_on"),
    ],
)
async def test_a_withdrawal_is_of_the_month_of_the_course_in_which_it_came(
    engine: AsyncEngine, start: date | None, left: date, stage: str
) -> None:
    status = told.status(1, told.registered(JANUARY), told.period(noon(left), "withdrawn"))
    sessions = [told.session(noon(start))] if start else []
    found = (await cells(engine, status, told.mentored(1, *sessions)))[NATION]
    assert {name for name in STAGES if name in found} == {stage}
    assert found["withdrawn"] == found[stage] == 1


async def test_a_start_after_a_return_leaves_the_withdrawal_one_from_before_it(engine: AsyncEngine) -> None:
    status = told.status(1, told.registered(JANUARY), told.period(MARCH, "withdrawn"), told.period(JUNE))
    found = await cells(engine, status, told.mentored(1, told.session(JULY)), as_at=date(2024, 5, 1))
    assert found[NATION]["withdrawn_before_start"] == 1
    assert "starts" not in found[NATION]


@pytest.mark.parametrize(
    ("as_at", "done", "closed", "within"),
    [
        (date(2024, 5, 30), date(2024, 5, 1), 0, 0),
        (date(2024, 5, 31), date(2024, 5, 31), 1, 1),
        (date(2024, 6, 1), date(2024, 6, 1), 1, 0),
        (date(2024, 6, 1), None, 1, 0),
    ],
)
async def test_a_window_counts_when_it_has_closed_whatever_became_of_the_trainee(
    engine: AsyncEngine, as_at: date, done: date | None, closed: int, within: int
) -> None:
    state = told.mentored(1, told.session(noon(date(2024, 1, 31))))
    completed = told.completion(1, noon(done) if done else None)
    found = (await cells(engine, REGISTERED, state, completed, as_at=as_at))[NATION]
    assert (found.get("window_4_closed", 0), found.get("completed_within_4", 0)) == (closed, within)
    assert "window_6_closed" not in found


async def test_days_to_complete_are_of_those_with_a_start(engine: AsyncEngine) -> None:
    ids = [ID[:-1] + digit for digit in "123"]
    records: list[RawRecord] = []
    for id_, start in zip(ids, (noon(date(2024, 6, 1)), noon(date(2024, 6, 4)), None), strict=True):
        sessions = [told.session(start)] if start else []
        records += [told.record(s, id_) for s in (REGISTERED, told.mentored(1, *sessions), told.completion(1, JUNE))]
    await project(engine, told.numbered(records))
    found = (await counted(engine, END))[NATION]
    assert (found["completed"], found["days_counted"], found["days_total"]) == (3, 2, 15)
    assert found["days_median"] == 7.5


async def test_outcomes_count_from_the_completion_on(engine: AsyncEngine) -> None:
    done = told.assessed(1, told.attempt(FEBRUARY, MARCH), completed=JUNE, result="passed")
    before = (await cells(engine, REGISTERED, done, as_at=date(2024, 6, 9)))[NATION]
    assert {"with_outcome", "passed"}.isdisjoint(before)
    after = (await counted(engine, END))[NATION]
    assert (after["with_outcome"], after["passed"], after["passed_first_time"]) == (1, 1, 1)
    assert "resubmitted" not in after


async def test_flagged_ends_are_counted_by_how_the_course_ended(engine: AsyncEngine) -> None:
    warned = told.mentored(1, signals=[told.signal(date(2024, 2, 1))])
    left = told.status(1, told.registered(JANUARY), told.period(MARCH, "withdrawn"))
    assert (await cells(engine, left, warned))[NATION]["withdrawn_flagged"] == 1
    back = told.status(2, told.registered(JANUARY))
    await project(engine, [told.record(back, offset=1), told.record(told.completion(1, JUNE))])
    found = (await counted(engine, END))[NATION]
    assert (found["completed_flagged"], "withdrawn_flagged" in found) == (1, False)


async def test_mentors_are_counted_by_partner_alone_while_they_have_somebody(engine: AsyncEngine) -> None:
    ids = [ID[:-1] + digit for digit in "12"]
    left = told.status(1, told.registered(JANUARY), told.period(MAY, "withdrawn"))
    state = told.mentored(1, mentors=[told.mentor(FEBRUARY)])
    records = [told.record(s, id_) for s, id_ in zip((REGISTERED, left), ids, strict=True)]
    await project(engine, told.numbered([*records, *(told.record(state, id_) for id_ in ids)]))
    for as_at, expected in ((date(2024, 3, 1), (2, 1)), (END, (1, 1))):
        found = await counted(engine, as_at)
        assert tuple(found["partner", PARTNER][name] for name in OF_PARTNERS) == expected
        assert not any(set(OF_PARTNERS) & counts.keys() for (cut, _), counts in found.items() if cut != "partner")


async def test_over_a_transfer_each_counts_where_it_happened_and_the_trainee_where_it_is(engine: AsyncEngine) -> None:
    status = told.status(
        1,
        told.registered(JANUARY),
        told.moved(MOVED_ON),
        places=[told.place("a", until=date(2024, 3, 31)), told.place("b", date(2024, 4, 1))],
    )
    sessions = (told.session(FEBRUARY), told.session(MAY, partner=GAINING), told.session(JUNE, partner=GAINING))
    found = await cells(engine, status, told.mentored(1, *sessions))
    due = "sessions_due_facilitated_session"
    losing, gaining = found["partner", PARTNER], found["partner", GAINING]
    assert losing == {"moved_out": 1, due: 1, due.replace("due", "attended"): 1}
    assert (gaining["registrations"], gaining["moved_in"], gaining[due]) == (1, 1, 2)
    assert (found["local_authority", "a"][due], found["local_authority", "b"][due]) == (1, 2)
    assert "registrations" not in found["local_authority", "a"]
    before = await counted(engine, date(2024, 3, 31))
    assert before["partner", PARTNER]["registrations"] == 1
    assert ("partner", GAINING) not in before


async def test_what_happened_counts_in_the_cohort_of_the_day_asked_for(engine: AsyncEngine) -> None:
    status = told.status(1, told.registered(JANUARY), told.period(MARCH, "withdrawn"), told.period(MAY, cohort="c2"))
    await cells(engine, status, told.mentored(1, told.mentoring(FEBRUARY)))
    for as_at, cohort in ((date(2024, 4, 1), "c1"), (END, "c2")):
        found = await counted(engine, as_at)
        assert {code for cut, code in found if cut == "cohort"} == {cohort}
        assert (found["cohort", cohort]["mentoring_minutes"], found[NATION]["mentoring_minutes"]) == (45, 45)


async def test_what_happened_to_a_voided_registration_is_not_counted(engine: AsyncEngine) -> None:
    assert await cells(engine, REGISTERED, told.mentored(1, told.session(FEBRUARY)))
    await project(engine, [told.record(told.status(2, told.period(JUNE, "voided")), offset=1)])
    assert await counted(engine, END) == {NATION: {}}


@pytest.mark.parametrize(("as_at", "met"), [(date(2024, 5, 9), 0), (date(2024, 5, 10), 1)])
async def test_the_minimum_of_mentoring_counts_from_the_day_on_which_it_is_met(
    engine: AsyncEngine, as_at: date, met: int
) -> None:
    state = told.mentored(1, told.mentoring(MARCH), told.mentoring(MAY), minimum_met=MAY)
    found = (await cells(engine, REGISTERED, state, as_at=as_at))[NATION]
    assert (found["mentoring_trainees"], found.get("mentoring_minimum_met", 0)) == (1, met)
