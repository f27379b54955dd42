"""What is asked beside each other goes in one round trip, in the order given, and each part is told its own rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from shared.asking import Asking, beside
from shared.database import Rows, Statement


def question(name: str) -> Statement:
    return text(name), {}


def asking(*trips: str) -> Asking[str]:
    """Asks for each letter of each trip, one trip after the other, and returns all that it was told."""
    told = ""
    for trip in trips:
        rows = yield [question(letter) for letter in trip]
        told += "".join(letter for (letter,) in rows)
    return told


def driven(whole: Asking[Any]) -> tuple[Any, list[str]]:
    """The answer, and what went in each round trip; the rows of a statement are its own name."""
    trips: list[str] = []
    rows: Sequence[Rows] | None = None
    while True:
        try:
            statements = whole.send(rows) if rows is not None else next(whole)
        except StopIteration as end:
            return end.value, trips
        trips.append("".join(str(statement) for statement, _ in statements))
        rows = [[str(statement)] for statement, _ in statements]


@pytest.mark.parametrize(
    ("parts", "trips"),
    [
        ([("ab",), ("c",)], ["abc"]),
        ([("ab", "d"), ("c",)], ["abc", "d"]),
        ([("a",), ("b", "cd", "e")], ["ab", "cd", "e"]),
        ([("",), ("b", "c")], ["b", "c"]),
        ([(), ("b",)], ["b"]),
        ([(), ()], []),
    ],
)
def test_each_part_is_told_its_own_rows_in_as_many_trips_as_the_longest_takes(
    parts: list[tuple[str, ...]], trips: list[str]
) -> None:
    one, other = parts
    assert driven(beside(asking(*one), asking(*other))) == (("".join(one), "".join(other)), trips)


def test_parts_may_be_made_of_parts() -> None:
    inner = beside(asking("b", "d"), asking("c"))
    assert driven(beside(asking("a"), inner, asking("x", "y", "z"))) == (
        ("a", ("bd", "c"), "xyz"),
        ["abcx", "dy", "z"],
    )
