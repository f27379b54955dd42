"""What a batch needs is sought by key, also in a journal of which the planner knows nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import loading
from shared.contract import Position
from shared.database import Statement, document, paired, transaction

FACTS: Final = 3000
_FILL: Final = text("""
    INSERT INTO journal (
        topic, partition, position, partner, source, event_id, outcome, codes, receivedtime, decidedtime, ruleversion
    ) SELECT 'partners.ash.events', 0, number, 'ash', '/ash', CAST(number AS text), 'accepted', '{}', now(), now(), '1'
    FROM generate_series(1, :facts) AS made (number)
""")
NAMES: Final = [("/ash", str(number)) for number in range(1, 7)]
PLACES: Final = [Position("partners.ash.events", 0, offset) for offset in range(1, 7)]


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    """A journal that was filled a moment ago: no statistics of it have been taken."""
    async with transaction(engine) as tx:
        await tx.execute(_FILL, {"facts": FACTS})
    return engine


async def plans(engine: AsyncEngine, statements: Sequence[Statement]) -> list[str]:
    """How each statement is carried out."""
    async with transaction(engine) as tx:
        told = [await tx.execute(text(f"EXPLAIN {statement}"), dict(values)) for statement, values in statements]
        return ["\n".join(rows.scalars()) for rows in told]


async def test_facts_are_sought_by_their_names(filled: AsyncEngine) -> None:
    accepted, _ = await plans(filled, next(loading._bound("enrolment", NAMES)))
    assert "Index Scan using journal_one_fact" in accepted
    assert "Hash" not in accepted


async def test_answers_are_sought_by_their_places(filled: AsyncEngine) -> None:
    (seen,) = await plans(filled, next(loading._seen("journal", PLACES)))
    assert "using journal_one_answer" in seen
    assert "Hash" not in seen


async def test_a_plain_list_of_keys_would_have_the_whole_journal_read(filled: AsyncEngine) -> None:
    naive = text(f"""
        SELECT source FROM journal WHERE outcome = 'accepted' AND (source, event_id) IN {paired("names")}
    """)
    (plan,) = await plans(filled, [(naive, {"names": document(NAMES)})])
    assert "Hash" in plan
