"""The codes of answers: what each says, and whether the same record may be sent again later.

The code is the promise; the message may change. A message names codes, dates, fields and the receiver's own ids,
never a value of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Stage = Literal["record", "contract", "id", "registration", "same fact", "cohort", "history"]
"""What a record is looked at for, in this order; an answer names what one stage found (reference: events 4.3)."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code, and the stages that may find it.

    `retryable`: a later record may cure the cause, so the same id may be sent again.
    """

    name: str
    stages: tuple[Stage, ...]
    message: str
    retryable: bool = False


_ALL: Final = (
    Code("record_unreadable", ("record",), "The record is not readable: {reason}."),
    Code("envelope_invalid", ("record",), "{path} is missing or not valid CloudEvents 1.0."),
    Code(
        "field_unknown",
        ("record", "contract"),
        "{path} is not in the contract. Free text and personal details are not accepted.",
    ),
    Code("source_not_yours", ("contract",), "The source is not under your credential."),
    Code("type_unknown", ("contract",), "The type is not in the catalogue."),
    Code("schema_invalid", ("contract",), "{path}: {rule}."),
    Code("code_not_in_list", ("contract", "history"), "{path} is not in the code list on {date}."),
    Code("time_in_future", ("contract",), "time is {minutes} minutes after we received it."),
    Code("time_before_cohort", ("cohort",), "time is before the cohort opened on {date}."),
    Code(
        "cohort_closed",
        ("registration", "cohort"),
        "The cohort took facts until {date}. Ask the lead for the late channel.",
    ),
    Code("id_conflict", ("id",), "This event id was received on {date} with other content."),
    Code("same_fact_exists", ("same fact",), "Already recorded. To change it, send its type with .superseded."),
    Code("registration_unknown", ("registration",), "No trainee.registered for this id by {deadline}.", retryable=True),
    Code("registration_voided", ("registration",), "The registration was voided. Register again under a new id."),
    Code("partnership_not_active", ("cohort",), "You have no partnership for this cohort on {date}."),
    Code("not_eligible", ("cohort",), "Not eligible in this cohort: {rule}."),
    Code("not_your_trainee", ("registration",), "On {date} this registration was not with you.", retryable=True),
    Code(
        "while_deferred",
        ("registration",),
        "Deferred from {since}. Send trainee.resumed first, or check the date.",
        retryable=True,
    ),
    Code(
        "after_withdrawal",
        ("registration",),
        "Withdrew on {since}. Only facts up to then are accepted.",
        retryable=True,
    ),
    Code("after_completion", ("history",), "Completed on {since}. Only facts up to then are accepted.", retryable=True),
    Code("already_in_state", ("registration", "history"), "{state} since {since}.", retryable=True),
    Code("use_resume", ("same fact",), "Send trainee.resumed instead."),
    Code(
        "use_void",
        ("contract",),
        "A mistaken registration is not a withdrawal. Send trainee.registered.voided instead.",
    ),
    Code(
        "use_transfer", ("contract",), "A move to another partner is not a withdrawal. Send transfer.offered instead."
    ),
    Code("reinstatement_closed", ("registration",), "Return was possible until {until}.", retryable=True),
    Code("submission_missing", ("history",), "No submission of this attempt by {deadline}.", retryable=True),
    Code(
        "decision_missing",
        ("history",),
        "The decisions that a completion needs were not there by {deadline}.",
        retryable=True,
    ),
    Code("attempt_out_of_order", ("history",), "Attempt {expected} is expected.", retryable=True),
    Code("attempts_exhausted", ("history",), "{most} attempts used."),
    Code("transfer_pending", ("history",), "An offer of {since} is open, or agreed for a later day.", retryable=True),
    Code("transfer_not_offered", ("registration",), "No open offer to you by {deadline}.", retryable=True),
    Code(
        "transfer_partner_invalid",
        ("cohort",),
        "The partner has no partnership for the cohort on {date}, or has the trainee.",
    ),
    Code(
        "transfer_date_conflict",
        ("cohort", "history"),
        "There are facts from {date} on, or the offer is later.",
        retryable=True,
    ),
    Code("too_many_facts", ("history",), "The registration has {most} facts, which is the most. Ask the lead."),
    Code("would_invalidate", ("history",), "Accepting this would break {count} later facts.", retryable=True),
    Code("target_unknown", ("registration", "history"), "No such event from this source.", retryable=True),
    Code("target_not_yours", ("contract",), "Only its sender or the lead may correct it."),
)
CODES: Final[Mapping[str, Code]] = {code.name: code for code in _ALL}

WARNINGS: Final = ("late", "place_unknown", "possible_duplicate_person", "mentor_not_assigned", "minutes_unusual")

# What may wait because its other half may come by another topic or out of order (reference: events 4.5).
WAITING_AT_DOOR: Final = frozenset(
    {"registration_unknown", "not_your_trainee", "transfer_not_offered", "target_unknown"}
)
WAITING_AT_OWNER: Final = frozenset({"submission_missing", "decision_missing", "target_unknown"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason against a record: a code, where it lies, and what the message needs."""

    code: str
    path: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence for the partner."""
        values = {"path": self.path or "The record", **self.detail}
        return CODES[self.code].message.format_map(_Lenient(values))


class _Lenient(dict[str, object]):
    """A value that is not known at this point reads as 'a date not given', never as an exception."""

    def __missing__(self, key: str) -> str:
        return "a later time" if key in {"deadline", "until"} else "another" if key == "expected" else "an earlier date"
