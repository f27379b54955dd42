"""Mentoring's judge: its rules under what was loaded for one batch, and the state that it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

from services.mentoring.domain import OWNER, Assigned, Mentored, MentoringRules, moves
from services.mentoring.risk import USUAL, Thresholds, signals
from shared.owning import CohortOf, OwnerJudge
from shared.reference import Reference
from shared.standing import Owner
from shared.states import Mentor, MentoringState
from shared.status import Status


def mentoring_judge(reference: Reference, thresholds: Thresholds = USUAL) -> OwnerJudge[Mentored]:
    """The judge of a batch; the thresholds say from when on a trainee counts as at risk."""
    return OwnerJudge(OWNER, Owner(MentoringRules(), reference), partial(state_of, thresholds))


def state_of(
    thresholds: Thresholds, state: Mentored, status: Status | None, cohort: CohortOf, version: int
) -> MentoringState:
    """What is published of a registration."""
    return MentoringState(
        version=version,
        activities=state.activities,
        mentors=_mentors(state, status),
        minimum_met=state.minimum_met,
        signals=signals(state, status, cohort, thresholds),
    )


def _mentors(state: Mentored, status: Status | None) -> tuple[Mentor, ...]:
    moved = moves(status)
    return tuple(
        Mentor(
            mentor_id=mentor.mentor_id,
            partner=mentor.partner,
            begins=mentor.begins,
            ends=_end(mentor, following, moved),
        )
        for mentor, following in pairwise((*state.assigned, None))
        if mentor is not None
    )


def _end(mentor: Assigned, following: Assigned | None, moved: Sequence[datetime]) -> datetime | None:
    """When another mentor took over, or the trainee moved to another partner, whichever came first."""
    later = (move for move in moved if move > mentor.begins)
    return min([*later, *([following.begins] if following else [])], default=None)
