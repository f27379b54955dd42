"""Partners and bearer tokens. A token is shown once, when it is issued; only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.reporting.scope import Scope
from services.reporting.tables import PartnerRow, TokenRow
from shared.database import table, transaction
from shared.topics import LEAD

TOKENS_AT_A_TIME: Final = 2
"""Two valid ones, so that a holder can change over without a gap."""

_TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE: Final = re.compile(r"[a-z0-9-]+")
_PARTNERS: Final = table(PartnerRow)
_TOKENS: Final = table(TokenRow)


@dataclass(frozen=True, slots=True)
class Partner:
    """A delivery partner."""

    code: str
    name: str
    added_at: datetime


async def add_partner(engine: AsyncEngine, code: str, name: str) -> None:
    """Add a partner; one that is there gets the name. Raises ValueError for what cannot be a partner's code."""
    if not _CODE.fullmatch(code) or code == LEAD:
        raise ValueError("a partner's code consists of a-z, 0-9 and -, and is not the lead's")
    statement = upsert(_PARTNERS).values(code=code, name=name)
    async with transaction(engine) as tx:
        await tx.execute(statement.on_conflict_do_update(index_elements=["code"], set_={"name": name}))


async def partners(engine: AsyncEngine) -> tuple[Partner, ...]:
    """All partners by code."""
    async with transaction(engine) as tx:
        rows = await tx.execute(select(_PARTNERS).order_by(_PARTNERS.c.code))
        return tuple(Partner(row.code, row.name, row.added_at) for row in rows)


async def issue_token(engine: AsyncEngine, scope: Scope) -> str:
    """A new token for a scope; the holder's oldest beyond `TOKENS_AT_A_TIME` ends.

    Raises IntegrityError (sqlalchemy) for a partner that was never added.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    kind = "reader" if scope.partner is None else "partner"
    async with transaction(engine) as tx:
        # One at a time, or two at once would each leave the other's token standing.
        await tx.execute(text("LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE"))
        await tx.execute(insert(_TOKENS).values(token_sha256=_hash(token), scope=kind, partner=scope.partner))
        await _end_old(tx, scope)
    return token


async def end_tokens(engine: AsyncEngine, scope: Scope) -> int:
    """End all tokens for a scope; returns how many there were."""
    async with transaction(engine) as tx:
        return (await tx.execute(delete(_TOKENS).where(_held_by(scope)))).rowcount


async def _end_old(tx: AsyncConnection, scope: Scope) -> None:
    c = _TOKENS.c
    newest_first = select(c.token_sha256).where(_held_by(scope)).order_by(c.issued_at.desc(), c.token_sha256)
    await tx.execute(delete(_TOKENS).where(c.token_sha256.in_(newest_first.offset(TOKENS_AT_A_TIME))))


def _held_by(scope: Scope) -> Any:
    return _TOKENS.c.partner.is_not_distinct_from(scope.partner)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


async def scope_of(engine: AsyncEngine, token: str) -> Scope | None:
    """Whose token this is; None if it is nobody's. It is found by its hash, so nothing is compared byte by byte."""
    statement = select(_TOKENS.c.partner).where(_TOKENS.c.token_sha256 == _hash(token))
    async with transaction(engine) as tx:
        row = (await tx.execute(statement)).first()
    return Scope(row.partner) if row else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
