"""Reading what a batch needs, under locks and in bulk.

Locks are taken in one order everywhere: positions, registrations by id, then what a service adds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import records
from shared.clock import Moment
from shared.contract import Event, Position
from shared.database import document, listed, paired, run
from shared.events.catalogue import BY_WIRE
from shared.history import Bound, Fact, Ledger, history_of
from shared.judging import BoundName, Hold, World, problems_from
from shared.records import RawRecord
from shared.shelf import LedgerShelf, Mark
from shared.status import Status
from shared.store import HOLDS, QUARANTINE

Reader = Callable[[RawRecord], Event]

_MAKE_MISSING: Final = text("""
    INSERT INTO registrations (registration_id, digest_key, version)
    SELECT id, key, 0 FROM unnest(CAST(:ids AS text[]), CAST(:keys AS bytea[])) AS made (id, key)
    ON CONFLICT DO NOTHING
""")
# Beside those asked for: where a source and id of these waits, for a new record of it may end the hold.
_LOCK: Final = text(f"""
    SELECT registration_id, digest_key, version, decidedtime, CAST(status ->> 'version' AS int) FROM registrations
    WHERE registration_id = ANY({listed("ids")} || ARRAY(
        SELECT registration_id FROM holds WHERE (source, event_id) IN {paired("names")}
    )) ORDER BY registration_id FOR UPDATE
""")
_STATUSES: Final = text(f"""
    SELECT registration_id, CAST(status AS text) FROM registrations WHERE registration_id = ANY({listed("ids")})
""")
_FACTS: Final = text(f"""
    SELECT registration_id, type, partner, source, event_id, happened, receivedtime, data FROM journal
    WHERE registration_id = ANY({listed("ids")}) AND outcome = 'accepted' ORDER BY id
""")
_WAITING: Final = text(f"""
    SELECT clock_timestamp(),
        EXISTS (SELECT FROM holds WHERE registration_id = ANY({listed("ids")}))
        OR EXISTS (SELECT FROM holds WHERE (source, event_id) IN {paired("names")}),
        EXISTS (SELECT FROM quarantine WHERE registration_id = ANY({listed("ids")}))
""")
_ACCEPTED: Final = text(f"""
    SELECT source, event_id, registration_id, digest, receivedtime FROM journal
    WHERE outcome = 'accepted' AND (source, event_id) IN {paired("names")}
""")
_HELD: Final = text(f"""
    SELECT owner, source, event_id, registration_id, digest, receivedtime FROM holds
    WHERE (source, event_id) IN {paired("names")}
""")
_SEEN: Final = {
    name: text(f"""
        SELECT topic, "partition", position FROM {name} WHERE (topic, "partition", position) IN (
            SELECT place ->> 0, CAST(place ->> 1 AS int), CAST(place ->> 2 AS bigint)
            FROM json_array_elements(CAST(:places AS json)) AS told (place)
        )
    """)
    for name in ("journal", "holds", "quarantine")
}
Names = Sequence[tuple[str, str]]
"""Sources with ids."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether anything waits that these registrations, or these names, are concerned by: mostly nothing does."""

    now: datetime
    held: bool
    queued: bool


async def load(
    tx: AsyncConnection,
    owner: str,
    registrations: Iterable[str],
    events: Sequence[Event],
    read: Reader,
    shelf: LedgerShelf,
) -> tuple[World, datetime]:
    """Lock the registrations and load what is known of them: history, bound ids, holds, queues, answers given.

    Returns it with the time by the database's clock, read after the locks: decisions on it are dated by that.
    """
    ids, names = sorted(registrations), _names(events)
    ledgers, waiting = await lock_and_look(tx, ids, names, shelf)
    holds = await holds_of(tx, list(ledgers), read) if waiting.held else {}
    places = [event.position for event in events if event.attached is not None]
    bound, seen = await _answered(tx, owner, events, holds, places, waiting)
    queues = await _queues(tx, list(ledgers)) if waiting.queued else set()
    return World(ledgers, bound, holds, queues, seen), waiting.now


def _names(events: Iterable[Event]) -> Names:
    return sorted({(event.source, event.id) for event in events})


async def lock_ledgers(
    tx: AsyncConnection, ids: Sequence[str], names: Names = (), shelf: LedgerShelf | None = None
) -> dict[str, Ledger]:
    """Registrations with their histories, made where missing and locked in id order.

    So are those of which one of `names` waits.
    """
    ledgers, _ = await lock_and_look(tx, ids, names, shelf or LedgerShelf())
    return ledgers


async def lock_and_look(
    tx: AsyncConnection, ids: Sequence[str], names: Names, shelf: LedgerShelf
) -> tuple[dict[str, Ledger], Waiting]:
    """As `lock_ledgers`, with whether anything waits that they or the names are concerned by."""
    wanted = {"ids": document(ids), "names": document(names)}
    locked, waiting = await run(tx, (_LOCK, wanted), (_WAITING, wanted))
    marks: dict[str, Mark] = {id_: tuple(mark) for id_, *mark in locked}
    if missing := [id_ for id_ in ids if id_ not in marks]:
        made = {"ids": missing, "keys": [secrets.token_bytes(32) for _ in missing]}
        lock = {"ids": document(missing), "names": "[]"}
        _, locked, waiting = await run(tx, (_MAKE_MISSING, made), (_LOCK, lock), (_WAITING, wanted))
        marks |= {id_: tuple(mark) for id_, *mark in locked}
    kept = {id_: ledger for id_, mark in marks.items() if (ledger := shelf.find(id_, mark)) is not None}
    read = await _ledgers(tx, {id_: mark for id_, mark in marks.items() if id_ not in kept})
    ledgers = {id_: kept.get(id_) or read[id_] for id_ in marks}
    shelf.keep(ledgers.values())
    return ledgers, Waiting(*waiting[0])


async def _ledgers(tx: AsyncConnection, marks: Mapping[str, Mark]) -> dict[str, Ledger]:
    """Locked registrations as the database has them. Of those that are new there is nothing to read."""
    known = {"ids": document([id_ for id_, (_, version, _, status) in marks.items() if version or status is not None])}
    told, facts = await run(tx, (_STATUSES, known), (_FACTS, known)) if known["ids"] != "[]" else ([], [])
    statuses, histories = dict[str, str](told), _histories(facts)
    return {
        id_: Ledger(
            id_,
            digest_key,
            history_of(histories.get(id_, ())),
            Status.model_validate_json(status) if (status := statuses.get(id_)) else None,
            version,
            decided,
        )
        for id_, (digest_key, version, decided, _) in marks.items()
    }


def _histories(rows: Iterable[Any]) -> dict[str, list[Fact]]:
    histories: dict[str, list[Fact]] = {}
    for registration, type_, partner, source, id_, happened, received, data in rows:
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


async def _answered(
    tx: AsyncConnection,
    owner: str,
    events: Sequence[Event],
    holds: Mapping[str, Sequence[Hold]],
    places: Sequence[Position],
    waiting: Waiting,
) -> tuple[dict[BoundName, Bound], set[Position]]:
    """What the sources and ids of a batch, and of what waits beside it, are bound to; which of the places have been
    answered, are held or stand in a queue: the relay may send a request twice.
    """
    beside = (hold.event for group in holds.values() for hold in group)
    names = {"names": document(_names([*events, *beside]))}
    positions = {"places": document([(p.topic, p.partition, p.offset) for p in places])}
    sources = ("journal", *(("holds",) if waiting.held else ()), *(("quarantine",) if waiting.queued else ()))
    accepted, held, *seen = await run(
        tx, (_ACCEPTED, names), (_HELD, names), *((_SEEN[source], positions) for source in sources if places)
    )
    bound = {(owner, s, i): Bound(r, d, "accepted", at) for s, i, r, d, at in accepted}
    bound |= {(o, s, i): Bound(r, d, "held", at) for o, s, i, r, d, at in held}
    return bound, {Position(*row) for rows in seen for row in rows}


async def _queues(tx: AsyncConnection, ids: Sequence[str]) -> set[tuple[str, str]]:
    c = QUARANTINE.c
    statement = select(c.topic, c.registration_id).where(c.registration_id == func.any(list(ids))).distinct()
    return {(topic, registration) for topic, registration in await tx.execute(statement)}
