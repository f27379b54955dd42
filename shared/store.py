"""Reading and writing what a batch needs, in bulk. All SQL of the pipeline stands here.

Locks are taken in one order everywhere: positions, registrations by id, then what a service adds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import crash, records
from shared.clock import Moment
from shared.contract import Event, Position
from shared.database import add_rows, among, document, table
from shared.events.catalogue import BY_WIRE
from shared.history import Bound, Fact, Ledger, history_of
from shared.judging import BoundName, Hold, World, Writes, Written, problems_from, problems_to
from shared.messages import Message, encode
from shared.records import RawRecord
from shared.shelf import LedgerShelf, Mark
from shared.status import Status
from shared.tables import HoldRow, JournalRow, OutboxRow, QuarantineRow, RegistrationRow

Reader = Callable[[RawRecord], Event]

REGISTRATIONS: Final = table(RegistrationRow)
JOURNAL: Final = table(JournalRow)
HOLDS: Final = table(HoldRow)
QUARANTINE: Final = table(QuarantineRow)
OUTBOX: Final = table(OutboxRow)

_MAKE_MISSING: Final = text("""
    INSERT INTO registrations (registration_id, digest_key, version)
    SELECT id, key, 0 FROM unnest(CAST(:ids AS text[]), CAST(:keys AS bytea[])) AS made (id, key)
    ON CONFLICT DO NOTHING
""")
_LOCK: Final = text("""
    SELECT registration_id, digest_key, version, decidedtime, CAST(status ->> 'version' AS int) FROM registrations
    WHERE registration_id = ANY(:ids) ORDER BY registration_id FOR UPDATE
""")
_STATUSES: Final = text("""
    SELECT registration_id, CAST(status AS text) FROM registrations WHERE registration_id = ANY(:ids)
""")
_FACTS: Final = text("""
    SELECT registration_id, type, partner, source, event_id, happened, receivedtime, data FROM journal
    WHERE registration_id = ANY(:ids) AND outcome = 'accepted' ORDER BY id
""")
_SAVE_LEDGERS: Final = text("""
    UPDATE registrations SET version = CAST(row ->> 1 AS int), decidedtime = CAST(row ->> 2 AS timestamptz)
    FROM json_array_elements(CAST(:rows AS json)) AS ledgers (row) WHERE registration_id = row ->> 0
""")
_SAVE_STATUSES: Final = text("""
    UPDATE registrations SET status = CAST(row -> 1 AS jsonb)
    FROM json_array_elements(CAST(:rows AS json)) AS ledgers (row) WHERE registration_id = row ->> 0
""")


async def load(
    tx: AsyncConnection,
    owner: str,
    registrations: Iterable[str],
    events: Sequence[Event],
    read: Reader,
    shelf: LedgerShelf,
) -> World:
    """Lock the registrations and load what is known of them: history, bound ids, holds, queues, answers given."""
    names = sorted({(event.source, event.id) for event in events})
    ids = sorted({*registrations, *await _holding(tx, names)})
    ledgers = await lock_ledgers(tx, ids, shelf)
    holds = await holds_of(tx, ids, read)
    return World(
        ledgers=ledgers,
        bound=await _bound(tx, owner, events, holds),
        holds=holds,
        queues=await _queues(tx, ids),
        seen=await _seen(tx, [event.position for event in events if event.attached is not None]),
    )


async def _holding(tx: AsyncConnection, names: Sequence[tuple[str, str]]) -> set[str]:
    """The registrations of which a source and id of these waits: a new record of it may end the hold."""
    if not names:
        return set()
    c = HOLDS.c
    return set((await tx.execute(select(c.registration_id).where(among((c.source, c.event_id), names)))).scalars())


async def lock_ledgers(tx: AsyncConnection, ids: Sequence[str], shelf: LedgerShelf | None = None) -> dict[str, Ledger]:
    """Registrations with their histories, made where missing and locked in id order."""
    if not ids:
        return {}
    shelf = shelf or LedgerShelf()
    await tx.execute(_MAKE_MISSING, {"ids": list(ids), "keys": [secrets.token_bytes(32) for _ in ids]})
    marks: dict[str, Mark] = {id_: tuple(mark) for id_, *mark in await tx.execute(_LOCK, {"ids": list(ids)})}
    kept = {id_: ledger for id_, mark in marks.items() if (ledger := shelf.find(id_, mark)) is not None}
    read = await _ledgers(tx, {id_: mark for id_, mark in marks.items() if id_ not in kept})
    ledgers = {id_: kept.get(id_) or read[id_] for id_ in marks}
    shelf.keep(ledgers.values())
    return ledgers


async def _ledgers(tx: AsyncConnection, marks: Mapping[str, Mark]) -> dict[str, Ledger]:
    """Locked registrations as the database has them."""
    if not marks:
        return {}
    statuses = {id_: status for id_, status in await tx.execute(_STATUSES, {"ids": list(marks)})}
    histories = await _histories(tx, list(marks))
    return {
        id_: Ledger(
            id_,
            digest_key,
            history_of(histories.get(id_, ())),
            Status.model_validate_json(statuses[id_]) if statuses[id_] else None,
            version,
            decided,
        )
        for id_, (digest_key, version, decided, _) in marks.items()
    }


async def _histories(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Fact]]:
    histories: dict[str, list[Fact]] = {}
    found = await tx.execute(_FACTS, {"ids": list(ids)})
    for registration, type_, partner, source, id_, happened, received, data in found:
        kind = BY_WIRE[type_]
        fact = Fact(kind, partner, source, id_, Moment(happened, kind.order), received, data)
        histories.setdefault(registration, []).append(fact)
    return histories


async def holds_of(tx: AsyncConnection, ids: Sequence[str], read: Reader) -> dict[str, list[Hold]]:
    """What waits of some registrations."""
    rows = await tx.execute(select(HOLDS).where(HOLDS.c.registration_id == func.any(list(ids))))
    holds: dict[str, list[Hold]] = {}
    for row in rows:
        event = read(records.load(row.record))
        hold = Hold(event, row.digest, row.deadline, problems_from(row.problems))
        holds.setdefault(row.registration_id, []).append(hold)
    return holds


async def _bound(
    tx: AsyncConnection, owner: str, events: Sequence[Event], holds: Mapping[str, Sequence[Hold]]
) -> dict[BoundName, Bound]:
    """What the sources and ids of a batch, and of what waits beside it, are bound to."""
    waiting = [hold.event for group in holds.values() for hold in group]
    names = sorted({(event.source, event.id) for event in (*events, *waiting)})
    if not names:
        return {}
    c, h = JOURNAL.c, HOLDS.c
    accepted = select(c.source, c.event_id, c.registration_id, c.digest, c.receivedtime).where(
        c.outcome == "accepted", among((c.source, c.event_id), names)
    )
    held = select(h.owner, h.source, h.event_id, h.registration_id, h.digest, h.receivedtime).where(
        among((h.source, h.event_id), names)
    )
    bound = {(owner, s, i): Bound(r, d, "accepted", at) for s, i, r, d, at in await tx.execute(accepted)}
    bound |= {(o, s, i): Bound(r, d, "held", at) for o, s, i, r, d, at in await tx.execute(held)}
    return bound


async def _queues(tx: AsyncConnection, ids: Sequence[str]) -> set[tuple[str, str]]:
    c = QUARANTINE.c
    statement = select(c.topic, c.registration_id).where(c.registration_id == func.any(list(ids))).distinct()
    return {(topic, registration) for topic, registration in await tx.execute(statement)}


async def _seen(tx: AsyncConnection, places: Sequence[Position]) -> set[Position]:
    """Which of these records were answered, are held or stand in a queue: the relay may send a request twice."""
    if not places:
        return set()
    names = sorted({(p.topic, p.partition, p.offset) for p in places})
    seen: set[Position] = set()
    for source in (JOURNAL, HOLDS, QUARANTINE):
        columns = (source.c.topic, source.c.partition, source.c.position)
        found = await tx.execute(select(*columns).where(among(columns, names)))
        seen.update(Position(*row) for row in found)
    return seen


async def save(tx: AsyncConnection, writes: Writes, now: datetime, receipt_after: Any) -> None:
    """Write what a batch decided. Outbox ids are drawn last, under the locks, so their order is that of decisions."""
    await add_rows(tx, JOURNAL, [_journal_row(written) for written in writes.answers])
    crash.point("after_journal", len(writes.answers))
    await save_ledgers(tx, writes.ledgers.values(), writes.statuses)
    await _delete_positions(tx, HOLDS, writes.released)
    await _save_holds(tx, list(writes.held.values()), receipt_after)
    await _save_quarantine(tx, writes, now)
    crash.point("before_outbox", len(writes.answers))
    await publish(tx, writes.messages)


async def publish(tx: AsyncConnection, messages: Sequence[Message]) -> None:
    """Put messages into the outbox and wake the relay."""
    rows = [
        {
            "topic": m.topic,
            "key": None if m.key is None else m.key.encode(),
            "headers": encode(m.headers),
            "value": m.value,
        }
        for m in messages
    ]
    await add_rows(tx, OUTBOX, rows)
    if rows:
        await tx.execute(text("NOTIFY outbox"))


def _journal_row(written: Written) -> dict[str, Any]:
    answer, fact = written.answer, written.fact
    return {
        "topic": answer.position.topic,
        "partition": answer.position.partition,
        "position": answer.position.offset,
        "partner": answer.sender,
        "registration_id": answer.subject if fact or answer.type else None,
        "source": answer.source,
        "event_id": answer.id,
        "type": answer.type,
        "outcome": answer.outcome,
        "codes": list(answer.codes),
        "receivedtime": answer.received,
        "decidedtime": written.decided,
        "ruleversion": answer.ruleversion,
        "version": written.version,
        "happened": fact.moment.time if fact else None,
        "digest": written.digest,
        "data": dict(fact.data) if fact else None,
    }


async def save_ledgers(tx: AsyncConnection, ledgers: Iterable[Ledger], statuses: Mapping[str, Status | None]) -> None:
    """Write registrations as they are now, and those statuses that have changed."""
    rows = [[ledger.registration, ledger.version, ledger.decided] for ledger in ledgers]
    if rows:
        await tx.execute(_SAVE_LEDGERS, {"rows": document(rows)})
    if statuses:
        await tx.execute(_SAVE_STATUSES, {"rows": document(list(statuses.items()))})


async def _delete_positions(tx: AsyncConnection, target: Any, places: Iterable[Position]) -> None:
    names = [(p.topic, p.partition, p.offset) for p in places]
    if names:
        await tx.execute(delete(target).where(among((target.c.topic, target.c.partition, target.c.position), names)))


async def _save_holds(tx: AsyncConnection, holds: Sequence[Hold], receipt_after: Any) -> None:
    rows = [_hold_row(hold, receipt_after) for hold in holds]
    if rows:
        statement = upsert(HOLDS)
        again = {"problems": statement.excluded.problems}
        key = [HOLDS.c.topic, HOLDS.c.partition, HOLDS.c.position]
        await tx.execute(statement.on_conflict_do_update(index_elements=key, set_=again), rows)


def _hold_row(hold: Hold, receipt_after: Any) -> dict[str, Any]:
    event = hold.event
    return {
        "topic": event.position.topic,
        "partition": event.position.partition,
        "position": event.position.offset,
        "registration_id": event.registration,
        "owner": event.kind.owner,
        "source": event.source,
        "event_id": event.id,
        "digest": hold.digest,
        "receivedtime": event.received,
        "deadline": hold.deadline,
        "receipt_due": event.received + receipt_after,
        "problems": problems_to(hold.problems),
        "record": records.dump(event.raw),
    }


async def _save_quarantine(tx: AsyncConnection, writes: Writes, now: datetime) -> None:
    failed = [_quarantine_row(p, r, raw, "failed", error, now) for raw, p, r, error in writes.failed]
    queued = [_quarantine_row(e.position, e.registration, e.raw, "queued", "", now) for e in writes.queued]
    await add_rows(tx, QUARANTINE, [*failed, *queued])


def _quarantine_row(
    position: Position, registration: str | None, raw: RawRecord, state: str, error: str, now: datetime
) -> dict[str, Any]:
    return {
        "topic": position.topic,
        "partition": position.partition,
        "position": position.offset,
        "registration_id": registration,
        "state": state,
        "error": error,
        "since": now,
        "retry": False,
        "record": records.dump(raw),
    }
