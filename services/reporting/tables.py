"""Reporting's tables: what is known of each registration, what is counted and shown of it, and who may ask."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import Field, SQLModel

from shared.tables import READING, Instant

_BODY: Final = JSON(none_as_null=True)
"""A body as it is told, kept as text; SQL's own null where nothing is known."""


class TraineeRow(SQLModel, table=True):
    """A registration as the services have told it; versions stand in the bodies."""

    __tablename__ = "trainees"

    registration_id: str = Field(primary_key=True)
    status: dict[str, Any] | None = Field(default=None, sa_type=_BODY)
    mentoring: dict[str, Any] | None = Field(default=None, sa_type=_BODY)
    assessment: dict[str, Any] | None = Field(default=None, sa_type=_BODY)
    identity: dict[str, Any] | None = Field(default=None, sa_type=_BODY)


class ViewRow(SQLModel, table=True):
    """What a partner sees of a registration that it has or had, as last published."""

    __tablename__ = "views"

    partner: str = Field(primary_key=True)
    registration_id: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=JSON)


class PeriodRow(SQLModel, table=True):
    """What is counted of a registration from `begins` until just before `ends`. At most one is in force at a time."""

    __tablename__ = "periods"
    __table_args__ = (Index("periods_as_at", "begins", "ends"),)

    registration_id: str = Field(primary_key=True)
    begins: datetime = Field(sa_type=Instant, primary_key=True)
    ends: datetime | None = Field(default=None, sa_type=Instant)
    state: str
    partner: str
    cohort: str
    provider_type: str
    setting_key: str
    la_code: str
    la_name: str
    region_code: str
    region_name: str
    allocation: str
    start: date | None = None
    reason_group: str | None = None
    mentor: str | None = None
    ended_on: date | None = None
    flagged: bool
    outcome: str | None = None
    first_time: bool
    resubmitted: bool


class EntryRow(SQLModel, table=True):
    """A signed row of the ledger: so much of a measure at a moment, partner and place. Added, never changed."""

    __tablename__ = "entries"
    __table_args__ = (Index("entries_of_registration", "registration_id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    registration_id: str
    at: datetime = Field(sa_type=Instant)
    measure: str
    partner: str
    provider_type: str
    la_code: str
    region_code: str
    n: int


class FactRow(SQLModel, table=True):
    """That a service has told of a partner's fact, by the topic and the version under which it did: once each."""

    __tablename__ = "facts"

    topic: str = Field(primary_key=True)
    registration_id: str = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger, primary_key=True)
    partner: str


class ReceiptRow(SQLModel, table=True):
    """What the record at a position of a partner's topic was answered; a final answer stays."""

    __tablename__ = "receipts"

    partner: str = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, primary_key=True)
    outcome: str
    codes: list[str] = Field(sa_type=JSON)
    received: datetime = Field(sa_type=Instant)


class PartnerRow(SQLModel, table=True):
    """A delivery partner and the name that figures show."""

    __tablename__ = "partners"

    code: str = Field(primary_key=True)
    name: str
    added_at: datetime = Field(sa_column=Column(Instant, server_default=text("clock_timestamp()"), nullable=False))


class TokenRow(SQLModel, table=True):
    """A bearer token by its SHA-256. A reader's belongs to no partner, a partner's always to one."""

    __tablename__ = "tokens"
    __table_args__ = (
        CheckConstraint("scope IN ('partner', 'reader')", name="tokens_scope"),
        CheckConstraint("(scope = 'partner') = (partner IS NOT NULL)", name="tokens_partner"),
    )

    token_sha256: bytes = Field(primary_key=True)
    scope: str
    partner: str | None = Field(default=None, sa_column=Column(ForeignKey("partners.code")))
    issued_at: datetime = Field(sa_column=Column(Instant, server_default=text("clock_timestamp()"), nullable=False))


TABLES: Final[tuple[type[SQLModel], ...]] = (
    *READING,
    TraineeRow,
    ViewRow,
    PeriodRow,
    EntryRow,
    FactRow,
    ReceiptRow,
    PartnerRow,
    TokenRow,
)
