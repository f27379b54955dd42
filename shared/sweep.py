"""What happens without a new record: receipts of holds, ends of holds, and queues that are answered after a repair."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import positions, records, store
from shared.asking import ask
from shared.contract import Position, position_of
from shared.database import among, transaction
from shared.judging import Hold
from shared.loading import holds_of
from shared.messages import Answer, receipt
from shared.pipeline import (
    Deciding,
    Done,
    codes_of,
    judge_records,
    opening,
    refuses_a_value,
)

LIMIT: Final = 200
log = logging.getLogger("senconet.sweep")
HOLDS: Final = store.HOLDS
QUARANTINE: Final = store.QUARANTINE


async def send_held_receipts(service: Deciding) -> int:
    """Tell partners of records that have waited for a while; returns how many were told."""
    async with transaction(service.engine) as tx:
        now = await positions.clock(tx)
        holds = await _locked_holds(service, tx, HOLDS.c.receipt_due <= now)
        due = [hold for hold, receipt_due in holds if receipt_due is not None and receipt_due <= now]
        rules = await service.shelf.at(tx)
        messages = [
            receipt(
                service.name,
                _held_answer(hold, rules.at(hold.event.received).ruleversion),
                now,
                hold.deadline,
            )
            for hold in due
        ]
        if due:
            places = [_place(hold.event.position) for hold in due]
            key = (HOLDS.c.topic, HOLDS.c.partition, HOLDS.c.position)
            await tx.execute(update(HOLDS).where(among(key, places)).values(receipt_due=None))
            await store.publish(tx, messages, ())
    return len(due)


def _held_answer(hold: Hold, ruleversion: str) -> Answer:
    event = hold.event
    return Answer(
        event.position,
        event.sender,
        event.received,
        "held",
        ruleversion,
        hold.problems,
        source=event.source,
        id=event.id,
        type=event.kind.wire,
        subject=event.registration,
    )


async def _locked_holds(service: Deciding, tx: AsyncConnection, condition: Any) -> list[tuple[Hold, datetime | None]]:
    """Holds that meet a condition, read after their registrations are locked: a batch may just have answered them."""
    ids = (await tx.execute(select(HOLDS.c.registration_id).where(condition).distinct().limit(LIMIT))).scalars()
    registrations = sorted(ids)
    if not registrations:
        return []
    c = store.REGISTRATIONS.c.registration_id
    await tx.execute(select(c).where(c == func.any(registrations)).order_by(c).with_for_update())
    due = select(HOLDS.c.topic, HOLDS.c.partition, HOLDS.c.position, HOLDS.c.receipt_due)
    rows = await tx.execute(due.where(HOLDS.c.registration_id == func.any(registrations)))
    times = {Position(topic, partition, position): at for topic, partition, position, at in rows}
    holds = await ask(tx, holds_of(registrations, service.read_again))
    return [(hold, times[hold.event.position]) for group in holds.values() for hold in group]


async def end_holds(service: Deciding) -> Done:
    """Answer what has waited long enough: all that was received up to its deadline has been read, and nothing of
    its registration and topic stands in a queue, here or at the door. What was received at the deadline itself still
    cures, and a record of that same time may be unread yet: hence later, not at.
    """
    async with transaction(service.engine) as tx:
        until = await ask(tx, service.received_until())
        if until is None:
            return Done()
        over = select(HOLDS.c.registration_id, HOLDS.c.topic).where(HOLDS.c.deadline < until).order_by(HOLDS.c.deadline)
        blocked = await ask(tx, service.blocked())
        free = ((topic, registration) for registration, topic in await tx.execute(over))
        registrations = {registration for _, registration in islice((f for f in free if f not in blocked), LIMIT)}
        if not registrations:
            return Done()
        judging = await ask(tx, opening(service, await service.shelf.at(tx), registrations, ()))
        for hold in _over(judging.batch.holds(), until, blocked | judging.batch.queues):
            judging.batch.end(hold)
        await judging.save(tx)
        writes = judging.batch.writes
    return Done(outcomes=writes.outcomes, codes=codes_of(writes))


def _over(holds: Iterable[Hold], until: datetime, blocked: frozenset[tuple[str, str]]) -> list[Hold]:
    return [
        hold
        for hold in holds
        if hold.deadline < until and (hold.event.position.topic, hold.event.registration) not in blocked
    ]


async def answer_queues(service: Deciding) -> Done:
    """Judge what operators have marked for retry, each queue in order, as if nothing had happened."""
    c = QUARANTINE.c
    async with transaction(service.engine) as tx:
        marked = await tx.execute(select(c.topic, c.registration_id).where(c.retry).distinct())
        queues = [(topic, registration) for topic, registration in marked]
    done = Done()
    for topic, registration in queues:
        try:
            done = done.plus(await _answer_queue(service, topic, registration))
        except Exception as fault:  # one queue holds up no other
            log.error("a queue of %s is tried again after %s", topic, type(fault).__name__)
    return done


async def _answer_queue(service: Deciding, topic: str, registration: str | None) -> Done:
    """Try the whole queue; where the database still refuses a value, answer what stands before it."""
    try:
        return await _try_queue(service, topic, registration, None)
    except DBAPIError as error:
        if not refuses_a_value(error):
            raise
    async with transaction(service.engine) as tx:
        length = len(await _queue(tx, topic, registration))
    for poisoned in reversed(range(length)):
        try:
            return await _try_queue(service, topic, registration, poisoned)
        except DBAPIError as error:
            if not refuses_a_value(error):
                raise
    return Done()


async def _try_queue(service: Deciding, topic: str, registration: str | None, poisoned: int | None) -> Done:
    async with transaction(service.engine) as tx:
        if registration is not None:
            await _lock(tx, registration)
        raws = await _queue(tx, topic, registration)
        await tx.execute(delete(QUARANTINE).where(*_of_queue(topic, registration)))
        poison = frozenset() if poisoned is None else frozenset({position_of(raws[poisoned])})
        _, judging = await judge_records(service, tx, raws, poison, positions.taking_all)
    writes = judging.batch.writes
    return Done(outcomes=writes.outcomes, codes=codes_of(writes))


async def _lock(tx: AsyncConnection, registration: str) -> None:
    c = store.REGISTRATIONS.c.registration_id
    await tx.execute(select(c).where(c == registration).with_for_update())


def _of_queue(topic: str, registration: str | None) -> tuple[Any, ...]:
    c = QUARANTINE.c
    return c.topic == topic, c.registration_id.is_not_distinct_from(registration)


async def _queue(tx: AsyncConnection, topic: str, registration: str | None) -> Sequence[records.RawRecord]:
    """The records of a queue in the order of the partner's topic."""
    c = QUARANTINE.c
    rows = await tx.execute(select(c.record).where(*_of_queue(topic, registration)).order_by(c.partition, c.position))
    return [records.load(packed) for (packed,) in rows]


def _place(position: Position) -> tuple[str, int, int]:
    return position.topic, position.partition, position.offset
