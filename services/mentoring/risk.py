"""Signals that a trainee is at risk: dated, each with its reason. Pure: what is known gives them, without a clock.

Source: `reference: events`, additions (the lead watched drop-out and acted on it). Signals matter while a trainee is
registered: one ends with the deferral or withdrawal, and begins again at the return if its reason still holds. Days
are London's. A completion is assessment's: whoever shows signals leaves out what follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from services.mentoring.domain import Mentored
from shared import clock
from shared.owning import CohortOf
from shared.reference import Cohort
from shared.states import Reason, Signal
from shared.status import Period, Status


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a trainee counts as at risk.

    `missed_in_a_row`: so many sessions or mentorings missed, none attended between them. `no_contact_days`: so many
    days after the last contact. `sessions_behind`: more than so many planned sessions not attended.
    """

    missed_in_a_row: int = 2
    no_contact_days: int = 28
    sessions_behind: int = 3


USUAL: Final = Thresholds()


class Interval(NamedTuple):
    """Days from one up to another, which is not in it; no end: for ever."""

    begins: date
    ends: date | None

    def within(self, other: Interval) -> Interval | None:
        """What of it lies in another; None where nothing does."""
        begins = max(self.begins, other.begins)
        ends = self.ends if other.ends is None or (self.ends and self.ends < other.ends) else other.ends
        return Interval(begins, ends) if ends is None or begins < ends else None


class Known(NamedTuple):
    """What signals rest on: days of contact, and runs of activities missed. In the order of days."""

    contacts: Sequence[date]
    attended: Sequence[date]
    missed: Sequence[Interval]


def signals(state: Mentored, status: Status | None, cohort: CohortOf, thresholds: Thresholds) -> tuple[Signal, ...]:
    """All signals of a registration, by the time that it was registered and by reason."""
    if status is None:
        return ()
    known = _known(state, thresholds.missed_in_a_row)
    return tuple(
        Signal(reason=reason, begins=found.begins, ends=found.ends)
        for span, code in _registered(status)
        for reason, intervals in _reasons(span, cohort(code), known, status.capacity_declared, thresholds)
        for interval in intervals
        if (found := interval.within(span)) is not None
    )


def _reasons(
    span: Interval, cohort: Cohort, known: Known, capacity_declared: bool, thresholds: Thresholds
) -> Iterator[tuple[Reason, Iterable[Interval]]]:
    if not capacity_declared:
        yield "capacity_not_declared", (span,)
    yield "missed_in_a_row", known.missed
    yield "no_contact", _silences(span, cohort, known, timedelta(days=thresholds.no_contact_days))
    yield "behind_schedule", _behind(cohort, known, thresholds.sessions_behind)


def _registered(status: Status) -> Iterator[tuple[Interval, str]]:
    """The times in which a trainee is registered, each with its cohort. A move between partners does not part them."""
    begins: date | None = None
    for period, following in pairwise((*status.periods, None)):
        assert period is not None
        if period.state != "registered":
            continue
        begins = begins or clock.london_day(period.begins)
        if not _goes_on(period, following):
            yield Interval(begins, clock.london_day(following.begins) if following else None), period.cohort
            begins = None


def _goes_on(period: Period, following: Period | None) -> bool:
    return following is not None and (following.state, following.cohort) == (period.state, period.cohort)


def _known(state: Mentored, in_a_row: int) -> Known:
    contacts, attended, missed = [], [], []
    run, since = 0, None
    for activity in state.activities:
        if activity.attended:
            day = clock.london_day(activity.at)
            contacts.append(day)
            if activity.type is not None:
                attended.append(day)
            if since is not None:
                missed.append(Interval(since, day))
            run, since = 0, None
        elif activity.missed:
            run += 1
            if run == in_a_row:
                since = clock.london_day(activity.at)
    if since is not None:
        missed.append(Interval(since, None))
    return Known(contacts, attended, missed)


def _silences(span: Interval, cohort: Cohort, known: Known, patience: timedelta) -> Iterator[Interval]:
    """From so many days after each contact until the next.

    Before any contact the days count from the start of the cohort, and never from before the trainee was registered:
    so days of a deferral do not count, and after a return they are counted anew.
    """
    last = max(span.begins, cohort.starts)
    contacts = (day for day in known.contacts if span.begins <= day and (span.ends is None or day <= span.ends))
    for contact in contacts:
        if last + patience < contact:
            yield Interval(last + patience, contact)
        last = contact
    yield Interval(last + patience, None)


def _behind(cohort: Cohort, known: Known, most: int) -> Iterator[Interval]:
    """While more sessions were planned up to a day than attended up to it, by more than is borne."""
    planned = ((session.on, False) for session in cohort.sessions)
    behind, since = 0, None
    for day, attended in sorted((*planned, *((day, True) for day in known.attended))):
        behind += -1 if attended else 1
        if behind > most and since is None:
            since = day
        elif behind <= most and since is not None:
            yield Interval(since, day)
            since = None
    if since is not None:
        yield Interval(since, None)
