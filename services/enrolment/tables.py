"""Enrolment's own tables: the one place where direct identifiers are linked to keys."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, text
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
    """What was taken out of a registration's facts, by the facts that claim a reference for a partner.

    They are the registration, and each acceptance of a transfer that names the gaining partner's reference. A live row
    claims partner, reference and cohort; person and setting are the same in all rows of a registration.
    """

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
        Index("identity_of_registration", "registration_id"),
        Index("identity_of_person", "trainee_id"),
        Index("identity_of_setting", "setting_urn"),
    )

    source: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    registration_id: str
    partner: str
    partner_ref: str
    cohort_code: str
    trainee_id: str
    setting_urn: str
    live: bool = True


class WithheldRow(SQLModel, table=True):
    """A personal reason, of which the facts tell the group alone."""

    __tablename__ = "withheld"
    __table_args__ = (Index("withheld_of_registration", "registration_id"),)

    source: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    registration_id: str
    reason: str


TABLES: Final[tuple[type[SQLModel], ...]] = (*DECIDING, PersonRow, SettingKeyRow, IdentityRow, WithheldRow)
