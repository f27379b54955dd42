"""Runs enrolment with a fault in it that the product does not have: `python -m tests.system.sabotage`.

The fault strikes events whose id begins with `fault-raise` (the decision raises) or `fault-value` (what is kept of
the event holds a character that PostgreSQL refuses).
"""

from __future__ import annotations

from typing import Any, Final

from services.enrolment import app, domain
from services.enrolment.judge import EnrolmentJudge
from shared.contract import Event
from shared.history import Decision, Ledger
from shared.runtime import run
from shared.settings import Settings

RAISES: Final = "fault-raise"
REFUSED: Final = "fault-value"

_decide = domain.decide
_kept = EnrolmentJudge._kept


def _faulty_decide(ledger: Ledger, event: Event, context: domain.Context) -> Decision:
    if event.id.startswith(RAISES):
        raise ZeroDivisionError
    return _decide(ledger, event, context)


def _faulty_kept(self: EnrolmentJudge, event: Event) -> dict[str, Any]:
    kept = _kept(self, event)
    return {**kept, "role": "\x00"} if event.id.startswith(REFUSED) else kept


if __name__ == "__main__":
    domain.decide = _faulty_decide
    EnrolmentJudge._kept = _faulty_kept  # type: ignore[method-assign]
    run(app.make, Settings)
