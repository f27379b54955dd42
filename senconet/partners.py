"""Bring a partner into the system, and keep it out: user and rights on Kafka, name and tokens at reporting."""

from __future__ import annotations

import secrets

from senconet import provision
from senconet.access import KafkaAccess
from senconet.local.credentials import PartnerCredential
from services.reporting import access
from services.reporting.scope import Scope
from shared.database import make_engine
from shared.topics import LEAD


async def add(kafka: KafkaAccess, reporting_url: str, code: str, name: str) -> PartnerCredential:
    """Add a partner, or the lead; its credential is returned once. Raises ValueError for an unfit code.

    For a partner that exists the password is changed and a second token is issued beside the newest one.
    """
    password = secrets.token_urlsafe(32)
    if code == LEAD:
        provision.add_lead(kafka, password)
        return PartnerCredential(name=name, password=password, token="")
    provision.add_partner(kafka, code, password)
    engine = make_engine(reporting_url)
    try:
        await access.add_partner(engine, code, name)
        token = await access.issue_token(engine, Scope.of_partner(code))
    finally:
        await engine.dispose()
    return PartnerCredential(name=name, password=password, token=token)


async def suspend(kafka: KafkaAccess, reporting_url: str, code: str) -> bool:
    """Keep a partner, or the lead, out until it is added again; returns whether it had any access.

    Its tokens, its rights and its password end at once. What it has sent stays, and is answered.
    """
    engine = make_engine(reporting_url)
    try:
        ended = await access.end_tokens(engine, Scope.of_partner(code))
    finally:
        await engine.dispose()
    return provision.suspend_partner(kafka, code) or ended > 0


async def issue_reader_token(reporting_url: str) -> str:
    """A token that reads national figures."""
    engine = make_engine(reporting_url)
    try:
        return await access.issue_token(engine, Scope.national_reader())
    finally:
        await engine.dispose()


async def listed(reporting_url: str) -> tuple[access.Partner, ...]:
    """All partners."""
    engine = make_engine(reporting_url)
    try:
        return await access.partners(engine)
    finally:
        await engine.dispose()
