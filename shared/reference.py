"""Reference data: cohorts, partnerships, settings and code lists, as dated rows.

A value on `reference.{kind}` holds every version of its key. Each version names the received time from which it
holds, so that a record is judged by the rules in force when it was received, whenever that happens.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Final, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.events.data import ActivityType, Identifier, ProviderType


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Dated(_Body):
    """Valid from a day to a day, both included; no end means still valid."""

    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class PlannedSession(_Body):
    """A session of a cohort's course and its day."""

    session_id: Identifier
    activity_type: ActivityType
    on: date


class Span(_Body):
    """Minutes from the least to the most that are usual."""

    least: int
    most: int


class Cohort(_Body):
    """A cohort's windows and rules. Facts are taken until the end of `late_until` (of received time)."""

    cohort_code: Identifier
    opens: date
    registration_closes: date
    starts: date
    late_until: date
    schedule_months: int = Field(ge=1, le=36)
    eligible_provider_types: list[ProviderType]
    level3_required: bool
    units: list[Identifier] = Field(min_length=1)
    max_attempts: int = Field(ge=1, le=99)
    completion_requires: Literal["none", "any_decision", "pass"]
    sessions: list[PlannedSession]
    mentoring_minimum: int = Field(ge=0, le=99)
    mentoring_minutes: Span
    reinstatement_days: int = Field(ge=0, le=3660)

    @property
    def key(self) -> str:
        """The key on the topic."""
        return self.cohort_code


class Partnership(_Body):
    """When a partner delivers a cohort."""

    partner_code: Identifier
    cohort_code: Identifier
    periods: list[Dated]

    @property
    def key(self) -> str:
        """The key on the topic."""
        return partnership_key(self.partner_code, self.cohort_code)


def partnership_key(partner: str, cohort: str) -> str:
    """The key of a partnership: partner and cohort."""
    return f"{partner}/{cohort}"


class SettingPeriod(Dated):
    """Where a setting lies and what it is, for a time. Area codes are those valid then."""

    la_code: str
    la_name: str
    region_code: str
    region_name: str
    provider_type: ProviderType
    group_code: Identifier | None = None


class Setting(_Body):
    """A nursery, childminder or school, by its URN."""

    setting_urn: Identifier
    periods: list[SettingPeriod]

    @property
    def key(self) -> str:
        """The key on the topic."""
        return self.setting_urn


class Item(Dated):
    """One code of a list."""

    code: Identifier
    group: Identifier
    npq_equivalent: str | None = None


class Refused(_Body):
    """A code of another scheme that partners may try, and what to send instead."""

    code: str
    use: Literal["use_void", "use_transfer"]


class CodeList(_Body):
    """A dated list of reasons."""

    code_list: Identifier
    kind: Literal["withdrawal", "deferral"]
    items: list[Item]
    refused: list[Refused] = []

    @property
    def key(self) -> str:
        """The key on the topic."""
        return self.code_list


Body = Cohort | Partnership | Setting | CodeList
BODIES: Final[Mapping[str, type[Body]]] = {
    "cohorts": Cohort,
    "partnerships": Partnership,
    "settings": Setting,
    "code-lists": CodeList,
}
B = TypeVar("B", bound=_Body)


class Version(_Body):
    """One version of a key's body, and the received time from which records are judged by it."""

    holds_from: datetime
    ruleversion: Identifier
    body: Annotated[Body, Field(union_mode="left_to_right")]


class Versions(_Body):
    """All versions of one key, oldest first: the value on the topic."""

    versions: list[Version]

    def at(self, received: datetime) -> Version | None:
        """The version that holds for what was received then."""
        return next((v for v in reversed(self.versions) if v.holds_from <= received), None)


class Rules(Protocol):
    """The reference data that holds for one record."""

    @property
    def ruleversion(self) -> str:
        """The label of the newest version that holds."""
        ...

    def cohort(self, code: str) -> Cohort | None:
        """A cohort's rules."""

    def partnership(self, partner: str, cohort: str, day: date) -> bool:
        """Whether the partner delivers the cohort on a day."""

    def code_list(self, kind: str, code: str | None) -> CodeList | None:
        """The list named, or the kind's newest list where none is named."""


@dataclass(frozen=True)
class RulesAt:
    """`Rules` for what was received at one time, looked up in the versions of each kind."""

    received: datetime
    kinds: Mapping[str, Mapping[str, Versions]]

    @cached_property
    def ruleversion(self) -> str:
        """The label of the newest version that holds."""
        holding = (v.at(self.received) for kind in self.kinds.values() for v in kind.values())
        newest = max((v for v in holding if v), key=lambda v: v.holds_from, default=None)
        return newest.ruleversion if newest else "none"

    def cohort(self, code: str) -> Cohort | None:
        """A cohort's rules."""
        body = self._body("cohorts", code)
        return body if isinstance(body, Cohort) else None

    def partnership(self, partner: str, cohort: str, day: date) -> bool:
        """Whether the partner delivers the cohort on a day."""
        body = self._body("partnerships", partnership_key(partner, cohort))
        return isinstance(body, Partnership) and any(period.covers(day) for period in body.periods)

    def code_list(self, kind: str, code: str | None) -> CodeList | None:
        """The list named, or the kind's newest list where none is named."""
        lists = self.kinds.get("code-lists", {})
        for name in [code] if code else sorted(lists, reverse=True):
            body = self._body("code-lists", name)
            if isinstance(body, CodeList) and body.kind == kind:
                return body
        return None

    def _body(self, kind: str, key: str) -> Body | None:
        if (kind, key) not in self._found:
            versions = self.kinds.get(kind, {}).get(key)
            version = versions.at(self.received) if versions else None
            self._found[kind, key] = version.body if version else None
        return self._found[kind, key]

    @cached_property
    def _found(self) -> dict[tuple[str, str], Body | None]:
        return {}


@dataclass(frozen=True)
class Reference:
    """The small kinds of reference data as a service has read them, by kind and key."""

    kinds: Mapping[str, Mapping[str, Versions]] = field(default_factory=dict)

    def at(self, received: datetime) -> RulesAt:
        """What holds for a record received then: the same object for all records between two changes."""
        index = bisect_right(self._changes, received)
        if index not in self._between:
            self._between[index] = RulesAt(received, self.kinds)
        return self._between[index]

    def cohort(self, code: str, received: datetime) -> Cohort:
        """The rules of a cohort for a fact received then; its first ones, where they were published after that."""
        if (found := self.at(received).cohort(code)) is not None:
            return found
        body = self.kinds["cohorts"][code].versions[0].body
        assert isinstance(body, Cohort)
        return body

    @cached_property
    def _changes(self) -> list[datetime]:
        """The received times from which anything holds, in order."""
        return sorted({v.holds_from for kind in self.kinds.values() for all_ in kind.values() for v in all_.versions})

    @cached_property
    def _between(self) -> dict[int, RulesAt]:
        return {}
