"""The answer to a record, as its sender reads it on its receipts topic.

What a partner's program may rely on; `shared.messages.receipt` makes it, and a test holds the two together. A reader
must bear fields that it does not know: later versions may add some.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.events.data import Optional


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


class RecordPosition(_Part):
    """Where the answered record lies: together with the outcome it makes the receipt's id."""

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class Error(_Part):
    """One reason against a record. The code is the promise; the message may change."""

    code: str
    message: str
    path: str | None = Field(description="The attribute or field; null where it is the record as a whole.")
    detail: dict[str, Any] = Field(description="What the message names, such as a date or the codes allowed.")


class First(_Part):
    """What the record was answered of which this one is a copy."""

    outcome: Literal["accepted", "held"]


class Receipt(_Part):
    """The answer to one record. Values of `data` are never in it."""

    event_id: Optional[str] = Field(default=None, description="Left out where the record's id failed its own check.")
    source: Optional[str] = Field(default=None, description="Left out where it failed its own check, or is not yours.")
    type: Optional[str] = Field(default=None, description="Left out where it is not in the catalogue.")
    position: RecordPosition
    outcome: Literal["accepted", "duplicate", "held", "rejected"]
    receivedtime: str = Field(description="When the broker took the record, RFC 3339 in UTC.")
    decidedtime: str = Field(description="When it was decided, RFC 3339 in UTC.")
    ruleversion: str = Field(description="The rules by which it was judged.")
    retryable: bool = Field(description="Whether a later record may cure the cause: send the same id again.")
    warnings: list[str]
    errors: list[Error]
    first: Optional[First] = Field(default=None, description="Of a duplicate.")
    deadline: Optional[str] = Field(default=None, description="Of a held record: until when it waits.")
