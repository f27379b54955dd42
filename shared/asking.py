"""What is asked of the database in as few round trips as its questions depend on each other.

Each part of the code says what it asks, and what it makes of the rows, without waiting: parts that need nothing of each
other are asked beside each other, in one round trip, and a part that needs to know more asks again with whoever does.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar, overload

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import Rows, Statement, run

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

Asking = Generator[Sequence[Statement], Sequence[Rows], T]
"""Yields the statements of a round trip, is sent the rows of each, and returns what it makes of them."""


async def ask(tx: AsyncConnection, asking: Asking[T]) -> T:
    """The answer, in one round trip for each time that it asks. Raises DBAPIError as `run`."""
    rows: Sequence[Rows] | None = None
    while True:
        try:
            statements = asking.send(rows) if rows is not None else next(asking)
        except StopIteration as end:
            answer: T = end.value
            return answer
        rows = await run(tx, *statements) if statements else ()


@overload
def beside(first: Asking[A], second: Asking[B], /) -> Asking[tuple[A, B]]: ...
@overload
def beside(first: Asking[A], second: Asking[B], third: Asking[C], /) -> Asking[tuple[A, B, C]]: ...
def beside(*askings: Asking[Any]) -> Asking[Any]:
    """All answers; what they ask at the same time goes together, in the order given."""
    answers: list[Any] = [None] * len(askings)
    sent: dict[int, Sequence[Rows] | None] = dict.fromkeys(range(len(askings)))
    while sent:
        due: dict[int, Sequence[Statement]] = {}
        for number, rows in sent.items():
            asking = askings[number]
            try:
                due[number] = asking.send(rows) if rows is not None else next(asking)
            except StopIteration as end:
                answers[number] = end.value
        if not due:
            break
        told = iter((yield [statement for statements in due.values() for statement in statements]))
        sent = {number: [next(told) for _ in statements] for number, statements in due.items()}
    return tuple(answers)
