"""Enrolment's own tables: the one place where direct identifiers are linked to keys."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.tables import DECIDING


class PersonRow(SQLModel, table=True):
    """The random key of a person, made once. Erasing the row makes every fact of the person anonymous."""

    __tablename__ = "persons"

    trainee_id: str = Field(primary_key=True)
    person_key: str


class SettingKeyRow(SQLModel, table=True):
    """The random key of a setting, made once."""

    __tablename__ = "setting_keys"

    setting_urn: str = Field(primary_key=True)
    setting_key: str


class IdentityRow(SQLModel, table=True):
    """What was taken out of a registration's facts. A live row claims partner, reference and cohort."""

    __tablename__ = "identity"
    __table_args__ = (
        Index(
            "identity_claim",
            "partner",
            "partner_ref",
            "cohort_code",
            unique=True,
            postgresql_where=text("live"),
        ),
        Index("identity_of_person", "trainee_id"),
        Index("identity_of_setting", "setting_urn"),
    )

    registration_id: str = Field(primary_key=True)
    partner: str
    partner_ref: str
    cohort_code: str
    trainee_id: str
    setting_urn: str
    source: str
    event_id: str
    live: bool = True
    withheld: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


TABLES: Final[tuple[type[SQLModel], ...]] = (*DECIDING, PersonRow, SettingKeyRow, IdentityRow)
