"""The one way from messages to rows: lock, drop what was read before, fold, write and commit as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import store
from services.reporting.projection import Told, fold, read
from services.reporting.store import Change
from shared.asking import ask, beside
from shared.database import transaction
from shared.pipeline import Done
from shared.positions import claiming
from shared.records import RawRecord


async def project(engine: AsyncEngine, batch: Sequence[RawRecord]) -> Done:
    """Take in a batch: each registration is folded and written once, however many messages tell of it."""
    async with transaction(engine) as tx:
        messages = [read(record) for record in batch]
        registrations = {message.registration for message in messages}
        claim, known = await ask(tx, beside(claiming(batch), store.locking(registrations)))
        told = [message for record, message in zip(batch, messages, strict=True) if claim.takes(record)]
        groups = _by_registration(told)
        changes = [Change(known[id_], fold(known[id_], group)) for id_, group in groups.items()]
        await store.save(tx, changes, told, claim.advance)
    return Done(gaps=claim.gaps, records=len(told))


def _by_registration(messages: Iterable[Told]) -> dict[str, list[Told]]:
    groups: defaultdict[str, list[Told]] = defaultdict(list)
    for message in messages:
        groups[message.registration].append(message)
    return dict(groups)
