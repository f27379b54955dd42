"""Enrolment's own reads and writes: identity, keys, claims and places. All its SQL stands here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.enrolment.judge import Directory, EnrolmentJudge, Identity
from services.enrolment.places import place_anew
from services.enrolment.tables import IdentityRow, PersonRow, SettingKeyRow
from shared.contract import Event
from shared.database import among, table
from shared.events.catalogue import REGISTERED
from shared.judging import Judge
from shared.pipeline import REFERENCE, LostRace
from shared.positions import clock
from shared.reference import Reference, Setting, SettingPeriod, Versions
from shared.store import add_rows, lock_ledgers, publish, save_ledgers

_IDENTITY: Final = table(IdentityRow)
_PERSONS: Final = table(PersonRow)
_SETTINGS: Final = table(SettingKeyRow)


async def open_judge(tx: AsyncConnection, reference: Reference, events: Sequence[Event]) -> Judge:
    """The judge of a batch, with keys, claims and places of the registrations in it."""
    registrations = [event for event in events if event.kind is REGISTERED]
    directory = await _directory(tx, registrations) if registrations else Directory()
    return EnrolmentJudge(reference, directory)


async def _directory(tx: AsyncConnection, events: Sequence[Event]) -> Directory:
    persons = sorted({event.data["trainee_id"] for event in events})
    settings = sorted({event.data["setting_urn"] for event in events})
    return Directory(
        person_keys=await _keys(tx, _PERSONS.c.trainee_id, _PERSONS.c.person_key, persons),
        setting_keys=await _keys(tx, _SETTINGS.c.setting_urn, _SETTINGS.c.setting_key, settings),
        places=await setting_periods(tx, settings),
        claims={identity.claim: identity for identity in await _claims(tx, events)},
        registered_persons=await _registered(tx, persons),
    )


async def _keys(tx: AsyncConnection, name: Any, key: Any, wanted: Sequence[str]) -> dict[str, str]:
    rows = await tx.execute(select(name, key).where(name == func.any(list(wanted))))
    return {identifier: value for identifier, value in rows}


async def setting_periods(tx: AsyncConnection, urns: Sequence[str]) -> dict[str, Sequence[SettingPeriod]]:
    """The periods of settings as now known: where a setting lies is no rule that a record is judged by."""
    c = REFERENCE.c
    statement = select(c.key, c.versions).where(c.kind == "settings", c.key == func.any(list(urns)))
    found: dict[str, Sequence[SettingPeriod]] = {}
    for urn, versions in await tx.execute(statement):
        body = Versions.model_validate(versions).versions[-1].body
        if isinstance(body, Setting):
            found[urn] = body.periods
    return found


async def _claims(tx: AsyncConnection, events: Sequence[Event]) -> list[Identity]:
    names = sorted({(e.sender, e.data["partner_ref"], e.data["cohort_code"]) for e in events})
    c = _IDENTITY.c
    statement = select(_IDENTITY).where(c.live, among((c.partner, c.partner_ref, c.cohort_code), names))
    return [
        Identity(
            row.registration_id,
            row.partner,
            row.partner_ref,
            row.cohort_code,
            row.trainee_id,
            row.setting_urn,
            (row.source, row.event_id),
        )
        for row in await tx.execute(statement.with_for_update())
    ]


async def _registered(tx: AsyncConnection, persons: Sequence[str]) -> set[str]:
    c = _IDENTITY.c
    rows = await tx.execute(select(c.trainee_id).where(c.live, c.trainee_id == func.any(list(persons))))
    return set(rows.scalars())


async def close_judge(tx: AsyncConnection, judge: Judge) -> None:
    """Write what the batch made of identity, keys and claims. A key that another took first is a lost race."""
    assert isinstance(judge, EnrolmentJudge)
    directory = judge.directory
    added = list(directory.added.values())
    await _free(tx, directory.freed)
    await _new_keys(tx, _PERSONS, "trainee_id", "person_key", directory.person_keys, {i.trainee_id for i in added})
    await _new_keys(tx, _SETTINGS, "setting_urn", "setting_key", directory.setting_keys, {i.setting_urn for i in added})
    rows = [_identity_row(identity, live=identity.registration not in directory.freed) for identity in added]
    await add_rows(tx, _IDENTITY, rows)
    await _withhold(tx, directory.withheld)


async def _new_keys(
    tx: AsyncConnection, target: Any, name: str, key: str, keys: dict[str, str], used: set[str]
) -> None:
    known = await _keys(tx, target.c[name], target.c[key], sorted(used))
    if any(keys[identifier] != value for identifier, value in known.items()):
        raise LostRace("another instance has made the key of a person or setting")
    rows = [{name: identifier, key: keys[identifier]} for identifier in sorted(used - known.keys())]
    await add_rows(tx, target, rows)


def _identity_row(identity: Identity, *, live: bool) -> dict[str, object]:
    return {
        "registration_id": identity.registration,
        "partner": identity.partner,
        "partner_ref": identity.partner_ref,
        "cohort_code": identity.cohort_code,
        "trainee_id": identity.trainee_id,
        "setting_urn": identity.setting_urn,
        "source": identity.name[0],
        "event_id": identity.name[1],
        "live": live,
        "withheld": {},
    }


async def _free(tx: AsyncConnection, registrations: set[str]) -> None:
    if registrations:
        c = _IDENTITY.c
        ids = sorted(registrations)
        await tx.execute(update(_IDENTITY).where(c.registration_id == func.any(ids)).values(live=False))


async def _withhold(tx: AsyncConnection, withheld: Sequence[tuple[str, str, str]]) -> None:
    """Personal reasons stay here and go nowhere else."""
    rows = [{"r": registration, "w": {name: reason}} for registration, name, reason in withheld]
    if rows:
        c = _IDENTITY.c
        merged = c.withheld.op("||")(bindparam("w", type_=c.withheld.type))
        await tx.execute(update(_IDENTITY).where(c.registration_id == bindparam("r")).values(withheld=merged), rows)


async def move_places(tx: AsyncConnection, urns: Sequence[str]) -> None:
    """Place the registrations of changed settings anew."""
    c = _IDENTITY.c
    rows = await tx.execute(select(c.registration_id, c.setting_urn).where(c.setting_urn == func.any(list(urns))))
    settings = {registration: urn for registration, urn in rows}
    ledgers = await lock_ledgers(tx, sorted(settings))
    periods = await setting_periods(tx, urns)
    now = await clock(tx)
    placed = [
        found
        for registration, ledger in ledgers.items()
        if (found := place_anew(ledger, periods.get(settings[registration], ()), now)) is not None
    ]
    await save_ledgers(tx, [ledger for ledger, _ in placed])
    await publish(tx, [message for _, told in placed for message in told])
