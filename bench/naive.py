"""The usual way, to compare with: one FastStream handler a record, one session and one commit an event.

It validates by the same models and refuses copies and strangers, but knows no rules, publishes no answer, and may
lose a record when it dies (FastStream acknowledges first unless it is told otherwise): all of it makes it faster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512
from pydantic import ValidationError
from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.events.catalogue import BY_WIRE, REGISTERED


class Base(SQLModel, registry=registry()):
    """Tables of its own, apart from those of the product."""


class Registration(Base, table=True):
    """A registration and the last that is known of it."""

    __tablename__ = "naive_registrations"

    id: str = Field(primary_key=True)
    last_type: str
    facts: int = 0


class Fact(Base, table=True):
    """An accepted event."""

    __tablename__ = "naive_facts"

    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    registration: str = Field(index=True)
    type: str
    time: str
    data: dict[str, Any] = Field(sa_type=JSONB)


class Receipt(Base, table=True):
    """The answer to a record."""

    __tablename__ = "naive_receipts"

    position: int = Field(primary_key=True, sa_type=BigInteger)
    outcome: str
    decided: datetime = Field(sa_type=DateTime(timezone=True))


async def take(session: AsyncSession, headers: Mapping[str, str], body: bytes) -> str:
    """Judge one event and add what follows from it; returns the outcome."""
    kind = BY_WIRE.get(headers.get("ce_type", ""))
    if kind is None or not {"ce_source", "ce_id", "ce_subject", "ce_time"} <= headers.keys():
        return "rejected"
    try:
        data = kind.data.model_validate_json(body)
    except ValidationError:
        return "rejected"
    source, id_, subject = headers["ce_source"], headers["ce_id"], headers["ce_subject"]
    if await session.get(Fact, (source, id_)):
        return "duplicate"
    registration = await session.get(Registration, subject)
    if (registration is None) != (kind is REGISTERED):
        return "rejected"
    registration = registration or Registration(id=subject, last_type=kind.name)
    registration.last_type = kind.name
    registration.facts += 1
    fact = Fact(
        source=source,
        id=id_,
        registration=subject,
        type=kind.name,
        time=headers["ce_time"],
        data=data.model_dump(mode="json", exclude_unset=True),
    )
    session.add_all((registration, fact))
    return "accepted"


async def as_it_is(message: KafkaMessage) -> bytes:
    """The body unread: FastStream's own decoder would stop at what is no JSON."""
    return message.body


async def measure(options: Mapping[str, Any], topic: str, database_url: str, events: int) -> float:
    """Take the first `events` records of a topic; returns how many a second, from the first commit to the last.

    The topic holds more than those: a record with a header that is not UTF-8 never reaches the handler.
    """
    engine = create_async_engine(database_url, pool_size=5)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        return await _run(engine, options, topic, events)
    finally:
        await engine.dispose()


async def _run(engine: AsyncEngine, options: Mapping[str, Any], topic: str, events: int) -> float:
    login = SASLScram512(options["sasl_plain_username"], options["sasl_plain_password"], use_ssl=False)
    broker = KafkaBroker(options["bootstrap_servers"], security=login, logger=None)
    done, committed = asyncio.Event(), dict[int, float]()

    @broker.subscriber(topic, group_id="naive", auto_offset_reset="earliest", decoder=as_it_is)
    async def handle(body: bytes, message: KafkaMessage) -> None:
        record: Any = message.raw_message
        if record.offset < events:
            async with AsyncSession(engine) as session:
                outcome = await take(session, message.headers, body or b"")
                session.add(Receipt(position=record.offset, outcome=outcome, decided=datetime.now(UTC)))
                await session.commit()
            committed[record.offset] = time.monotonic()
        if record.offset >= events - 1:  # the last one itself may be such as FastStream loses
            done.set()

    async with broker:
        await broker.start()
        await done.wait()
    times = sorted(committed.values())
    return (len(times) - 1) / (times[-1] - times[0])
