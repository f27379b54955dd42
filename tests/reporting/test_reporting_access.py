"""Partners are named once; a holder has at most two tokens, and the database none of them."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.reporting.access import add_partner, is_token, issue_token, partners, scope_of
from services.reporting.scope import Scope
from services.reporting.tables import TokenRow
from shared.database import snapshot, table

ASHDOWN, BURR, READER = Scope.of_partner("ashdown"), Scope.of_partner("burr"), Scope.national_reader()


@pytest.fixture
async def named(engine: AsyncEngine) -> AsyncEngine:
    await add_partner(engine, "burr", "Burr Learning")
    await add_partner(engine, "ashdown", "Ashdown")
    return engine


async def test_partners_are_listed_by_code_and_may_be_renamed(named: AsyncEngine) -> None:
    await add_partner(named, "ashdown", "Ashdown Training")
    assert [(p.code, p.name) for p in await partners(named)] == [
        ("ashdown", "Ashdown Training"),
        ("burr", "Burr Learning"),
    ]


@pytest.mark.parametrize("code", ["", "Ashdown", "a.b", "a b", "lead", "a\n"])
async def test_what_cannot_be_a_code_is_refused(engine: AsyncEngine, code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        await add_partner(engine, code, "Name")


async def test_a_token_gives_its_holders_scope_and_an_unknown_one_none(named: AsyncEngine) -> None:
    for scope in (ASHDOWN, BURR, READER):
        token = await issue_token(named, scope)
        assert is_token(token)
        assert await scope_of(named, token) == scope
        assert await scope_of(named, token[:-1] + ("A" if token[-1] != "A" else "E")) is None


async def test_the_oldest_of_three_ends_and_other_holders_keep_theirs(named: AsyncEngine) -> None:
    kept = {scope: await issue_token(named, scope) for scope in (BURR, READER)}
    first, second, third = [await issue_token(named, ASHDOWN) for _ in range(3)]
    assert await scope_of(named, first) is None
    assert [await scope_of(named, token) for token in (second, third)] == [ASHDOWN, ASHDOWN]
    assert {scope: await scope_of(named, token) for scope, token in kept.items()} == {BURR: BURR, READER: READER}


async def test_issued_at_once_two_are_left(named: AsyncEngine) -> None:
    for _ in range(3):  # the first round only opens the connections
        tokens = await asyncio.gather(*(issue_token(named, READER) for _ in range(5)))
        assert [await scope_of(named, token) for token in tokens].count(READER) == 2


async def test_a_partner_that_was_never_added_gets_no_token(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError):
        await issue_token(engine, ASHDOWN)


async def test_no_token_is_kept(named: AsyncEngine) -> None:
    token = await issue_token(named, ASHDOWN)
    async with snapshot(named) as tx:
        (row,) = await tx.execute(select(table(TokenRow)))
    assert len(row.token_sha256) == 32
    assert token.encode() not in b"".join(str(value).encode() for value in row)
