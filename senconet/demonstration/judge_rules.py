"""The reference data as the judge needs it: dated cohorts, partnerships, settings, code lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from senconet.demonstration.model import UNKNOWN_PLACE, Body, Reference

LONDON = ZoneInfo("Europe/London")


def london(moment: datetime) -> datetime:
    """The London wall clock of an instant (of the first hours of year 1 the instant itself)."""
    try:
        return moment.astimezone(LONDON)
    except OverflowError:
        return moment


def day_of(moment: datetime) -> date:
    """The London date of an instant."""
    return london(moment).date()


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Cohort:
    """A cohort's windows (dates in London, inclusive) and rules."""

    code: str
    opens: date
    registration_closes: date
    late_until: date
    eligible: frozenset[str]
    level3_required: bool
    reinstatement_days: int
    units: tuple[str, ...]
    max_attempts: int
    completion_requires: str
    mentoring_minimum: int


@dataclass(frozen=True, slots=True)
class Period:
    """A body valid from one date to another, both included; no end: still valid."""

    start: date
    end: date | None
    body: Body

    def covers(self, day: date) -> bool:
        """Whether the period includes the date."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class CodeList:
    """The reasons of one list: items with their periods, and what refused codes answer."""

    kind: str
    items: dict[str, Period]
    refused: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """All reference data, by key."""

    cohorts: dict[str, Cohort]
    partnerships: dict[tuple[str, str], list[Period]]
    settings: dict[str, list[Period]]
    lists: dict[str, CodeList]

    def partnered(self, partner: str, cohort: str, day: date) -> bool:
        """Whether the partner delivers the cohort on the date."""
        return any(period.covers(day) for period in self.partnerships.get((partner, cohort), ()))

    def place(self, urn: str, day: date) -> tuple[str, str]:
        """Local authority and region of a setting on a date; `x` where unknown."""
        for period in self.settings.get(urn, ()):
            if period.covers(day):
                return period.body["la_code"], period.body["region_code"]
        return UNKNOWN_PLACE, UNKNOWN_PLACE

    def group(self, reason: str) -> str:
        """The group of a withdrawal reason."""
        for found in self.lists.values():
            if found.kind == "withdrawal" and reason in found.items:
                return str(found.items[reason].body["group"])
        return "unknown"


def _period(body: Body) -> Period:
    return Period(date.fromisoformat(body["valid_from"]), _date(body["valid_to"]), body)


def _cohort(body: Body) -> Cohort:
    return Cohort(
        code=body["cohort_code"],
        opens=date.fromisoformat(body["opens"]),
        registration_closes=date.fromisoformat(body["registration_closes"]),
        late_until=date.fromisoformat(body["late_until"]),
        eligible=frozenset(body["eligible_provider_types"]),
        level3_required=body["level3_required"],
        reinstatement_days=body["reinstatement_days"],
        units=tuple(body["units"]),
        max_attempts=body["max_attempts"],
        completion_requires=body["completion_requires"],
        mentoring_minimum=body["mentoring_minimum"],
    )


def _code_list(body: dict[str, Any]) -> CodeList:
    return CodeList(
        kind=body["kind"],
        items={item["code"]: _period(item) for item in body["items"]},
        refused={item["code"]: item["use"] for item in body["refused"]},
    )


def rules_of(reference: Reference) -> Rules:
    """The rules that the reference data states."""
    return Rules(
        cohorts={body["cohort_code"]: _cohort(body) for body in reference.cohorts},
        partnerships={
            (body["partner_code"], body["cohort_code"]): [_period(item) for item in body["periods"]]
            for body in reference.partnerships
        },
        settings={body["setting_urn"]: [_period(item) for item in body["periods"]] for body in reference.settings},
        lists={body["code_list"]: _code_list(body) for body in reference.code_lists},
    )
