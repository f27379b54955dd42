"""The figures as at a date, by cut (events.md 10 and the agreed measures)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median

from senconet.demonstration.judge_history import midnight
from senconet.demonstration.judge_measures import AsAt, state_measures
from senconet.demonstration.judge_moments import Course, Row, Rows, course_of, minimum_met
from senconet.demonstration.judge_rules import Rules
from senconet.demonstration.judge_shown import View, shown
from senconet.demonstration.judge_world import ENROLMENT, Registration
from senconet.demonstration.model import Counts, Figures


@dataclass(slots=True)
class _Cell:
    counts: Counter[str] = field(default_factory=Counter)
    settings: set[str] = field(default_factory=set)
    days: list[int] = field(default_factory=list)
    mentors: list[str] = field(default_factory=list)

    def sum(self, cut: str) -> Counts:
        """The cell's measures; those of mentors only by partner."""
        own = {"mentored": len(self.mentors), "mentors": len(set(self.mentors))} if cut == "partner" else {}
        middle = median(self.days) if self.days else None
        return Counts(**self.counts, settings=len(self.settings), days_median=middle, **own)


@dataclass(frozen=True, slots=True)
class Counted:
    """A registration with its course, which is the same for every date."""

    found: Registration
    course: Course


def counted(rules: Rules, registrations: Iterable[Registration]) -> list[Counted]:
    """The registrations that figures count: those not voided."""
    return [Counted(found, course_of(rules, found)) for found in registrations if found.voided is None]


def _row(rules: Rules, found: Registration, view: View, day: date, until: datetime) -> Row:
    """Partner and place of the date, or of the end of the state."""
    rows = Rows(rules, found)
    if view.state in ("withdrawn", "completed"):
        return rows.at(view.since, view.by.place)
    return found.history.owner_at((until, -2, 0, "", "")), *rules.place(rows.urn, day)


def _mentor(found: Registration, course: Course, until: datetime) -> str | None:
    """The mentor at the end of the day, whom the present partner assigned."""
    period = found.history.period_at((until, -2, 0, "", ""))
    for fact in reversed(course.mentoring):
        if fact.name == "mentor.assigned" and fact.moment < until:
            return str(fact.data["mentor_id"]) if found.history.period_at(fact.place) == period else None
    return None


def _moments(rules: Rules, item: Counted, cohort: str, until: datetime) -> dict[Row, Counter[str]]:
    """What happened up to the end of the day, by row."""
    found: defaultdict[Row, Counter[str]] = defaultdict(Counter)
    for happening in item.course.happenings:
        if happening.moment < until:
            found[happening.row][happening.measure] += happening.amount
    rule = rules.cohorts.get(cohort)
    met = None if rule is None else minimum_met(item.course, rule.mentoring_minimum)
    if met is not None and met.moment < until:
        found[Rows(rules, item.found).at(met.moment, met.place)]["mentoring_minimum_met"] += 1
    return found


def _keys(row: Row, provider_type: str, cohort: str) -> Iterator[tuple[str, str]]:
    partner, authority, region = row
    yield "national", "total"
    yield "region", region
    yield "local_authority", authority
    yield "provider_type", provider_type
    yield "cohort", cohort
    yield "partner", partner


def figures(rules: Rules, registrations: Iterable[Counted], day: date) -> Figures:
    """All cuts as at the end of a London day."""
    until = midnight((day + timedelta(days=1)).isoformat())
    cells: defaultdict[tuple[str, str], _Cell] = defaultdict(_Cell)
    reasons: Counter[str] = Counter()
    allocations: Counter[str] = Counter()
    for item in registrations:
        view = shown(item.found, until)
        if view is None:
            continue
        data = item.found.facts[ENROLMENT][0].data
        _count(rules, item, view, day, until, cells)
        allocations[data["places_allocation"]] += 1
        if view.state == "withdrawn":
            reasons[rules.group(view.by.data["reason"])] += 1
    cuts: defaultdict[str, dict[str, Counts]] = defaultdict(dict)
    for (cut, key), cell in sorted(cells.items()):
        cuts[cut][key] = cell.sum(cut)
    return Figures(dict(cuts), dict(sorted(reasons.items())), dict(sorted(allocations.items())))


def _count(
    rules: Rules,
    item: Counted,
    view: View,
    day: date,
    until: datetime,
    cells: defaultdict[tuple[str, str], _Cell],
) -> None:
    """Adds one registration to the cells of its state, and what happened to those of its moments."""
    data = item.found.facts[ENROLMENT][0].data
    as_at = AsAt(view, item.course, day, until)
    row = _row(rules, item.found, view, day, until)
    active = view.state in ("registered", "deferred")
    mentor = _mentor(item.found, item.course, until) if active else None
    measures, days = state_measures(rules, as_at), as_at.days
    for key in _keys(row, data["provider_type"], view.cohort):
        cell = cells[key]
        cell.counts.update(measures)
        cell.settings.add(data["setting_urn"])
        cell.days += [] if days is None else [days]
        cell.mentors += [] if mentor is None else [mentor]
    for moved, counts in _moments(rules, item, view.cohort, until).items():
        for key in _keys(moved, data["provider_type"], view.cohort):
            cells[key].counts.update(counts)
