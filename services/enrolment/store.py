"""Enrolment's own reads and writes: identity, keys, claims and places. All its SQL stands here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.enrolment.directory import Directory, Identity, references, told
from services.enrolment.judge import EnrolmentJudge
from services.enrolment.places import place_anew
from services.enrolment.tables import IdentityRow, PersonRow, SettingKeyRow, WithheldRow
from shared.contract import Event
from shared.database import add_rows, document, listed, paired, run, table
from shared.history import Name
from shared.judging import Judge
from shared.loading import lock_ledgers
from shared.positions import clock
from shared.reference import Reference, Setting, SettingPeriod, Versions
from shared.store import publish, save_ledgers

_IDENTITY: Final = table(IdentityRow)
_PERSONS: Final = table(PersonRow)
_SETTINGS: Final = table(SettingKeyRow)
_WITHHELD: Final = table(WithheldRow)

_PERSON_KEYS: Final = text(f"SELECT trainee_id, person_key FROM persons WHERE trainee_id = ANY({listed('persons')})")
_SETTING_KEYS: Final = text(
    f"SELECT setting_urn, setting_key FROM setting_keys WHERE setting_urn = ANY({listed('settings')})"
)
_PLACES: Final = text(
    f"SELECT key, versions FROM reference WHERE kind = 'settings' AND key = ANY({listed('settings')})"
)
_COLUMNS: Final = "registration_id, source, event_id, partner, partner_ref, cohort_code, trainee_id, setting_urn"
_CLAIMING: Final = f"SELECT {_COLUMNS} FROM identity"
# Who has these references of these partners, in any cohort; locked, in one order everywhere.
_CLAIMS: Final = text(f"""
    {_CLAIMING} WHERE live AND (partner, partner_ref) IN {paired("claims")} ORDER BY source, event_id FOR UPDATE
""")
_REGISTERED: Final = text(f"SELECT trainee_id FROM identity WHERE live AND trainee_id = ANY({listed('persons')})")
_IDENTITIES: Final = text(f"{_CLAIMING} WHERE registration_id = ANY({listed('ids')})")
_KEEP: Final = text(f"""
    INSERT INTO identity ({_COLUMNS}, live)
    SELECT {_COLUMNS}, live FROM json_populate_recordset(CAST(NULL AS identity), CAST(:rows AS json))
    ON CONFLICT (source, event_id) DO UPDATE SET
        (registration_id, partner, partner_ref, cohort_code, trainee_id, setting_urn, live) =
        (excluded.registration_id, excluded.partner, excluded.partner_ref, excluded.cohort_code,
         excluded.trainee_id, excluded.setting_urn, excluded.live)
""")
_FREE: Final = text(f"""
    UPDATE identity SET live = false
    WHERE registration_id = ANY({listed("ids")}) OR (source, event_id) IN {paired("changed")}
""")


async def open_judge(tx: AsyncConnection, reference: Reference, events: Sequence[Event]) -> Judge:
    """The judge of a batch, with keys, claims and places of what registrations and transfers it tells."""
    return EnrolmentJudge(reference, await _directory(tx, events))


async def _directory(tx: AsyncConnection, events: Sequence[Event]) -> Directory:
    data = [found for event in events if (found := told(event)) is not None]
    names = sorted({reference for event in events for reference in references(event)})
    if not names:
        return Directory()
    persons = {"persons": document(sorted({each["trainee_id"] for each in data}))}
    settings = {"settings": document(sorted({each["setting_urn"] for each in data}))}
    known = {"ids": document(sorted({event.registration for event in events if any(references(event))}))}
    person_keys, setting_keys, places, claims, registered, identities = await run(
        tx,
        (_PERSON_KEYS, persons),
        (_SETTING_KEYS, settings),
        (_PLACES, settings),
        (_CLAIMS, {"claims": document(names)}),
        (_REGISTERED, persons),
        (_IDENTITIES, known),
    )
    return Directory(
        person_keys=dict(person_keys),
        setting_keys=dict(setting_keys),
        places=_periods(places),
        claims={identity.claim: identity for identity in map(_identity_of, claims)},
        registered_persons={trainee for (trainee,) in registered},
        identities=_by_registration(map(_identity_of, identities)),
    )


async def setting_periods(tx: AsyncConnection, urns: Sequence[str]) -> dict[str, Sequence[SettingPeriod]]:
    """The periods of settings as now known: where a setting lies is no rule that a record is judged by."""
    (places,) = await run(tx, (_PLACES, {"settings": document(urns)}))
    return _periods(places)


def _periods(rows: Iterable[Any]) -> dict[str, Sequence[SettingPeriod]]:
    found: dict[str, Sequence[SettingPeriod]] = {}
    for urn, versions in rows:
        body = Versions.model_validate(versions).versions[-1].body
        if isinstance(body, Setting):
            found[urn] = body.periods
    return found


def _by_registration(identities: Iterable[Identity]) -> dict[str, dict[Name, Identity]]:
    """What the facts of registrations claim."""
    found: dict[str, dict[Name, Identity]] = {}
    for identity in identities:
        found.setdefault(identity.registration, {})[identity.name] = identity
    return found


def _identity_of(row: Any) -> Identity:
    registration, source, id_, *rest = row
    return Identity(registration, (source, id_), *rest)


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
    if directory.freed or directory.changed:
        freed = {"ids": document(sorted(directory.freed)), "changed": document(sorted(directory.changed))}
        await run(tx, (_FREE, freed))


async def _save(tx: AsyncConnection, directory: Directory) -> None:
    """Identities as they are now."""
    changed = (identity for _, identity in sorted(directory.changed.items()))
    rows = [_identity_row(identity, live=directory.is_live(identity)) for identity in changed]
    if rows:
        await run(tx, (_KEEP, {"rows": document(rows)}))


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
