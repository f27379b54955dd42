"""The comparison of what is held with a replay finds each kind of difference."""

from __future__ import annotations

from dataclasses import replace

from services.reporting.projection import Known, dated
from services.reporting.rebuild import Held, Rebuilt, compare
from tests.reporting import told
from tests.reporting.told import at

JANUARY, JUNE = at("2024-01-10T09:00:00Z"), at("2024-06-10T09:00:00Z")
IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 5)]
REPLAYED = {id_: Known(id_, told.status(1, told.registered(JANUARY)), told.completion(1, JUNE)) for id_ in IDS}
SAME = {id_: Held(known, dated(known)) for id_, known in REPLAYED.items()}


def test_the_same_is_no_difference() -> None:
    assert compare(SAME, REPLAYED) == Rebuilt(4, ())


def test_a_row_without_anything_is_none() -> None:
    empty = IDS[0]
    assert compare({empty: Held(Known(empty))}, {}) == Rebuilt(1, ())
    assert compare({}, {empty: Known(empty)}) == Rebuilt(1, ())


def test_each_planted_difference_is_found() -> None:
    changed, cut, lost, invented = IDS
    held = SAME | {
        changed: replace(SAME[changed], known=replace(REPLAYED[changed], completion=None)),
        cut: replace(SAME[cut], periods=SAME[cut].periods[:-1]),
    }
    del held[lost]
    replayed = {id_: known for id_, known in REPLAYED.items() if id_ != invented}
    assert compare(held, replayed) == Rebuilt(4, tuple(IDS))
