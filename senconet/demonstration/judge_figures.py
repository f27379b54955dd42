"""The state shown of a registration, and the figures as at a date (events.md 10)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from senconet.demonstration.judge_door import Registration
from senconet.demonstration.judge_history import before, status_after, step
from senconet.demonstration.judge_rules import LONDON, Rules, day_of
from senconet.demonstration.model import Counts, Figures, Shown


@dataclass(frozen=True, slots=True)
class View:
    """The state shown, since when, the cohort, and the reason if withdrawn."""

    state: Shown
    since: datetime
    cohort: str
    reason: str | None


SHOWN: dict[str, Shown] = {"registered": "registered", "deferred": "deferred", "withdrawn": "withdrawn"}


def end_of(day: date) -> datetime:
    """The first instant (UTC) after a London day."""
    return datetime.combine(day + timedelta(days=1), time(0), LONDON).astimezone(UTC)


def shown(rules: Rules, found: Registration, until: datetime | None = None) -> View | None:
    """The state shown, of what stands before an instant; None before the registration's own moment."""
    facts = [fact for fact in found.facts if until is None or fact.moment < until]
    status = status_after(rules, facts)
    if status is None:
        return None
    if found.voided is not None:
        return View("voided", found.voided, status.cohort, None)
    done = found.completion
    if done is not None and (until is None or done.moment < until):
        admitted = step(rules, status_after(rules, before(found.facts, done.place)), done)
        if not isinstance(admitted, str):  # else it is set aside
            return View("completed", done.moment, status.cohort, None)
    reason = status.last.data["reason"] if status.state == "withdrawn" else None
    return View(SHOWN[status.state], status.since, status.cohort, reason)


@dataclass(slots=True)
class _Cell:
    states: Counter[str] = field(default_factory=Counter)
    settings: set[str] = field(default_factory=set)

    def counts(self) -> Counts:
        return Counts(
            registrations=self.states.total(),
            in_training=self.states["registered"],
            deferred=self.states["deferred"],
            withdrawn=self.states["withdrawn"],
            completed=self.states["completed"],
            settings=len(self.settings),
        )


def _keys(rules: Rules, found: Registration, view: View, day: date) -> dict[str, str]:
    """The key of a registration in each cut: its place on the date, or when its state began."""
    data = found.facts[0].data
    ended = view.state in ("withdrawn", "completed")
    authority, region = rules.place(data["setting_urn"], day_of(view.since) if ended else day)
    return {
        "national": "total",
        "region": region,
        "local_authority": authority,
        "provider_type": data["provider_type"],
        "cohort": view.cohort,
        "partner": found.partner,
    }


def figures(rules: Rules, registrations: Iterable[Registration], day: date) -> Figures:
    """All cuts as at the end of a London day, of registrations that are not voided."""
    until = end_of(day)
    cells: defaultdict[str, defaultdict[str, _Cell]] = defaultdict(lambda: defaultdict(_Cell))
    reasons: Counter[str] = Counter()
    for found in registrations:
        view = None if found.voided is not None else shown(rules, found, until)
        if view is None:
            continue
        for cut, key in _keys(rules, found, view, day).items():
            cells[cut][key].states[view.state] += 1
            cells[cut][key].settings.add(found.facts[0].data["setting_urn"])
        if view.reason is not None:
            reasons[rules.group(view.reason)] += 1
    cuts = {cut: {key: cell.counts() for key, cell in sorted(by_key.items())} for cut, by_key in cells.items()}
    return Figures(cuts, dict(sorted(reasons.items())))
