"""The one way from records to answers: lock, drop what was read before, judge, write and commit as one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from shared import positions, store, topics
from shared.asking import Asking, ask, beside
from shared.batch import Batch
from shared.contract import Event, Position, position_of
from shared.database import Statement, run, table, transaction
from shared.judging import Fault, Item, Judge, SystemicFault, Writes, is_systemic, registrations_of
from shared.loading import load
from shared.logs import frames
from shared.positions import Claim, claiming
from shared.records import RawRecord
from shared.reference import Reference, Versions
from shared.shelf import LedgerShelf
from shared.tables import ReferenceRow

REFERENCE: Final = table(ReferenceRow)
_READ_TO: Final[Statement] = (
    text("SELECT topic, next_offset FROM positions WHERE topic LIKE :prefix ORDER BY topic"),
    {"prefix": topics.reference("") + "%"},
)
log = logging.getLogger("senconet.pipeline")
_MOVED: Final = frozenset({"journal_one_answer", "holds_pkey", "quarantine_pkey", "holds_one_event"})


class PositionMoved(RuntimeError):
    """A record was answered twice: somebody moved a stored position. The service stops and says so."""


class LostRace(RuntimeError):
    """Another instance took a key first: the batch is decided again on what holds now."""


NOT_OF_A_RECORD: Final = (DBAPIError, OSError, TimeoutError, PositionMoved, LostRace, SystemicFault)
"""What speaks of engines, or of the service as a whole: given back and tried again, or the service stops."""


class ReferenceShelf:
    """The small kinds of reference data as a service has read them, kept while nothing new has been read."""

    def __init__(self) -> None:
        self._read_to: tuple[tuple[str, int], ...] | None = None
        self.reference = Reference()

    async def kept(self, tx: AsyncConnection) -> Reference:
        """What was read last, though there may be something new by now."""
        if self._read_to is None:
            await self.renew(tx)
        return self.reference

    def holds(self, reference: Reference) -> Asking[bool]:
        """Whether this is what has been read as of now: the stored positions tell whether that is something new."""
        (rows,) = yield [_READ_TO]
        return reference is self.reference and tuple(rows) == self._read_to

    async def renew(self, tx: AsyncConnection) -> None:
        """Take what has been read as of now."""
        (rows,) = await run(tx, _READ_TO)
        self._read_to, self.reference = tuple(rows), await _read_reference(tx)

    async def at(self, tx: AsyncConnection) -> Reference:
        """What has been read as of this transaction."""
        if not await ask(tx, self.holds(self.reference)):
            await self.renew(tx)
        return self.reference


async def _read_reference(tx: AsyncConnection) -> Reference:
    kinds: dict[str, dict[str, Versions]] = {}
    statement = select(REFERENCE.c.kind, REFERENCE.c.key, REFERENCE.c.versions).where(REFERENCE.c.kind != "settings")
    for kind, key, versions in await tx.execute(statement):
        kinds.setdefault(kind, {})[key] = Versions.model_validate(versions)
    return Reference(kinds)


@dataclass(frozen=True)
class Deciding:
    """What a deciding service brings to the pipeline: how it reads a record, its rules, and its own rows.

    `read_again` reads one that waits; `open` asks for what its rules need for these events; `close` says what they made
    of it.
    """

    name: str
    engine: AsyncEngine
    read: Callable[[RawRecord, Reference], Item]
    read_again: Callable[[RawRecord], Event]
    locate: Callable[[RawRecord], tuple[Position, str | None]]
    open: Callable[[Reference, Sequence[Event]], Asking[Judge]]
    close: Callable[[Judge], Sequence[Statement]]
    received_until: Callable[[], Asking[datetime | None]]
    blocked: Callable[[], Asking[frozenset[tuple[str, str]]]]
    hold_for: timedelta
    held_receipt_after: timedelta
    shelf: ReferenceShelf = field(default_factory=ReferenceShelf)
    ledgers: LedgerShelf = field(default_factory=LedgerShelf)


@dataclass(frozen=True)
class Done:
    """What came of a batch: partitions to go back on, and the counts that metrics show."""

    gaps: dict[positions.Partition, int] = field(default_factory=dict)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    records: int = 0
    failed: int = 0

    def plus(self, other: Done) -> Done:
        """Both together."""
        return Done(
            self.gaps | other.gaps,
            self.outcomes + other.outcomes,
            self.codes + other.codes,
            self.records + other.records,
            self.failed + other.failed,
        )


async def process(service: Deciding, batch: Sequence[RawRecord]) -> Done:
    """Answer a batch. A record that cannot be, for a fault of ours, is found by halving, and it alone is set apart.

    Raises SystemicFault if that comes to over half of a batch of any size; what was set apart by then stays so.
    """
    done = await _process(service, batch)
    if is_systemic(done.failed, len(batch)):
        raise SystemicFault(f"{done.failed} of {len(batch)} records failed")
    return done


async def _process(service: Deciding, batch: Sequence[RawRecord]) -> Done:
    try:
        return await _attempt(service, batch, frozenset())
    except Exception as error:
        if isinstance(error, NOT_OF_A_RECORD) and not refuses_a_value(error):
            raise
        log.error("a fault in a batch of %d: %s\n%s", len(batch), type(error).__name__, frames(error))
    if len(batch) == 1:
        return await _attempt(service, batch, frozenset({position_of(batch[0])}))
    middle = len(batch) // 2
    first = await _process(service, batch[:middle])
    return first.plus(await _process(service, batch[middle:]))


@retry(retry=retry_if_exception_type(LostRace), stop=stop_after_attempt(5), reraise=True)
async def _attempt(service: Deciding, batch: Sequence[RawRecord], poison: frozenset[Position]) -> Done:
    try:
        async with transaction(service.engine) as tx:
            claim, judging = await judge_records(service, tx, batch, poison, claiming)
    except DBAPIError as error:
        raise _named(error) from error
    writes = judging.batch.writes
    service.ledgers.under(judging.reference).keep(writes.ledgers.values())
    taken = sum(map(claim.takes, batch))
    return Done(claim.gaps, writes.outcomes, codes_of(writes), taken, len(writes.failed))


def codes_of(writes: Writes) -> Counter[str]:
    """How often each code was answered."""
    return Counter(code for written in writes.answers for code in written.answer.codes)


async def judge_records(
    service: Deciding,
    tx: AsyncConnection,
    raws: Sequence[RawRecord],
    poison: frozenset[Position],
    claiming: Callable[[Sequence[RawRecord]], Asking[Claim]],
) -> tuple[Claim, Judging]:
    """Read, load under locks, judge and write what is claimed of some records, at the end of the transaction given.

    They are read, and asked for, under the reference data of the batch before: if there is something new, once more.
    """
    current = False
    while not current:
        reference = await service.shelf.kept(tx)
        items = [_read(service, raw, reference, poison) for raw in raws]
        events = [item for item in items if isinstance(item, Event)]
        claim, current, judging = await ask(
            tx,
            beside(
                claiming(raws),
                service.shelf.holds(reference),
                opening(service, reference, registrations_of(items), events),
            ),
        )
        if not current:
            await service.shelf.renew(tx)
    judging.batch.take_all([item for raw, item in zip(raws, items, strict=True) if claim.takes(raw)])
    await judging.save(tx, claim.advance)
    return claim, judging


def _read(service: Deciding, raw: RawRecord, reference: Reference, poison: frozenset[Position]) -> Item | Fault:
    if position_of(raw) in poison:
        return Fault(raw, *service.locate(raw), "Poisoned")
    try:
        return service.read(raw, reference)
    except Exception as fault:  # a bug of ours in reading: this record waits, the others go on
        log.error("a record cannot be read: %s\n%s", type(fault).__name__, frames(fault))
        return Fault(raw, *service.locate(raw), type(fault).__name__)


@dataclass(frozen=True)
class Judging:
    """A batch opened under locks, and how to write it."""

    service: Deciding
    reference: Reference
    judge: Judge
    batch: Batch
    now: datetime

    async def save(self, tx: AsyncConnection, first: Sequence[Statement] = ()) -> None:
        """Write what was judged, with what else is to be written, and commit."""
        statements = [*first, *self.service.close(self.judge)]
        await store.save(tx, self.batch.writes, self.now, self.service.held_receipt_after, statements)


def opening(
    service: Deciding, reference: Reference, registrations: set[str], events: Sequence[Event]
) -> Asking[Judging]:
    """Lock and load what the judging of these events, and of what waits beside them, needs."""
    shelf = service.ledgers.under(reference)
    (world, now), judge = yield from beside(
        load(service.name, registrations, events, service.read_again, shelf), service.open(reference, events)
    )
    if waiting := [hold.event for holds in world.holds.values() for hold in holds]:
        judge = yield from service.open(reference, (*events, *waiting))
    return Judging(service, reference, judge, Batch(judge, world, now, service.hold_for), now)


def refuses_a_value(error: Exception) -> bool:
    """Whether the database refused what a record led to (SQLSTATE class 22 or 23), not the connection or a lock."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return state[:2] in {"22", "23"}


def _named(error: DBAPIError) -> Exception:
    """A violated key by its meaning: a moved position, a lost race, or a value."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if getattr(error.orig, "sqlstate", None) != "23505":
        return error
    if constraint in _MOVED:
        return PositionMoved(f"a second answer to one record ({constraint})")
    return LostRace(str(constraint))
