"""The tables that every deciding service has: positions, journal, holds, quarantine, outbox, reference, progress.

Each service has its own database; the definitions stand here once. Rows are written in bulk by `shared.store`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, text
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field, SQLModel

Instant: Final = SqlDateTime(timezone=True)


class PositionRow(SQLModel, table=True):
    """How far a topic's partition has been read: the truth after a restart. Its lock fences a zombie instance.

    All that was appended up to `read_until` has been read. A position that the log no longer holds is `paused`.
    """

    __tablename__ = "positions"

    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    next_offset: int = Field(sa_type=BigInteger)
    read_until: datetime | None = Field(default=None, sa_type=Instant)
    paused: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class RegistrationRow(SQLModel, table=True):
    """A registration as this service knows it. `digest_key` is random and its own; erasing it forgets the copies."""

    __tablename__ = "registrations"

    registration_id: str = Field(primary_key=True)
    digest_key: bytes
    version: int = 0
    decidedtime: datetime | None = Field(default=None, sa_type=Instant)
    status: dict[str, Any] | None = Field(default=None, sa_type=JSONB)


class JournalRow(SQLModel, table=True):
    """One row an answer, never changed. `data` is what may be kept of an accepted event."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_one_answer", "topic", "partition", "position", unique=True),
        Index(
            "journal_one_fact",
            "source",
            "event_id",
            unique=True,
            postgresql_where=text("outcome = 'accepted'"),
        ),
        Index("journal_history", "registration_id", postgresql_where=text("outcome = 'accepted'")),
        Index("journal_decided", "decidedtime"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    topic: str
    partition: int
    position: int = Field(sa_type=BigInteger)
    partner: str
    registration_id: str | None = None
    source: str | None = None
    event_id: str | None = None
    type: str | None = None
    outcome: str
    codes: list[str] = Field(sa_type=ARRAY(TEXT))
    receivedtime: datetime = Field(sa_type=Instant)
    decidedtime: datetime = Field(sa_type=Instant)
    ruleversion: str
    version: int | None = None
    happened: datetime | None = Field(default=None, sa_type=Instant)
    digest: bytes | None = None
    data: dict[str, Any] | None = Field(default=None, sa_type=JSONB)


class HoldRow(SQLModel, table=True):
    """A record that waits, compact, with the codes of its last judging. Gone when it is answered."""

    __tablename__ = "holds"
    __table_args__ = (
        Index("holds_one_event", "owner", "source", "event_id", unique=True),
        Index("holds_of_registration", "registration_id"),
        Index("holds_by_deadline", "deadline"),
    )

    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, primary_key=True)
    registration_id: str
    owner: str
    source: str
    event_id: str
    digest: bytes
    receivedtime: datetime = Field(sa_type=Instant)
    deadline: datetime = Field(sa_type=Instant)
    receipt_due: datetime | None = Field(default=None, sa_type=Instant)
    problems: list[dict[str, Any]] = Field(sa_type=JSONB)
    record: bytes


class QuarantineRow(SQLModel, table=True):
    """A record that we could not judge (`failed`), or one that stands behind such a one (`queued`)."""

    __tablename__ = "quarantine"
    __table_args__ = (Index("quarantine_of_registration", "registration_id", "topic"),)

    topic: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, primary_key=True)
    registration_id: str | None = None
    state: str
    error: str
    since: datetime = Field(sa_type=Instant)
    retry: bool = False
    record: bytes


class OutboxRow(SQLModel, table=True):
    """A message to publish. The relay reads by presence in id order, sends, deletes."""

    __tablename__ = "outbox"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    topic: str
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    headers: bytes
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    since: datetime = Field(sa_column=Column(Instant, server_default=text("clock_timestamp()"), nullable=False))


class RelayRow(SQLModel, table=True):
    """Whether the last relay stopped cleanly: one that takes over from a dead one waits before it sends."""

    __tablename__ = "relay"

    id: int = Field(primary_key=True)
    stopped: bool


class ReferenceRow(SQLModel, table=True):
    """One key of reference data with all its versions."""

    __tablename__ = "reference"

    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    versions: dict[str, Any] = Field(sa_type=JSONB)


class ProgressRow(SQLModel, table=True):
    """The last progress that another service has told."""

    __tablename__ = "progress"

    service: str = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=JSONB)


READING: Final[tuple[type[SQLModel], ...]] = (PositionRow, OutboxRow, RelayRow)
DECIDING: Final[tuple[type[SQLModel], ...]] = (
    *READING,
    RegistrationRow,
    JournalRow,
    HoldRow,
    QuarantineRow,
    ReferenceRow,
    ProgressRow,
)
