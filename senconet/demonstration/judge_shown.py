"""The state shown of a registration: to its partner as it is, to one that lost it as it was (events.md 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from senconet.demonstration.judge_history import Fact
from senconet.demonstration.judge_world import Registration
from senconet.demonstration.model import Shown, State


@dataclass(frozen=True, slots=True)
class View:
    """The state shown, since when, the cohort, and the fact that brought the state about."""

    state: Shown
    since: datetime
    cohort: str
    by: Fact


SHOWN: dict[str, Shown] = {"registered": "registered", "deferred": "deferred", "withdrawn": "withdrawn"}


def shown(found: Registration, until: datetime | None = None) -> View | None:
    """The state shown, of what stands before an instant; None before the registration's own moment."""
    history = found.history
    status = history.last if until is None else history.status_before(until)
    if status is None:
        return None
    if found.voided is not None:
        return View("voided", found.voided, status.cohort, status.last)
    for fact in found.standing("assessment"):
        if fact.name == "completed" and (until is None or fact.moment < until):
            return View("completed", fact.moment, status.cohort, fact)
    return View(SHOWN[status.state], status.since, status.cohort, status.last)


def _views(found: Registration) -> Mapping[str, View | None]:
    """By partner: the present state for the owner; for those before it that of their last day."""
    owners = [found.partner, *(period.partner for period in found.history.periods)]
    ends = [*(period.place[0] for period in found.history.periods), None]
    return {owner: shown(found, end) for owner, end in zip(owners, ends, strict=True)}


def states(registrations: Mapping[str, Registration]) -> dict[tuple[str, str], State]:
    """The state shown, by partner and registration."""
    return {
        (partner, subject): State(view.state, view.since)
        for subject, found in registrations.items()
        for partner, view in _views(found).items()
        if view is not None
    }
