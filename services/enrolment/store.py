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
from shared.asking import Asking
from shared.bulk import filled, inserting, putting
from shared.contract import Event
from shared.database import Statement, document, listed, paired, run, table
from shared.history import Name
from shared.judging import Judge
from shared.loading import lock_ledgers
from shared.positions import clock
from shared.reference import Reference, Setting, SettingPeriod, Versions
from shared.store import publish, saving_ledgers

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
_CLAIM: Final = (
    "registration_id", "source", "event_id", "partner", "partner_ref", "cohort_code", "trainee_id", "setting_urn",
)  # fmt: skip
_CLAIMING: Final = f"SELECT {', '.join(_CLAIM)} FROM identity"
# Who has these references of these partners, in any cohort; locked, in one order everywhere.
_CLAIMS: Final = text(f"""
    {_CLAIMING} WHERE live AND (partner, partner_ref) IN {paired("claims")} ORDER BY source, event_id FOR UPDATE
""")
_REGISTERED: Final = text(f"SELECT trainee_id FROM identity WHERE live AND trainee_id = ANY({listed('persons')})")
_IDENTITIES: Final = text(f"{_CLAIMING} WHERE registration_id = ANY({listed('ids')})")
_KEEP: Final = putting(_IDENTITY, (*_CLAIM, "live"), key=("source", "event_id"))
_ADD_PERSONS: Final = inserting(_PERSONS, ("trainee_id", "person_key"))
_ADD_SETTINGS: Final = inserting(_SETTINGS, ("setting_urn", "setting_key"))
_WITHHOLD: Final = inserting(_WITHHELD, ("registration_id", "source", "event_id", "reason"))
_FREE: Final = text(f"""
    UPDATE identity SET live = false
    WHERE registration_id = ANY({listed("ids")}) OR (source, event_id) IN {paired("changed")}
""")


def open_judge(reference: Reference, events: Sequence[Event]) -> Asking[Judge]:
    """The judge of a batch, with keys, claims and places of what registrations and transfers it tells."""
    return EnrolmentJudge(reference, (yield from _directory(events)))


def _directory(events: Sequence[Event]) -> Asking[Directory]:
    data = [found for event in events if (found := told(event)) is not None]
    names = sorted({reference for event in events for reference in references(event)})
    if not names:
        return Directory()
    persons = {"persons": document(sorted({each["trainee_id"] for each in data}))}
    settings = {"settings": document(sorted({each["setting_urn"] for each in data}))}
    known = {"ids": document(sorted({event.registration for event in events if any(references(event))}))}
    person_keys, setting_keys, places, claims, registered, identities = yield [
        (_PERSON_KEYS, persons),
        (_SETTING_KEYS, settings),
        (_PLACES, settings),
        (_CLAIMS, {"claims": document(names)}),
        (_REGISTERED, persons),
        (_IDENTITIES, known),
    ]
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


def close_judge(judge: Judge) -> list[Statement]:
    """What the batch made of identity, keys and claims. A key that another took first is a lost race.

    First all is freed that was claimed before, so that claims may be exchanged. Personal reasons stay here and go
    nowhere else.
    """
    assert isinstance(judge, EnrolmentJudge)
    directory = judge.directory
    persons = [{"trainee_id": trainee, "person_key": key} for trainee, key in sorted(directory.new_persons.items())]
    settings = [{"setting_urn": urn, "setting_key": key} for urn, key in sorted(directory.new_settings.items())]
    changed = [identity for _, identity in sorted(directory.changed.items())]
    identities = [_identity_row(identity, live=directory.is_live(identity)) for identity in changed]
    withheld = [
        {"registration_id": registration, "source": source, "event_id": id_, "reason": reason}
        for registration, (source, id_), reason in directory.withheld
    ]
    added = filled((_ADD_PERSONS, persons), (_ADD_SETTINGS, settings))
    return [*added, *_freeing(directory), *filled((_KEEP, identities), (_WITHHOLD, withheld))]


def _freeing(directory: Directory) -> list[Statement]:
    if not directory.freed and not directory.changed:
        return []
    return [(_FREE, {"ids": document(sorted(directory.freed)), "changed": document(sorted(directory.changed))})]


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


async def move_places(tx: AsyncConnection, urns: Sequence[str]) -> None:
    """Place the registrations of changed settings anew, and commit."""
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
    messages = [message for _, told in placed for message in told]
    statuses = {ledger.registration: ledger.status for ledger, _ in placed}
    moved = saving_ledgers([ledger for ledger, _ in placed], statuses)
    await publish(tx, messages, moved)


async def _from_settings(tx: AsyncConnection, urns: Sequence[str]) -> dict[str, str]:
    """The registrations from these settings, each with its own."""
    c = _IDENTITY.c
    statement = select(c.registration_id, c.setting_urn).where(c.setting_urn == func.any(list(urns))).distinct()
    return {registration: urn for registration, urn in await tx.execute(statement)}
