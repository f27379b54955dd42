"""The comparison of what is held with a replay finds each kind of difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.reporting import rebuild
from services.reporting.projection import ASSESSMENT, Known
from services.reporting.rebuild import Everything, Held, Rebuilt, compare, held_of
from services.reporting.receipts import Receipt
from tests.reporting import told
from tests.reporting.told import PARTNER, RECEIVED, at

JANUARY, FEBRUARY, JUNE = (at(f"2024-{month:02}-10T09:00:00Z") for month in (1, 2, 6))
IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 5)]
STATES = (told.status(1, told.registered(JANUARY)), told.mentored(1, told.session(FEBRUARY)), told.completion(1, JUNE))
RECEIPT = Receipt(PARTNER, 7, "accepted", (), RECEIVED)
REPLAYED = {id_: held_of(Known(id_, *STATES), [(ASSESSMENT, 1, PARTNER)]) for id_ in IDS}
SAME = Everything(REPLAYED, frozenset({RECEIPT}))


def test_the_same_is_no_difference() -> None:
    assert compare(SAME, SAME) == Rebuilt(4, (), 1)


def test_a_row_without_anything_is_none() -> None:
    empty = Everything({IDS[0]: Held(Known(IDS[0]))})
    assert compare(empty, Everything()) == Rebuilt(1, ())
    assert compare(Everything(), empty) == Rebuilt(1, ())


PLANTED: dict[str, Callable[[Held], Held]] = {
    "known": lambda held: replace(held, known=replace(held.known, assessment=None)),
    "periods": lambda held: replace(held, periods=held.periods[:-1]),
    "entries": lambda held: replace(held, entries=dict.fromkeys(held.entries, 2)),
    "views": lambda held: replace(held, views={PARTNER: {**held.views[PARTNER], "state": "deferred"}}),
    "facts": lambda held: replace(held, facts=frozenset()),
}


@pytest.mark.parametrize("part", PLANTED)
def test_a_planted_difference_is_found(part: str) -> None:
    held = SAME.held | {IDS[1]: PLANTED[part](REPLAYED[IDS[1]])}
    assert compare(replace(SAME, held=held), SAME) == Rebuilt(4, (IDS[1],), 1)


def test_what_only_one_side_has_is_found() -> None:
    lost, invented = IDS[:2]
    held = {id_: found for id_, found in REPLAYED.items() if id_ != lost}
    replayed = {id_: found for id_, found in REPLAYED.items() if id_ != invented}
    assert compare(replace(SAME, held=held), replace(SAME, held=replayed)) == Rebuilt(4, (lost, invented), 1)


def test_a_receipt_that_was_lost_or_is_another_is_named_by_its_record() -> None:
    named = Rebuilt(4, (f"{PARTNER} record 7",), 1)
    assert compare(replace(SAME, receipts=frozenset()), SAME) == named
    other = frozenset({replace(RECEIPT, outcome="rejected")})
    assert compare(replace(SAME, receipts=other), SAME) == named


async def test_all_there_is_may_take_longer_to_read_than_a_transaction_may(
    migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(tx: AsyncConnection) -> Everything:
        await tx.execute(text("SELECT pg_sleep(0.5)"))
        return SAME

    monkeypatch.setattr(rebuild, "held_in", slowly)
    bounds = "-c transaction_timeout=200ms -c idle_in_transaction_session_timeout=200ms"
    engine = create_async_engine(migrated, connect_args={"options": bounds})
    held = await rebuild._live(engine)
    await engine.dispose()
    assert held[1] == SAME
