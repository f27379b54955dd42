"""The one way from messages to rows: lock, drop what was read before, fold, write and commit as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting import store
from services.reporting.projection import fold
from services.reporting.store import Change
from shared.database import transaction
from shared.pipeline import Done
from shared.positions import claim
from shared.records import RawRecord


async def project(engine: AsyncEngine, batch: Sequence[RawRecord]) -> Done:
    """Take in a batch: each registration is folded and written once, however many messages tell of it."""
    async with transaction(engine) as tx:
        fresh, gaps = await claim(tx, batch)
        told = _by_registration(fresh)
        known = await store.lock(tx, told)
        await store.save(tx, [Change(known[id_], fold(known[id_], records)) for id_, records in told.items()])
    return Done(gaps=gaps, records=len(fresh))


def _by_registration(records: Sequence[RawRecord]) -> dict[str, list[RawRecord]]:
    groups: defaultdict[str, list[RawRecord]] = defaultdict(list)
    for record in records:
        assert record.key is not None, "every message of the services has a key"
        groups[record.key.decode()].append(record)
    return dict(groups)
