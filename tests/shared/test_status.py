"""What a registration's status lets through, cell by cell (reference: events 5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from shared.clock import Moment
from shared.events.catalogue import (
    ACCEPTED,
    BY_NAME,
    CANCELLED,
    COMPLETED,
    DECLINED,
    DEFERRED,
    OFFERED,
    RESUMED,
    WITHDREW,
    EventType,
)
from shared.status import Period, State, Status, admits

OURS, THEIRS, LEAD = "quillmarsh", "emberfold", "lead"
BEGINS, BEFORE, LATER = (datetime(2023, month, 1, 10, tzinfo=UTC) for month in (2, 1, 3))

HANDED_ON = tuple(kind for kind in BY_NAME.values() if kind.owner != "enrolment" and not kind.corrects)


def status(*states: State) -> Status:
    """A status with one period a month from February on."""
    return Status(
        version=len(states),
        periods=tuple(
            Period(
                begins=BEGINS.replace(month=2 + number),
                order=0 if number == 0 else 16,
                state=state,
                partner=OURS,
                cohort="2023-january",
                setting_key="s",
                provider_type="Childminders",
            )
            for number, state in enumerate(states)
        ),
    )


TABLE = """
                    | none                 | registered | deferred       | withdrawn        | voided
session.attended    | registration_unknown | admit      | while_deferred | after_withdrawal | registration_voided
mentoring.held      | registration_unknown | admit      | while_deferred | after_withdrawal | registration_voided
mentor.assigned     | registration_unknown | admit      | admit          | after_withdrawal | registration_voided
portfolio.submitted | registration_unknown | admit      | while_deferred | after_withdrawal | registration_voided
assessment.decided  | registration_unknown | admit      | admit          | admit            | registration_voided
trainee.completed   | registration_unknown | admit      | while_deferred | after_withdrawal | registration_voided
"""


def cells() -> list[tuple[str, str, str]]:
    """Type, state and answer of each cell."""
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines())
    return [(row[0], state, answer) for row in rows for state, answer in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("name", "state", "answer"), cells())
def test_a_cell_of_what_is_admitted_at_the_owners(name: str, state: State | Literal["none"], answer: str) -> None:
    kind = BY_NAME[name]
    known = None if state == "none" else status(state)
    assert (admits(known, OURS, kind, Moment(LATER, kind.order)) or "admit") == answer


def test_the_table_has_a_row_for_every_type_that_enrolment_does_not_own() -> None:
    owned = {name for name, kind in BY_NAME.items() if kind.owner != "enrolment" and not kind.corrects}
    assert {name for name, *_ in cells()} == owned


@pytest.mark.parametrize("kind", HANDED_ON, ids=lambda kind: kind.name)
def test_before_the_registrations_own_moment_there_is_none(kind: EventType) -> None:
    assert admits(status("registered"), OURS, kind, Moment(BEFORE, kind.order)) == "registration_unknown"


@pytest.mark.parametrize("state", ["registered", "deferred", "withdrawn"])
@pytest.mark.parametrize("kind", [DEFERRED, RESUMED, WITHDREW], ids=lambda kind: kind.name)
def test_what_enrolment_owns_is_left_to_its_own_table(kind: EventType, state: State) -> None:
    assert admits(status(state), OURS, kind, Moment(LATER, kind.order)) is None


@pytest.mark.parametrize("kind", [*HANDED_ON, WITHDREW], ids=lambda kind: kind.name)
def test_the_first_of_unknown_not_yours_and_voided_is_said(kind: EventType) -> None:
    later, before = Moment(LATER, kind.order), Moment(BEFORE, kind.order)
    assert admits(None, OURS, kind, later) == "registration_unknown"
    assert admits(status("registered"), THEIRS, kind, before) == "registration_unknown"
    assert admits(status("registered"), THEIRS, kind, later) == "not_your_trainee"
    assert admits(status("voided"), THEIRS, kind, later) == "not_your_trainee"
    assert admits(status("voided"), OURS, kind, before) == "registration_voided"
    assert admits(status("registered"), LEAD, kind, later) == "not_your_trainee"


@pytest.mark.parametrize("name", [name for name, kind in BY_NAME.items() if kind.corrects])
def test_a_correction_is_judged_by_the_state_after_all_facts(name: str) -> None:
    at = Moment(BEFORE, BY_NAME[name].order)
    assert admits(None, OURS, BY_NAME[name], at) == "target_unknown"
    assert admits(status("registered", "withdrawn"), OURS, BY_NAME[name], at) is None
    assert admits(status("registered"), THEIRS, BY_NAME[name], at) is None
    assert admits(status("voided"), OURS, BY_NAME[name], at) == "registration_voided"
    assert admits(status("voided"), LEAD, BY_NAME[name], at) == "registration_voided"
    assert admits(status("voided"), THEIRS, BY_NAME[name], at) == "target_unknown"


def test_what_is_dated_up_to_a_withdrawal_is_judged_by_the_status_before_it() -> None:
    left = status("registered", "withdrawn")
    assert admits(left, OURS, COMPLETED, Moment(BEGINS.replace(month=3), COMPLETED.order)) is None
    assert admits(left, OURS, COMPLETED, Moment(BEGINS.replace(month=3), WITHDREW.order)) == "after_withdrawal"


def test_a_status_has_a_period_for_each_moment_from_its_first_on() -> None:
    found = status("registered", "deferred", "registered")
    assert found.at(Moment(BEFORE, 0)) is None
    assert found.at(Moment(BEGINS, 0)) == found.periods[0]
    assert found.at(Moment(BEGINS.replace(month=12), 0)) == found.latest == found.periods[2]
    assert not found.voided


def test_a_voided_status_is_voided_at_every_moment() -> None:
    assert status("voided").at(Moment(BEFORE, 0)) == status("voided").latest


def moved() -> Status:
    """A status by which a trainee comes to another partner in March."""
    ours = status("registered").latest
    theirs = ours.model_copy(update={"begins": LATER, "order": -1, "partner": THEIRS})
    return Status(version=2, periods=(ours, theirs))


@pytest.mark.parametrize("kind", HANDED_ON, ids=lambda kind: kind.name)
def test_a_trainee_belongs_to_the_partner_of_the_events_moment(kind: EventType) -> None:
    before, from_then_on = Moment(BEGINS, kind.order), Moment(LATER, kind.order)
    assert admits(moved(), OURS, kind, before) is None
    assert admits(moved(), OURS, kind, from_then_on) == "not_your_trainee"
    assert admits(moved(), THEIRS, kind, before) == "not_your_trainee"
    assert admits(moved(), THEIRS, kind, from_then_on) is None


def test_answers_to_an_offer_need_not_come_from_the_partner_of_the_trainee() -> None:
    for kind in (ACCEPTED, DECLINED, CANCELLED):
        assert admits(status("registered"), THEIRS, kind, Moment(LATER, kind.order)) is None
    assert admits(status("registered"), LEAD, OFFERED, Moment(LATER, OFFERED.order)) is None
    assert admits(status("registered"), THEIRS, OFFERED, Moment(LATER, OFFERED.order)) == "not_your_trainee"


def test_an_answer_to_an_offer_of_a_voided_registration_is_told_so() -> None:
    for kind in (ACCEPTED, DECLINED, CANCELLED):
        assert admits(status("voided"), THEIRS, kind, Moment(LATER, kind.order)) == "registration_voided"
