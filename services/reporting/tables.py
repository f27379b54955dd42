"""Reporting's tables: what is known of each registration, its dated periods, and who may ask over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.tables import READING, Instant

_BODY: Final = JSONB(none_as_null=True)
"""A JSON body, or SQL's own null where nothing is known."""


class TraineeRow(SQLModel, table=True):
    """A registration as the services have told it; versions stand in the bodies. `partner` is whose view it is in."""

    __tablename__ = "trainees"
    __table_args__ = (Index("trainees_of_partner", "partner", "registration_id"),)

    registration_id: str = Field(primary_key=True)
    partner: str | None = None
    status: dict[str, Any] | None = Field(default=None, sa_type=_BODY)
    completion: dict[str, Any] | None = Field(default=None, sa_type=_BODY)
    identity: dict[str, Any] | None = Field(default=None, sa_type=_BODY)


class PeriodRow(SQLModel, table=True):
    """What is shown of a registration from `begins` until just before `ends`. At most one is in force at a time."""

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
    reason_group: str | None = None


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


TABLES: Final[tuple[type[SQLModel], ...]] = (*READING, TraineeRow, PeriodRow, PartnerRow, TokenRow)
