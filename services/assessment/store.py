"""Assessment's own reads and writes: none beyond those of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assessment.judge import AssessmentJudge
from shared.contract import Event
from shared.judging import Judge
from shared.reference import Reference


async def open_judge(tx: AsyncConnection, reference: Reference, events: Sequence[Event]) -> Judge:
    """The judge of a batch."""
    return AssessmentJudge(reference)


async def close_judge(tx: AsyncConnection, judge: Judge) -> None:
    """Nothing of assessment's own is written."""
