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
from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash, store
from shared.aside import MISSING, Aside
from shared.database import NOTICE_THE_DEAD, table, transaction
from shared.kafka import client_options, reading
from shared.messages import decode, encode
from shared.producer import BatchProducer, Place, producing
from shared.round_trip import Connection, Prepared, round_trip
from shared.settings import Settings
from shared.tables import RelayRow
from shared.topics import REQUEST_PARTITIONS

LOCK: Final = 73_001
STEP: Final = "relay"
"""What its failures count as, among the parts of the regular work."""
LIMIT: Final = 4000
TELL_SECONDS: Final = 1.0
"""Progress costs as much as some dozen messages, and a batch of each who hears it: under load it is not told after
each."""
_RELAY: Final = table(RelayRow)
_OLDEST: Final = Prepared(
    b"SELECT id, topic, key, headers, value FROM outbox WHERE topic <> ALL(CAST($1 AS text[]))"
    b" ORDER BY id LIMIT %d" % LIMIT
)
_DELETE: Final = Prepared(b"DELETE FROM outbox WHERE id = ANY(CAST($1 AS bigint[]))")
# The lock of a relay whose host died without a word is free within half a minute.
_BE_NOTICED: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"
log = logging.getLogger("senconet.relay")

Row = tuple[Any, ...]
"""Id, topic, key, headers and value of a message in the outbox."""


@dataclass(frozen=True)
class Snapshot:
    """What a service has decided at a moment: once the outbox of that moment is drained, it has been published."""

    topic: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Sent:
    """What the broker has taken: ids in the outbox, and places; and by topic what came of what it did not take."""

    ids: list[int]
    places: Sequence[Place]
    errors: Mapping[str, Exception]


@dataclass(frozen=True)
class Relayed:
    """What the relay needs of its service."""

    engine: AsyncEngine
    settings: Settings
    topics: Sequence[str]
    snapshot: Callable[[], Awaitable[Snapshot | None]]
    published: Callable[[int], None]
    failed: Callable[[], None]
    aside: Aside = field(default_factory=Aside)


async def run(relayed: Relayed) -> None:
    """Relay until cancelled, starting over after any failure of broker or database."""
    while True:
        try:
            await _with_lock(relayed)
        except Exception as error:
            # An idempotent producer is dead on a partition after a refused batch (aiokafka #1017): it is rebuilt.
            relayed.failed()
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
    options = _options(relayed.settings)
    ends = await _ends(options, relayed.topics)
    producer = BatchProducer(options, relayed.settings.publish_timeout_seconds)
    apart, told_to_stop = asyncio.create_task(_try_apart(relayed)), False
    try:
        await producer.start()
        await _drain_for_ever(relayed, listening, producer, ends)
    except asyncio.CancelledError:
        told_to_stop = True
        raise
    finally:
        apart.cancel()
        await asyncio.wait([apart])
        nothing_in_flight = await _stop(producer) and (apart.cancelled() or apart.exception() is None)
        if told_to_stop and nothing_in_flight:
            await _mark(relayed.engine, stopped=True)


def _options(settings: Settings) -> dict[str, Any]:
    return client_options(settings.kafka_bootstrap, settings.kafka_username, settings.kafka_password.get_secret_value())


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
            sent = await _send(rows, relayed, listening, producer, ends)
            rows = await _delete_and_read(relayed, listening, sent)
        sent = await _send(rows, relayed, listening, producer, ends)
        if snapshot is not None:  # all that was there at that moment is published, but for what is set aside
            body = encode({**snapshot.body, "ends": ends})
            await producer.acknowledged(await producer.send([(snapshot.topic, None, body, ())]))
        elif rows:
            wake = due
        if not rows:
            async for _ in listening.notifies(timeout=max(0.0, wake - time.monotonic()), stop_after=1):
                pass


async def _delete_and_read(relayed: Relayed, listening: Connection, sent: Sequence[int]) -> list[Row]:
    """Delete messages that were sent, and read the oldest that are left and not set aside, in one round trip.

    By the connection that holds the lock: who has lost that does not read on.
    """
    deleting = [(_DELETE, [_array(sent)])] if sent else []
    *_, oldest = await round_trip(listening, *deleting, (_OLDEST, [_array(relayed.aside.topics())]))
    return oldest


def _array(values: Sequence[object]) -> str:
    return f"{{{','.join(map(str, values))}}}"


async def _send(
    rows: Sequence[Row],
    relayed: Relayed,
    listening: Connection,
    producer: BatchProducer,
    ends: dict[str, dict[int, int]],
) -> list[int]:
    """Publish messages; returns their ids once the broker has taken them. Raises what came of one that it did not take.

    What is for a partner's topic that is not there, or that takes nothing, is set aside.
    """
    missing = await producer.missing({topic for _, topic, *_ in rows})
    aside = relayed.aside.put(missing, MISSING)
    sent = await _published([row for row in rows if row[1] not in aside], producer)
    for topic, partition, offset in sent.places:
        if topic in ends:
            ends[topic][partition] = max(ends[topic].get(partition, 0), offset + 1)
    crash.point("relay_after_acknowledgement", len(sent.ids))
    relayed.published(len(sent.ids))
    if sent.errors:
        relayed.aside.put_refused(sent.errors, others_taken=bool(sent.ids))
        await round_trip(listening, (_DELETE, [_array(sent.ids)]))
        raise next(iter(sent.errors.values()))
    return sent.ids


async def _published(rows: Sequence[Row], producer: BatchProducer) -> Sent:
    sent = await producer.send([(topic, key, value, _headers(headers)) for _, topic, key, headers, value in rows])
    crash.point("relay_after_send", len(rows))
    await producer.settle(sent)
    ids = [rows[number][0] for each in sent for number in each.numbers[: len(each.taken)]]
    places = [place for each in sent for place in each.taken]
    return Sent(ids, places, {each.topic: each.error for each in sent if each.error is not None})


async def _try_apart(relayed: Relayed) -> None:
    """Try what is set aside again and again, each topic alone, by a producer of its own: nothing else waits for it."""
    settings = relayed.settings
    while True:
        # By then nothing that was sent before can still arrive.
        await asyncio.sleep(max(settings.metadata_seconds, settings.publish_timeout_seconds))
        async with asyncio.TaskGroup() as trying:
            for topic in relayed.aside.topics():
                trying.create_task(_try_topic(relayed, topic))


async def _try_topic(relayed: Relayed, topic: str) -> None:
    try:
        await _publish_apart(relayed, topic)
    except Exception as error:
        if (task := asyncio.current_task()) and task.cancelling():
            raise  # something may be in flight, though we are told to stop
        log.warning("what is for %s is tried again after %s", topic, type(error).__name__)


async def _publish_apart(relayed: Relayed, topic: str) -> None:
    """Publish what waits for a topic; with nothing left it is no longer set aside."""
    c = store.OUTBOX.c
    oldest = select(c.id, c.topic, c.key, c.headers, c.value).where(c.topic == topic).order_by(c.id).limit(LIMIT)
    async with producing(_options(relayed.settings), relayed.settings.publish_timeout_seconds) as producer:
        while rows := await _read(relayed, oldest):
            if await producer.missing({topic}):
                return
            sent = await _published(rows, producer)
            async with transaction(relayed.engine) as tx:
                await tx.execute(delete(store.OUTBOX).where(c.id.in_(sent.ids)))
            relayed.published(len(sent.ids))
            if sent.errors:
                relayed.aside.put_refused(sent.errors, others_taken=True)
                return
    relayed.aside.taken(topic)
    async with transaction(relayed.engine) as tx:  # what came meanwhile was passed over
        await tx.execute(store.WAKE)


async def _read(relayed: Relayed, statement: Select[Any]) -> list[Row]:
    async with transaction(relayed.engine) as tx:
        return [tuple(row) for row in await tx.execute(statement)]


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
