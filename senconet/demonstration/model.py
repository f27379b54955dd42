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
    """Registrations not voided, split by the state shown, and the distinct settings among them."""

    registrations: int
    in_training: int
    deferred: int
    withdrawn: int
    completed: int
    settings: int


@dataclass(frozen=True, slots=True)
class Figures:
    """As at one date: counts by cut and key (cut `national` has the key `total`), and reasons by group."""

    cuts: Mapping[str, Mapping[str, Counts]]
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Key:
    """The answer key: an answer per partner and offset, states by registration, figures by date."""

    answers: Mapping[str, tuple[Answer, ...]]
    states: Mapping[str, State]
    figures: Mapping[date, Figures]
