"""Reading what a batch needs, under locks and in bulk.

Locks are taken in one order everywhere: positions, registrations by id, then what a service adds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import records
from shared.asking import Asking, ask, beside
from shared.clock import Moment
from shared.contract import Event, Position
from shared.database import Statement, document, listed, paired
from shared.events.catalogue import BY_WIRE
from shared.history import Bound, Fact, Ledger, history_of
from shared.judging import BoundName, Hold, World, problems_from
from shared.records import RawRecord
from shared.shelf import LedgerShelf, Mark
from shared.status import Status

Reader = Callable[[RawRecord], Event]

# First of all, so that every lock on a registration is taken in the order of the ids.
_MAKE_MISSING: Final = text("""
    INSERT INTO registrations (registration_id, digest_key, version)
    SELECT row ->> 0, decode(row ->> 1, 'hex'), 0 FROM json_array_elements(CAST(:made AS json)) AS made (row)
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
# One key after another: of a table that it knows nothing of yet, the planner would read the whole.
_ACCEPTED: Final = text("""
    SELECT found.* FROM json_array_elements(CAST(:names AS json)) AS given (pair), LATERAL (
        SELECT source, event_id, registration_id, digest, receivedtime FROM journal
        WHERE outcome = 'accepted' AND source = pair ->> 0 AND event_id = pair ->> 1 LIMIT 1
    ) AS found
""")
_HELD: Final = text(f"""
    SELECT owner, source, event_id, registration_id, digest, receivedtime FROM holds
    WHERE (source, event_id) IN {paired("names")}
""")
_HOLDS: Final = text(f"""
    SELECT registration_id, record, digest, deadline, problems FROM holds
    WHERE registration_id = ANY({listed("ids")})
""")
_QUEUES: Final = text(f"""
    SELECT DISTINCT topic, registration_id FROM quarantine WHERE registration_id = ANY({listed("ids")})
""")
_SEEN: Final = {
    name: text(f"""
        SELECT found.* FROM json_array_elements(CAST(:places AS json)) AS told (place), LATERAL (
            SELECT topic, "partition", position FROM {name}
            WHERE topic = place ->> 0 AND "partition" = CAST(place ->> 1 AS int)
                AND position = CAST(place ->> 2 AS bigint) LIMIT 1
        ) AS found
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


def load(
    owner: str,
    registrations: Iterable[str],
    events: Sequence[Event],
    read: Reader,
    shelf: LedgerShelf,
) -> Asking[tuple[World, datetime]]:
    """Lock the registrations and load what is known of them: history, bound ids, holds, queues, answers given.

    Returns it with the time by the database's clock, read after the locks: decisions on it are dated by that. What
    waits is asked for only where something does.
    """
    ids, names = sorted(registrations), _names(events)
    places = [event.position for event in events if event.attached is not None]
    (ledgers, waiting), bound, seen = yield from beside(
        locking(ids, names, shelf), _bound(owner, names), _seen("journal", places)
    )
    world = World(ledgers, bound, {}, set(), seen)
    if waiting.held:
        world.holds = yield from holds_of(ledgers, read)
        beside_them = _names(hold.event for group in world.holds.values() for hold in group)
        more, held = yield from beside(_bound(owner, beside_them), _seen("holds", places))
        world.bound |= more
        world.seen |= held
    if waiting.queued:
        world.queues, queued = yield from beside(_queues(ledgers), _seen("quarantine", places))
        world.seen |= queued
    return world, waiting.now


def _names(events: Iterable[Event]) -> Names:
    return sorted({(event.source, event.id) for event in events})


async def lock_ledgers(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, Ledger]:
    """Registrations with their histories, made where missing and locked in id order."""
    ledgers, _ = await ask(tx, locking(ids, (), LedgerShelf()))
    return ledgers


def locking(ids: Sequence[str], names: Names, shelf: LedgerShelf) -> Asking[tuple[dict[str, Ledger], Waiting]]:
    """Registrations with their histories, made where missing and locked in id order; so are those of which one of the
    names waits. With whether anything waits that they or the names are concerned by.

    What the shelf does not have is read at once; what it has, and another instance has changed, after that is known.
    """
    wanted, unknown = {"ids": document(ids), "names": document(names)}, [id_ for id_ in ids if id_ not in shelf]
    lock: list[Statement] = [(_LOCK, wanted), (_WAITING, wanted)]
    if unknown:
        made = {"made": document([(id_, secrets.token_hex(32)) for id_ in unknown])}
        _, locked, waiting, told, facts = yield [(_MAKE_MISSING, made), *lock, *_histories_of(unknown)]
    else:
        (locked, waiting), told, facts = (yield lock), [], []
    marks: dict[str, Mark] = {id_: tuple(mark) for id_, *mark in locked}
    if missing := set(ids) - marks.keys():  # made by a batch that was rolled back
        shelf.forget(missing)
        return (yield from locking(ids, names, shelf))
    ledgers = {id_: ledger for id_, mark in marks.items() if (ledger := shelf.find(id_, mark)) is not None}
    if changed := [id_ for id_ in marks.keys() - ledgers.keys() if id_ not in unknown]:
        more_told, more_facts = yield _histories_of(changed)
        told, facts = [*told, *more_told], [*facts, *more_facts]
    statuses, histories = dict[str, str](told), _histories(facts)
    for id_ in marks.keys() - ledgers.keys():
        ledgers[id_] = _ledger(id_, marks[id_], statuses.get(id_), histories.get(id_, ()))
    shelf.keep(ledgers.values())
    return {id_: ledgers[id_] for id_ in marks}, Waiting(*waiting[0])


def _histories_of(ids: Sequence[str]) -> list[Statement]:
    known = {"ids": document(ids)}
    return [(_STATUSES, known), (_FACTS, known)]


def _ledger(registration: str, mark: Mark, status: str | None, facts: Sequence[Fact]) -> Ledger:
    digest_key, version, decided, _ = mark
    kept = Status.model_validate_json(status) if status else None
    return Ledger(registration, digest_key, history_of(facts), kept, version, decided)


def _histories(rows: Iterable[Any]) -> dict[str, list[Fact]]:
    histories: dict[str, list[Fact]] = {}
    for registration, type_, partner, source, id_, happened, received, data in rows:
        kind = BY_WIRE[type_]
        fact = Fact(kind, partner, source, id_, Moment(happened, kind.order), received, data)
        histories.setdefault(registration, []).append(fact)
    return histories


def holds_of(ids: Iterable[str], read: Reader) -> Asking[dict[str, list[Hold]]]:
    """What waits of some registrations."""
    (rows,) = yield [(_HOLDS, {"ids": document(list(ids))})]
    holds: dict[str, list[Hold]] = {}
    for registration, record, digest, deadline, problems in rows:
        hold = Hold(read(records.load(record)), digest, deadline, problems_from(problems))
        holds.setdefault(registration, []).append(hold)
    return holds


def _bound(owner: str, names: Names) -> Asking[dict[BoundName, Bound]]:
    """What sources and ids are bound to."""
    wanted = {"names": document(names)}
    accepted, held = yield [(_ACCEPTED, wanted), (_HELD, wanted)]
    bound = {(owner, s, i): Bound(r, d, "accepted", at) for s, i, r, d, at in accepted}
    return bound | {(o, s, i): Bound(r, d, "held", at) for o, s, i, r, d, at in held}


def _seen(table: str, places: Sequence[Position]) -> Asking[set[Position]]:
    """Which of the places have been answered, are held or stand in a queue: the relay may send a request twice."""
    if not places:
        return set()
    (rows,) = yield [(_SEEN[table], {"places": document([(p.topic, p.partition, p.offset) for p in places])})]
    return {Position(*row) for row in rows}


def _queues(ids: Iterable[str]) -> Asking[set[tuple[str, str]]]:
    (rows,) = yield [(_QUEUES, {"ids": document(list(ids))})]
    return {(topic, registration) for topic, registration in rows}
