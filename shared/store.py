"""Writing what a batch decided, in bulk, and the tables of the pipeline. What it needs is read by `shared.loading`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import crash, records
from shared.bulk import Rows, filled, finish, putting
from shared.contract import Position
from shared.database import Statement, document, table
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

WAKE: Final = text("NOTIFY outbox")
_SAVE_LEDGERS: Final = text("""
    UPDATE registrations SET version = CAST(row ->> 1 AS int), decidedtime = CAST(row ->> 2 AS timestamptz),
        status = coalesce(CAST(row -> 3 AS jsonb), status)
    FROM json_array_elements(CAST(:rows AS json)) AS ledgers (row) WHERE registration_id = row ->> 0
""")
_RELEASE: Final = text("""
    DELETE FROM holds WHERE (topic, "partition", position) IN (
        SELECT row ->> 0, CAST(row ->> 1 AS int), CAST(row ->> 2 AS bigint)
        FROM json_array_elements(CAST(:rows AS json)) AS places (row)
    )
""")
# One that is held again was told of when its first receipt was due.
_HOLD: Final = putting(HOLDS, tuple(column.name for column in HOLDS.c), again=["problems"])


async def save(
    tx: AsyncConnection, writes: Writes, now: datetime, receipt_after: timedelta, statements: Sequence[Statement]
) -> None:
    """Write what a batch decided, with what a service adds, and commit.

    Outbox ids are drawn under the locks, so their order is that of decisions.
    """
    crash.point("after_judging", len(writes.answers))
    ledgers = saving_ledgers(writes.ledgers.values(), writes.statuses)
    released = [(place.topic, place.partition, place.offset) for place in writes.released]
    release = [(_RELEASE, {"rows": document(released)})] if released else []
    hold = filled((_HOLD, [_hold_row(hold, receipt_after) for hold in writes.held.values()]))
    await publish(
        tx,
        writes.messages,
        [*statements, *ledgers, *release, *hold],
        (JOURNAL, [_journal_row(written) for written in writes.answers]),
        (QUARANTINE, _quarantine_rows(writes, now)),
    )


async def publish(
    tx: AsyncConnection, messages: Sequence[Message], statements: Sequence[Statement], *added: tuple[Table, Rows]
) -> None:
    """Run statements, insert rows into tables, leave messages to the relay, and commit. Raises DBAPIError."""
    wake: list[Statement] = [(WAKE, {})] if messages else []
    await finish(tx, [*statements, *wake], *added, (OUTBOX, [_outbox_row(message) for message in messages]))


def _outbox_row(message: Message) -> dict[str, Any]:
    return {
        "topic": message.topic,
        "key": None if message.key is None else message.key.encode(),
        "headers": encode(message.headers),
        "value": message.value,
    }


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


def saving_ledgers(ledgers: Iterable[Ledger], statuses: Mapping[str, Status | None]) -> list[Statement]:
    """Write registrations as they are now, and those statuses that have changed."""
    rows = [
        [ledger.registration, ledger.version, ledger.decided, *_changed(statuses.get(ledger.registration))]
        for ledger in ledgers
    ]
    return [(_SAVE_LEDGERS, {"rows": document(rows)})] if rows else []


def _changed(status: Status | None) -> tuple[Status, ...]:
    return () if status is None else (status,)


def _hold_row(hold: Hold, receipt_after: timedelta) -> dict[str, Any]:
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
        "problems": document(problems_to(hold.problems)),
        "record": records.dump(records.compact(event.raw)),
    }


def _quarantine_rows(writes: Writes, now: datetime) -> list[dict[str, Any]]:
    failed = [_quarantine_row(p, r, raw, "failed", error, now) for raw, p, r, error in writes.failed]
    return failed + [_quarantine_row(e.position, e.registration, e.raw, "queued", "", now) for e in writes.queued]


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
