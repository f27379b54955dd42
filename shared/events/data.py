"""The data of each event type, as partners send it. Closed: an unknown field is refused.

Dates stay strings of the form YYYY-MM-DD, so that what was sent is what is kept. Strings have patterns and numbers
have bounds, because values exist that a type check passes and a database refuses (NUL, lone surrogates).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from shared import clock

IDENTIFIER_PATTERN = r"^[A-Za-z0-9._:/-]{1,64}$"
SOURCE_PATTERN = r"^/partners/[a-z0-9-]+/[A-Za-z0-9._:/-]+$"
UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def _real_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _real_instant(text: str) -> str:
    if clock.parse(text) is None:
        raise PydanticCustomError("instant", "not a time of RFC 3339 with offset, to the microsecond")
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

Instant = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_real_instant),
    Field(json_schema_extra={"format": "date-time"}),
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
ActivityType = Literal["facilitated_session", "self_guided_study", "enrichment", "community_of_practice"]
Minutes = Annotated[int, Field(ge=0, le=24 * 60)]
Attempt = Annotated[int, Field(ge=1, le=99)]
Outcome = Literal["passed", "referred", "not_passed"]
CorrectionCause = Literal["entered_in_error", "duplicate", "wrong_trainee", "evidence_withdrawn"]
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


class SessionAttended(Data):
    """A session or study activity of a trainee, attended or missed. One of a registration and session."""

    session_id: Identifier
    activity_type: ActivityType
    status: Literal["attended", "part_attended", "absent_notified", "absent"]
    minutes: Minutes
    mode: Literal["online", "in_person"]


class MentorAssigned(Data):
    """A trainee got a mentor. `ends_previous` says that the present one, if any, ends with that."""

    mentor_id: Uuid
    ends_previous: bool


class MentoringHeld(Data):
    """A mentoring session that was due: held, missed or cancelled. One of a registration and mentoring."""

    mentoring_id: Identifier
    mentor_id: Uuid
    status: Literal["held", "trainee_absent", "mentor_absent", "cancelled"]
    minutes: Minutes
    mode: Literal["video", "phone", "in_person"]


class PortfolioSubmitted(Data):
    """A trainee handed in the portfolio of a unit. The files stay with the partner."""

    unit_code: Identifier
    attempt: Attempt
    evidence_count: int = Field(ge=0, le=10_000)


class AssessmentDecided(Data):
    """An assessor decided on an attempt."""

    unit_code: Identifier
    attempt: Attempt
    outcome: Outcome
    assessor_id: Uuid
    resubmit_by: Optional[Date] = Field(default=None, description="With `referred` only.")

    @field_validator("resubmit_by")
    @classmethod
    def _only_what_is_referred_is_resubmitted(cls, given: str, known: ValidationInfo) -> str:
        if known.data.get("outcome", "referred") != "referred":
            raise PydanticCustomError("resubmit_by", "goes with the outcome referred only")
        return given


class TransferOffered(Data):
    """The partner of a trainee, or the lead, offers to hand the trainee over from a day on."""

    transfer_id: Uuid
    to_partner: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
    effective_on: Date
    cause: Literal["trainee_moved", "partner_capacity", "partner_left_programme", "setting_choice"]


class TransferAccepted(Data):
    """The partner to whom a trainee was offered takes over."""

    transfer_id: Uuid
    partner_ref: Optional[Identifier] = Field(default=None, description="The gaining partner's own reference.")


class TransferDeclined(Data):
    """The partner to whom a trainee was offered does not take over."""

    transfer_id: Uuid
    reason: Literal["not_ours", "no_capacity", "cohort_mismatch"]


class TransferCancelled(Data):
    """Whoever may offer the trainee takes an open offer back."""

    transfer_id: Uuid


class Correction(Data):
    """What a void and a supersede have in common: the fact that they correct."""

    target_id: Identifier
    target_source: Optional[Source] = Field(
        default=None, description="Source of the target; the correction's own source unless given."
    )
    cause: CorrectionCause


class Voided(Correction):
    """The fact named was never true: it is taken back, with the cause."""


D = TypeVar("D", bound=Data)


class Superseded(Correction, Generic[D]):
    """The fact named was recorded wrongly: `replacement` is its whole data as it should have been."""

    replacement: D
    replacement_time: Optional[Instant] = Field(
        default=None, description="When it really happened; the fact's own time unless given."
    )
