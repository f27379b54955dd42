"""Assessment's judge: its rules under what was loaded for one batch, and the state that it publishes."""

from __future__ import annotations

from services.assessment.domain import OWNER, Assessed, AssessmentRules
from shared.owning import CohortOf, OwnerJudge
from shared.reference import Reference
from shared.standing import Owner
from shared.states import AssessmentState
from shared.status import Status


def assessment_judge(reference: Reference) -> OwnerJudge[Assessed]:
    """The judge of a batch."""
    return OwnerJudge(OWNER, Owner(AssessmentRules(), reference), state_of)


def state_of(state: Assessed, status: Status | None, cohort: CohortOf, version: int) -> AssessmentState:
    """What is published of a registration."""
    return AssessmentState(
        version=version,
        attempts=state.attempts,
        completed=state.completed.time if state.completed else None,
        result=state.result,
    )
