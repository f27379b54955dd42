"""The data of each event type, as partners send it. Closed: an unknown field is refused.

Dates stay strings of the form YYYY-MM-DD, so that what was sent is what is kept. Strings have patterns and numbers
have bounds, because values exist that a type check passes and a database refuses (NUL, lone surrogates).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

IDENTIFIER_PATTERN = r"^[A-Za-z0-9._:/-]{1,64}$"
SOURCE_PATTERN = r"^/partners/[a-z0-9-]+/[A-Za-z0-9._:/-]+$"
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def _real_date(text: str) -> str:
    date.fromisoformat(text)
    return text


Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]
Source = Annotated[str, StringConstraints(pattern=SOURCE_PATTERN, max_length=64)]
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Date = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_real_date),
    Field(json_schema_extra={"format": "date"}),
]


def _given(value: object) -> object:
    """Optional means that a field may be left out, not that it may be null."""
    if value is None:
        raise PydanticCustomError("null", "null is no value: leave the field out")
    return value


T = TypeVar("T")
Optional = Annotated[T | None, BeforeValidator(_given)]

ProviderType = Literal[
    "Private group-based providers",
    "Voluntary group-based providers",
    "Childminders",
    "School, college, LA and other unclassified group-based providers",
]
PriorTraining = Literal[
    "la_senco_training", "professional_development_programme", "experts_and_mentors", "none", "not_known"
]


class Data(BaseModel):
    """What every type's data has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    time_precision: Optional[Literal["day"]] = Field(
        default=None,
        description="`day` when only the day is known: `time` is then 00:00 of that day in London.",
    )


class Capacity(BaseModel):
    """The time and cover a trainee has for the course, as declared at registration."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    protected_time_hours_per_week: float = Field(ge=0, le=40)
    training_in_working_hours: bool
    cover_available: bool


class Registered(Data):
    """A trainee signed up to the programme with a partner, in a cohort, from a setting."""

    trainee_id: Uuid = Field(description="Issued by the lead at application; one person, one id.")
    partner_ref: Identifier = Field(description="The partner's own reference; never leaves enrolment's table.")
    cohort_code: Identifier
    setting_urn: Identifier
    provider_type: ProviderType
    role: Literal["senco", "senco_designate"]
    level3_full_relevant: bool
    places_allocation: Literal["contract_2022", "extension_2023", "places_2025"]
    capacity: Optional[Capacity] = None
    prior_training: Optional[list[PriorTraining]] = Field(default=None, max_length=5)


class Deferred(Data):
    """A trainee paused the course and means to return."""

    reason: Identifier
    expected_return: Optional[Date] = None
    code_list: Optional[Identifier] = None


class Resumed(Data):
    """A trainee came back from a deferral or a withdrawal, possibly into another cohort."""

    cohort_code: Optional[Identifier] = None


class Withdrew(Data):
    """A trainee left the programme before completing it."""

    reason: Identifier
    trigger: Literal["trainee", "partner", "setting"]
    last_engaged_on: Optional[Date] = None
    code_list: Optional[Identifier] = None


class Completed(Data):
    """A trainee finished the programme. Completed is not passed."""

    final_decision_id: Optional[Identifier] = None


class Voided(Data):
    """The fact named was never true: it is taken back, with the cause."""

    target_id: Identifier
    target_source: Optional[Source] = Field(
        default=None, description="Source of the target; the correction's own source unless given."
    )
    cause: Literal["entered_in_error", "duplicate", "wrong_trainee", "evidence_withdrawn"]
