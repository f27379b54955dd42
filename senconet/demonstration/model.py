"""What the demonstration data set and its answer key are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

Body: TypeAlias = dict[str, Any]
Outcome: TypeAlias = Literal["accepted", "duplicate", "rejected"]
Shown: TypeAlias = Literal["registered", "deferred", "withdrawn", "completed", "voided"]

LEAD = "lead"
UNKNOWN_PLACE = "x"
AS_AT = (date(2023, 2, 28), date(2023, 8, 31), date(2024, 3, 31), date(2024, 6, 30), date(2024, 11, 30))


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as published: key, value and headers exactly as given."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The one final answer to a record; `waits`: it is held first, so it may come only at the deadline."""

    outcome: Outcome
    codes: frozenset[str]
    waits: bool


@dataclass(frozen=True, slots=True)
class State:
    """The state shown of a registration, and the moment (UTC) since when it stands."""

    state: Shown
    since: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """A publisher with a topic and a credential of its own; names are invented."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference data: lists of JSON bodies, dates inclusive on both ends."""

    cohorts: tuple[Body, ...]
    partnerships: tuple[Body, ...]
    settings: tuple[Body, ...]
    code_lists: tuple[Body, ...]
    manifest: Body


Phase: TypeAlias = Mapping[str, tuple[Record, ...]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is published. `kinds` names, record by record, what the author meant; the judge never sees it."""

    reference: Reference
    partners: tuple[Partner, ...]
    phases: tuple[Phase, ...]
    kinds: tuple[Mapping[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The measures of one cell; a sum of days is in London days, `days_median` in halves of a day."""

    # registrations not voided, by the state shown
    registrations: int = 0
    not_started: int = 0
    in_training: int = 0
    deferred: int = 0
    withdrawn: int = 0
    completed: int = 0
    settings: int = 0
    starts: int = 0
    # of the withdrawn
    withdrawn_before_start: int = 0
    withdrawn_month_1: int = 0
    withdrawn_month_2: int = 0
    withdrawn_month_3: int = 0
    withdrawn_month_4_on: int = 0
    # completion within so many months of the start
    window_4_closed: int = 0
    completed_within_4: int = 0
    window_6_closed: int = 0
    completed_within_6: int = 0
    days_counted: int = 0
    days_total: int = 0
    days_median: float | None = None  # None: nobody completed
    # of the completed
    with_outcome: int = 0
    passed: int = 0
    passed_first_time: int = 0
    resubmitted: int = 0
    # counted where they happened
    deferrals: int = 0
    returns: int = 0
    moved_in: int = 0
    moved_out: int = 0
    sessions_due_facilitated_session: int = 0
    sessions_attended_facilitated_session: int = 0
    sessions_due_self_guided_study: int = 0
    sessions_attended_self_guided_study: int = 0
    sessions_due_enrichment: int = 0
    sessions_attended_enrichment: int = 0
    sessions_due_community_of_practice: int = 0
    sessions_attended_community_of_practice: int = 0
    mentoring_due: int = 0
    mentoring_attended: int = 0
    mentoring_minutes: int = 0
    mentoring_trainees: int = 0
    mentoring_minimum_met: int = 0
    decisions: int = 0
    marking_days: int = 0
    # in the cut by partner only, elsewhere None
    mentored: int | None = None
    mentors: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """As at one date: counts by cut and key (cut `national` has the key `total`).

    `reasons`: withdrawals by group of reason. `allocations`: registrations by allocation of places.
    """

    cuts: Mapping[str, Mapping[str, Counts]]
    reasons: Mapping[str, int]
    allocations: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Key:
    """The answer key: an answer per partner and offset, states by partner and registration, figures by date."""

    answers: Mapping[str, tuple[Answer, ...]]
    states: Mapping[tuple[str, str], State]
    figures: Mapping[date, Figures]
