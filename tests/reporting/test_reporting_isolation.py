"""No byte of one partner is in what another can read, whatever life a trainee has led with both."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from hypothesis import assume, given

from services.reporting.partner_view import views
from services.reporting.projection import Known
from shared import clock
from shared.states import AssessmentState, Attempt, MentoringState
from tests.reporting import told
from tests.reporting.lives import PARTNERS, assessor_of, lives, mentor_of, ref_of


def own_bytes(partner: str) -> tuple[str, ...]:
    """What is one partner's own: its code, its references and its people."""
    return partner, ref_of(partner), mentor_of(partner), assessor_of(partner)


def shown(known: Known) -> dict[str, str]:
    return {partner: json.dumps(view) for partner, view in views(known).items()}


@given(lives())
def test_a_view_holds_nothing_that_is_another_partners_own(known: Known) -> None:
    seen = shown(known)
    for partner, body in seen.items():
        for other in set(PARTNERS) - {partner}:
            assert not [own for own in own_bytes(other) if own in body]
        assert ref_of(partner) in body


def lost(known: Known) -> dict[str, datetime]:
    """When each partner that does not have the trainee any more lost it."""
    assert known.status is not None
    periods = known.status.periods
    ends = {earlier.partner: later.begins for earlier, later in pairwise(periods) if earlier.partner != later.partner}
    return {partner: end for partner, end in ends.items() if partner != periods[-1].partner}


def forgotten(known: Known, until: datetime) -> Known:
    """The same life, if nothing had happened from a moment on but the transfer."""
    assert known.status is not None
    periods = [period for period in known.status.periods if period.begins < until]
    moved = told.moved(until, "a-stranger", periods[-1].state, cohort=periods[-1].cohort)
    return replace(
        known,
        status=known.status.model_copy(update={"periods": (*periods, moved)}),
        mentoring=_mentored(known.mentoring, until) if known.mentoring else None,
        assessment=_assessed(known.assessment, until) if known.assessment else None,
    )


def _mentored(state: MentoringState, until: datetime) -> MentoringState:
    day = clock.london_day(until)
    return told.mentored(
        state.version,
        *(activity for activity in state.activities if activity.at < until),
        mentors=[mentor for mentor in state.mentors if mentor.begins < until],
        signals=[
            signal if signal.ends and signal.ends < day else told.signal(signal.begins)
            for signal in state.signals
            if signal.begins < day
        ],
    )


def _assessed(state: AssessmentState, until: datetime) -> AssessmentState:
    attempts = [_attempted(attempt, until) for attempt in state.attempts if attempt.submitted < until]
    completed = state.completed if state.completed and state.completed < until else None
    return told.assessed(state.version, *attempts, completed=completed)


def _attempted(attempt: Attempt, until: datetime) -> Attempt:
    if attempt.decided and attempt.decided < until:
        return attempt
    return told.attempt(attempt.submitted, unit=attempt.unit_code, partner=attempt.partner)


@given(lives())
def test_whatever_follows_a_transfer_leaves_no_trace_in_the_losing_partners_view(known: Known) -> None:
    ends = lost(known)
    assume(ends)
    for partner, until in ends.items():
        assert views(known)[partner] == views(forgotten(known, until))[partner]
