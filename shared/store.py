"""Writing what a batch decided, in bulk, and the tables of the pipeline. What it needs is read by `shared.loading`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import crash, records
from shared.contract import Position
from shared.database import add_rows, among, document, run, table
from shared.history import Ledger
from shared.judging import Hold, Writes, Written, problems_to
from shared.messages import Message, encode
from shared.records import RawRecord
from shared.status import Status
from shared.tables import HoldRow, JournalRow, OutboxRow, QuarantineRow, RegistrationRow

REGISTRATIONS: Final = table(RegistrationRow)
JOURNAL: Final = table(JournalRow)
HOLDS: Final = table(HoldRow)
QUARANTINE: Final = table(QuarantineRow)
OUTBOX: Final = table(OutboxRow)

_WAKE: Final = text("NOTIFY outbox")
_SAVE_LEDGERS: Final = text("""
    UPDATE registrations SET version = CAST(row ->> 1 AS int), decidedtime = CAST(row ->> 2 AS timestamptz),
        status = coalesce(CAST(row -> 3 AS jsonb), status)
    FROM json_array_elements(CAST(:rows AS json)) AS ledgers (row) WHERE registration_id = row ->> 0
""")


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
        await run(tx, (_WAKE, {}))


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
    rows = [
        [ledger.registration, ledger.version, ledger.decided, *_changed(statuses.get(ledger.registration))]
        for ledger in ledgers
    ]
    if rows:
        await run(tx, (_SAVE_LEDGERS, {"rows": document(rows)}))


def _changed(status: Status | None) -> tuple[Status, ...]:
    return () if status is None else (status,)


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
