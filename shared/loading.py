"""Reading what a batch needs, under locks and in bulk.

Locks are taken in one order everywhere: positions, registrations by id, then what a service adds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import records
from shared.clock import Moment
from shared.contract import Event, Position
from shared.database import document
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
# Lists come as JSON: the driver's own arrays cost it ten times as much.
_IDS: Final = "ARRAY(SELECT json_array_elements_text(CAST(:ids AS json)))"
_NAMED: Final = "(SELECT name ->> 0, name ->> 1 FROM json_array_elements(CAST(:names AS json)) AS told (name))"
# Beside those asked for: where a source and id of these waits, for a new record of it may end the hold.
_LOCK: Final = text(f"""
    SELECT registration_id, digest_key, version, decidedtime, CAST(status ->> 'version' AS int) FROM registrations
    WHERE registration_id = ANY({_IDS} || ARRAY(SELECT registration_id FROM holds WHERE (source, event_id) IN {_NAMED}))
    ORDER BY registration_id FOR UPDATE
""")
_STATUSES: Final = text(f"""
    SELECT registration_id, CAST(status AS text) FROM registrations WHERE registration_id = ANY({_IDS})
""")
_FACTS: Final = text(f"""
    SELECT registration_id, type, partner, source, event_id, happened, receivedtime, data FROM journal
    WHERE registration_id = ANY({_IDS}) AND outcome = 'accepted' ORDER BY id
""")
_WAITING: Final = text(f"""
    SELECT clock_timestamp(),
        EXISTS (SELECT FROM holds WHERE registration_id = ANY({_IDS}))
        OR EXISTS (SELECT FROM holds WHERE (source, event_id) IN {_NAMED}),
        EXISTS (SELECT FROM quarantine WHERE registration_id = ANY({_IDS}))
""")
_ACCEPTED: Final = text(f"""
    SELECT source, event_id, registration_id, digest, receivedtime FROM journal
    WHERE outcome = 'accepted' AND (source, event_id) IN {_NAMED}
""")
_HELD: Final = text(f"""
    SELECT owner, source, event_id, registration_id, digest, receivedtime FROM holds
    WHERE (source, event_id) IN {_NAMED}
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
class _Waiting:
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
    names = _names(events)
    ledgers = await lock_ledgers(tx, sorted(registrations), shelf, names)
    ids = list(ledgers)
    waiting = _Waiting(*(await tx.execute(_WAITING, {"ids": document(ids), "names": document(names)})).one())
    holds = await holds_of(tx, ids, read) if waiting.held else {}
    world = World(
        ledgers=ledgers,
        bound=await _bound(tx, owner, events, holds, held=waiting.held),
        holds=holds,
        queues=await _queues(tx, ids) if waiting.queued else set(),
        seen=await _seen(tx, [event.position for event in events if event.attached is not None], waiting),
    )
    return world, waiting.now


def _names(events: Iterable[Event]) -> Names:
    return sorted({(event.source, event.id) for event in events})


async def lock_ledgers(
    tx: AsyncConnection, ids: Sequence[str], shelf: LedgerShelf | None = None, names: Names = ()
) -> dict[str, Ledger]:
    """Registrations with their histories, made where missing and locked in id order.

    So are those of which one of `names` waits.
    """
    if not ids and not names:
        return {}
    shelf = shelf or LedgerShelf()
    marks = await _lock(tx, ids, names)
    if missing := [id_ for id_ in ids if id_ not in marks]:
        await tx.execute(_MAKE_MISSING, {"ids": missing, "keys": [secrets.token_bytes(32) for _ in missing]})
        marks |= await _lock(tx, missing, ())
    kept = {id_: ledger for id_, mark in marks.items() if (ledger := shelf.find(id_, mark)) is not None}
    read = await _ledgers(tx, {id_: mark for id_, mark in marks.items() if id_ not in kept})
    ledgers = {id_: kept.get(id_) or read[id_] for id_ in marks}
    shelf.keep(ledgers.values())
    return ledgers


async def _lock(tx: AsyncConnection, ids: Sequence[str], names: Names) -> dict[str, Mark]:
    rows = await tx.execute(_LOCK, {"ids": document(ids), "names": document(names)})
    return {id_: tuple(mark) for id_, *mark in rows}


async def _ledgers(tx: AsyncConnection, marks: Mapping[str, Mark]) -> dict[str, Ledger]:
    """Locked registrations as the database has them. Of those that are new there is nothing to read."""
    known = [id_ for id_, (_, version, _, status) in marks.items() if version or status is not None]
    statuses = {id_: status for id_, status in await tx.execute(_STATUSES, {"ids": document(known)})} if known else {}
    histories = await _histories(tx, known) if known else {}
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


async def _histories(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Fact]]:
    histories: dict[str, list[Fact]] = {}
    found = await tx.execute(_FACTS, {"ids": document(ids)})
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
    tx: AsyncConnection, owner: str, events: Sequence[Event], holds: Mapping[str, Sequence[Hold]], *, held: bool
) -> dict[BoundName, Bound]:
    """What the sources and ids of a batch, and of what waits beside it, are bound to."""
    waiting = (hold.event for group in holds.values() for hold in group)
    names = _names([*events, *waiting])
    if not names:
        return {}
    named = {"names": document(names)}
    accepted = await tx.execute(_ACCEPTED, named)
    bound = {(owner, s, i): Bound(r, d, "accepted", at) for s, i, r, d, at in accepted}
    if held:
        bound |= {(o, s, i): Bound(r, d, "held", at) for o, s, i, r, d, at in await tx.execute(_HELD, named)}
    return bound


async def _queues(tx: AsyncConnection, ids: Sequence[str]) -> set[tuple[str, str]]:
    c = QUARANTINE.c
    statement = select(c.topic, c.registration_id).where(c.registration_id == func.any(list(ids))).distinct()
    return {(topic, registration) for topic, registration in await tx.execute(statement)}


async def _seen(tx: AsyncConnection, places: Sequence[Position], waiting: _Waiting) -> set[Position]:
    """Which of these records were answered, are held or stand in a queue: the relay may send a request twice."""
    if not places:
        return set()
    named = {"places": document([(p.topic, p.partition, p.offset) for p in places])}
    seen: set[Position] = set()
    asked = {"journal": True, "holds": waiting.held, "quarantine": waiting.queued}
    for name in (name for name, needed in asked.items() if needed):
        seen.update(Position(*row) for row in await tx.execute(_SEEN[name], named))
    return seen
