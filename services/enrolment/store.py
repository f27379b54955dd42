"""Enrolment's own reads and writes: identity, keys, claims and places. All its SQL stands here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.enrolment.directory import Directory, Identity, references, told
from services.enrolment.judge import EnrolmentJudge
from services.enrolment.places import place_anew
from services.enrolment.tables import IdentityRow, PersonRow, SettingKeyRow, WithheldRow
from shared.contract import Event
from shared.database import add_rows, among, table
from shared.history import Name
from shared.judging import Judge
from shared.loading import lock_ledgers
from shared.pipeline import REFERENCE
from shared.positions import clock
from shared.reference import Reference, Setting, SettingPeriod, Versions
from shared.store import publish, save_ledgers

_IDENTITY: Final = table(IdentityRow)
_PERSONS: Final = table(PersonRow)
_SETTINGS: Final = table(SettingKeyRow)
_WITHHELD: Final = table(WithheldRow)


async def open_judge(tx: AsyncConnection, reference: Reference, events: Sequence[Event]) -> Judge:
    """The judge of a batch, with keys, claims and places of what registrations and transfers it tells."""
    return EnrolmentJudge(reference, await _directory(tx, events))


async def _directory(tx: AsyncConnection, events: Sequence[Event]) -> Directory:
    data = [found for event in events if (found := told(event)) is not None]
    names = sorted({reference for event in events for reference in references(event)})
    if not names:
        return Directory()
    persons = sorted({each["trainee_id"] for each in data})
    settings = sorted({each["setting_urn"] for each in data})
    known = sorted({event.registration for event in events if any(references(event))})
    return Directory(
        person_keys=await _keys(tx, _PERSONS.c.trainee_id, _PERSONS.c.person_key, persons),
        setting_keys=await _keys(tx, _SETTINGS.c.setting_urn, _SETTINGS.c.setting_key, settings),
        places=await setting_periods(tx, settings),
        claims={identity.claim: identity for identity in await _claims(tx, names)},
        registered_persons=await _registered(tx, persons),
        identities=await _identities(tx, known),
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


async def _claims(tx: AsyncConnection, names: Sequence[tuple[str, str]]) -> list[Identity]:
    """Who has these references of these partners, in any cohort; locked, in one order everywhere."""
    if not names:
        return []
    c = _IDENTITY.c
    claiming = select(_IDENTITY).where(c.live, among((c.partner, c.partner_ref), names))
    rows = await tx.execute(claiming.order_by(c.source, c.event_id).with_for_update())
    return [_identity_of(row) for row in rows]


async def _identities(tx: AsyncConnection, registrations: Sequence[str]) -> dict[str, dict[Name, Identity]]:
    """What the facts of registrations claim."""
    rows = await tx.execute(select(_IDENTITY).where(_IDENTITY.c.registration_id == func.any(list(registrations))))
    found: dict[str, dict[Name, Identity]] = {}
    for identity in map(_identity_of, rows):
        found.setdefault(identity.registration, {})[identity.name] = identity
    return found


def _identity_of(row: Any) -> Identity:
    return Identity(
        row.registration_id,
        (row.source, row.event_id),
        row.partner,
        row.partner_ref,
        row.cohort_code,
        row.trainee_id,
        row.setting_urn,
    )


async def _registered(tx: AsyncConnection, persons: Sequence[str]) -> set[str]:
    c = _IDENTITY.c
    rows = await tx.execute(select(c.trainee_id).where(c.live, c.trainee_id == func.any(list(persons))))
    return set(rows.scalars())


async def close_judge(tx: AsyncConnection, judge: Judge) -> None:
    """Write what the batch made of identity, keys and claims. A key that another took first is a lost race."""
    assert isinstance(judge, EnrolmentJudge)
    directory = judge.directory
    persons = [{"trainee_id": trainee, "person_key": key} for trainee, key in sorted(directory.new_persons.items())]
    settings = [{"setting_urn": urn, "setting_key": key} for urn, key in sorted(directory.new_settings.items())]
    await add_rows(tx, _PERSONS, persons)
    await add_rows(tx, _SETTINGS, settings)
    await _free(tx, directory)
    await _save(tx, directory)
    await _withhold(tx, directory.withheld)


async def _free(tx: AsyncConnection, directory: Directory) -> None:
    """First all is freed that was claimed before, so that claims may be exchanged."""
    c, live = _IDENTITY.c, update(_IDENTITY).values(live=False)
    if directory.freed:
        await tx.execute(live.where(c.registration_id == func.any(sorted(directory.freed))))
    if directory.changed:
        await tx.execute(live.where(among((c.source, c.event_id), sorted(directory.changed))))


async def _save(tx: AsyncConnection, directory: Directory) -> None:
    """Identities as they are now."""
    changed = (identity for _, identity in sorted(directory.changed.items()))
    rows = [_identity_row(identity, live=directory.is_live(identity)) for identity in changed]
    if rows:
        statement = upsert(_IDENTITY)
        again = {name: statement.excluded[name] for name in rows[0]}
        key = [_IDENTITY.c.source, _IDENTITY.c.event_id]
        await tx.execute(statement.on_conflict_do_update(index_elements=key, set_=again), rows)


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
    }


async def _withhold(tx: AsyncConnection, withheld: Sequence[tuple[str, Name, str]]) -> None:
    """Personal reasons stay here and go nowhere else."""
    rows = [
        {"registration_id": registration, "source": source, "event_id": id_, "reason": reason}
        for registration, (source, id_), reason in withheld
    ]
    await add_rows(tx, _WITHHELD, rows)


async def move_places(tx: AsyncConnection, urns: Sequence[str]) -> None:
    """Place the registrations of changed settings anew."""
    ledgers = await lock_ledgers(tx, sorted(await _from_settings(tx, urns)))
    settings = await _from_settings(tx, urns)  # again: one may have moved before it was locked
    periods = await setting_periods(tx, urns)
    now = await clock(tx)
    placed = [
        found
        for registration, ledger in ledgers.items()
        if registration in settings
        and (found := place_anew(ledger, periods.get(settings[registration], ()), now)) is not None
    ]
    await save_ledgers(
        tx, [ledger for ledger, _ in placed], {ledger.registration: ledger.status for ledger, _ in placed}
    )
    await publish(tx, [message for _, told in placed for message in told])


async def _from_settings(tx: AsyncConnection, urns: Sequence[str]) -> dict[str, str]:
    """The registrations from these settings, each with its own."""
    c = _IDENTITY.c
    statement = select(c.registration_id, c.setting_urn).where(c.setting_urn == func.any(list(urns))).distinct()
    return {registration: urn for registration, urn in await tx.execute(statement)}
