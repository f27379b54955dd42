"""What a registration's status lets through, cell by cell (reference: events 5)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.clock import Moment
from shared.events.catalogue import BY_NAME, COMPLETED, DEFERRED, RESUMED, WITHDREW, EventType
from shared.status import Period, State, Status, admits

OURS, THEIRS, LEAD = "quillmarsh", "emberfold", "lead"
BEGINS, BEFORE, LATER = (datetime(2023, month, 1, 10, tzinfo=UTC) for month in (2, 1, 3))


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


ADMITTED: dict[State, str | None] = {
    "registered": None,
    "deferred": "while_deferred",
    "withdrawn": "after_withdrawal",
    "voided": "registration_voided",
}


@pytest.mark.parametrize("state", ADMITTED)
def test_a_completion_is_admitted_by_a_registered_trainee_alone(state: State) -> None:
    assert admits(status(state), OURS, COMPLETED, Moment(LATER, COMPLETED.order)) == ADMITTED[state]


@pytest.mark.parametrize("state", ["registered", "deferred", "withdrawn"])
@pytest.mark.parametrize("kind", [DEFERRED, RESUMED, WITHDREW], ids=lambda kind: kind.name)
def test_what_enrolment_owns_is_left_to_its_own_table(kind: EventType, state: State) -> None:
    assert admits(status(state), OURS, kind, Moment(LATER, kind.order)) is None


@pytest.mark.parametrize("kind", [COMPLETED, WITHDREW], ids=lambda kind: kind.name)
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
