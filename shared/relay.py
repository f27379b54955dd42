"""The relay: publishes the outbox in id order, deletes what was acknowledged, then tells how far it came.

What is for a partner whose topic takes nothing waits, and nothing else waits with it.

It reads by presence, never by "id greater than the last": ids are drawn before they are committed. One relay a
service holds the lock; that lock is no fence, so one that takes over from a dead relay first waits until nothing
that was sent by it can still arrive.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from aiokafka import TopicPartition
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash
from shared.aside import Aside
from shared.database import NOTICE_THE_DEAD, table, transaction
from shared.kafka import client_options, reading
from shared.messages import decode, encode
from shared.producer import BatchProducer, InFlight, Place, refusing
from shared.round_trip import Connection, Prepared, round_trip
from shared.settings import Settings
from shared.tables import RelayRow
from shared.topics import REQUEST_PARTITIONS

LOCK: Final = 73_001
LIMIT: Final = 4000
TELL_SECONDS: Final = 1.0
"""Progress costs as much as some dozen messages, and a batch of each who hears it: under load it is not told after
each."""
_RELAY: Final = table(RelayRow)
REFUSED: Final = 60
"""A topic that refused is tried again after so many times of what a failed try costs all others."""
_OLDEST: Final = Prepared(
    b"SELECT id, topic, key, headers, value FROM outbox WHERE topic <> ALL(CAST($1 AS text[]))"
    b" ORDER BY id LIMIT %d" % LIMIT
)
_DELETE: Final = Prepared(b"DELETE FROM outbox WHERE id = ANY(CAST($1 AS bigint[]))")
# The lock of a relay whose host died without a word is free within half a minute.
_BE_NOTICED: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"
log = logging.getLogger("senconet.relay")


@dataclass(frozen=True)
class Snapshot:
    """What a service has decided at a moment: once the outbox of that moment is drained, it has been published."""

    topic: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Relayed:
    """What the relay needs of its service."""

    engine: AsyncEngine
    settings: Settings
    topics: Sequence[str]
    snapshot: Callable[[], Awaitable[Snapshot | None]]
    published: Callable[[int], None]
    aside: Aside = field(default_factory=Aside)


async def run(relayed: Relayed) -> None:
    """Relay until cancelled, starting over after any failure of broker or database."""
    while True:
        try:
            await _with_lock(relayed)
        except Exception as error:
            # An idempotent producer is dead on a partition after a refused batch (aiokafka #1017): it is rebuilt.
            log.warning("relay starts over after %s", type(error).__name__)
            await asyncio.sleep(1)


async def _with_lock(relayed: Relayed) -> None:
    async with await listening_to(relayed.settings.database_url.get_secret_value()) as listening:
        await listening.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        await listening.execute("LISTEN outbox")
        if not await _stopped_cleanly(relayed.engine):
            await asyncio.sleep(relayed.settings.publish_timeout_seconds)
        await _mark(relayed.engine, stopped=False)
        await _publish(relayed, listening)


async def listening_to(url: str) -> Connection:
    """A connection of the relay's own. Either end notices within half a minute that the other's host has gone."""
    driver_url = url.replace("postgresql+psycopg://", "postgresql://")
    return await psycopg.AsyncConnection.connect(driver_url, autocommit=True, options=_BE_NOTICED, **NOTICE_THE_DEAD)


async def _stopped_cleanly(engine: AsyncEngine) -> bool:
    async with transaction(engine) as tx:
        row = (await tx.execute(select(_RELAY.c.stopped))).first()
    return row is None or bool(row.stopped)


async def _mark(engine: AsyncEngine, *, stopped: bool) -> None:
    statement = upsert(_RELAY).values(id=1, stopped=stopped)
    async with transaction(engine) as tx:
        await tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"stopped": stopped}))


async def _publish(relayed: Relayed, listening: Connection) -> None:
    settings = relayed.settings
    options = client_options(
        settings.kafka_bootstrap, settings.kafka_username, settings.kafka_password.get_secret_value()
    )
    ends = await _ends(options, relayed.topics)
    producer = BatchProducer(options, settings.publish_timeout_seconds)
    told_to_stop = False
    try:
        await producer.start()
        await _drain_for_ever(relayed, listening, producer, ends)
    except asyncio.CancelledError:
        told_to_stop = True
        raise
    finally:
        nothing_in_flight = await _stop(producer)
        if told_to_stop and nothing_in_flight:
            await _mark(relayed.engine, stopped=True)


async def _ends(options: Mapping[str, Any], topics: Sequence[str]) -> dict[str, dict[int, int]]:
    """The ends of the topics whose progress is told, as they stand when the relay starts."""
    ends: dict[str, dict[int, int]] = {}
    async with reading(options) as consumer:
        for topic in topics:
            places = [TopicPartition(topic, partition) for partition in range(REQUEST_PARTITIONS)]
            found = await consumer.end_offsets(places)
            ends[topic] = {partition.partition: offset for partition, offset in found.items()}
    return ends


async def _drain_for_ever(
    relayed: Relayed,
    listening: Connection,
    producer: BatchProducer,
    ends: dict[str, dict[int, int]],
) -> None:
    """Publish what there is and wait for more; meanwhile tell progress, at most every `TELL_SECONDS`."""
    due = wake = 0.0
    sent: list[int] = []
    while True:
        snapshot = None
        if (now := time.monotonic()) >= due:
            snapshot, due, wake = await relayed.snapshot(), now + TELL_SECONDS, now + relayed.settings.progress_seconds
        rows = await _delete_and_read(relayed, listening, sent)
        while len(rows) == LIMIT:
            rows = await _delete_and_read(relayed, listening, await _send(rows, relayed, producer, ends))
        sent = await _send(rows, relayed, producer, ends)
        if snapshot is not None:  # all that was there at that moment is published, but for what partners alone read
            body = encode({**snapshot.body, "ends": ends})
            await producer.acknowledged(await producer.send([(snapshot.topic, None, body, ())]))
        elif rows:
            wake = due
        if not rows:
            timeout = max(0.0, min(wake, relayed.aside.next) - time.monotonic())
            async for _ in listening.notifies(timeout=timeout, stop_after=1):
                pass


async def _delete_and_read(relayed: Relayed, listening: Connection, sent: Sequence[int]) -> list[tuple[Any, ...]]:
    """Delete messages that were sent, and read the oldest that are left and not set aside, in one round trip.

    By the connection that holds the lock: who has lost that does not read on.
    """
    deleting = [(_DELETE, [_array(sent)])] if sent else []
    *_, oldest = await round_trip(listening, *deleting, (_OLDEST, [_array(relayed.aside.topics(time.monotonic()))]))
    return oldest


def _array(values: Sequence[object]) -> str:
    return f"{{{','.join(map(str, values))}}}"


async def _send(
    rows: Sequence[tuple[Any, ...]], relayed: Relayed, producer: BatchProducer, ends: dict[str, dict[int, int]]
) -> list[int]:
    """Publish messages; returns their ids once the broker has taken them."""
    wanted = {topic for _, topic, *_ in rows}
    aside = await _set_aside_missing(wanted, relayed, producer)
    rows = [row for row in rows if row[1] not in aside] if aside else rows
    if not rows:
        return []
    sent = await producer.send([(topic, key, value, _headers(headers)) for _, topic, key, headers, value in rows])
    crash.point("relay_after_send", len(rows))
    for topic, partition, offset in await _acknowledged(sent, relayed, producer):
        if topic in ends:
            ends[topic][partition] = max(ends[topic].get(partition, 0), offset + 1)
    crash.point("relay_after_acknowledgement", len(rows))
    relayed.aside.taken(wanted - aside)
    relayed.published(len(rows))
    return [id_ for id_, *_ in rows]


async def _set_aside_missing(wanted: set[str], relayed: Relayed, producer: BatchProducer) -> frozenset[str]:
    if not (missing := await producer.missing(wanted)):
        return frozenset()
    until = time.monotonic() + relayed.settings.metadata_seconds
    return relayed.aside.put(missing, "there is no such topic, or it has no leader", until)


async def _acknowledged(sent: Sequence[InFlight], relayed: Relayed, producer: BatchProducer) -> list[Place]:
    """Where the messages lie. Raises what the broker answers; for those that it refuses, what is set aside by then."""
    try:
        return await producer.acknowledged(sent)
    except Exception as error:
        until = time.monotonic() + REFUSED * relayed.settings.publish_timeout_seconds
        relayed.aside.put(refusing(sent), f"the broker refuses it ({type(error).__name__})", until)
        raise


def _headers(packed: bytes) -> list[tuple[str, bytes]]:
    return [(name, value.encode()) for name, value in decode(packed)]


async def _stop(producer: BatchProducer) -> bool:
    """Whether the producer has sent or given up all it had."""
    try:
        await producer.stop()
    except Exception as error:
        log.warning("producer did not stop: %s", type(error).__name__)
        return False
    return True
