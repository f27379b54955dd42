"""The consumer's reads and writes, in bulk: what is known of registrations, and what is counted and shown of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Select, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.bulk import add_once, as_kept, given, put
from services.reporting.entries import Entry, difference
from services.reporting.partner_view import views
from services.reporting.periods import Area, Dated, basis, periods_of
from services.reporting.projection import Identity, Known, Told
from services.reporting.tables import EntryRow, FactRow, PeriodRow, TraineeRow, ViewRow
from shared import topics
from shared.database import add_rows, table
from shared.messages import Message, encode
from shared.states import AssessmentState, MentoringState
from shared.status import Status
from shared.store import publish

TRAINEES: Final = table(TraineeRow)
VIEWS: Final = table(ViewRow)
PERIODS: Final = table(PeriodRow)
ENTRIES: Final = table(EntryRow)
FACTS: Final = table(FactRow)

_BODIES: Final = ("status", "mentoring", "assessment", "identity")
_PLAIN: Final = tuple(field.name for field in fields(Dated) if field.name != "area")
_JSON_HEADERS: Final = (("content-type", "application/json"),)

KNOWN: Final[Select[Any]] = select(
    TRAINEES.c.registration_id, *(cast(TRAINEES.c[name], TEXT).label(name) for name in _BODIES)
)
"""What is known, its bodies as text: pydantic reads them faster than anything before it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was known of a registration before a batch, and after it."""

    before: Known
    after: Known


async def lock(tx: AsyncConnection, registrations: Iterable[str]) -> dict[str, Known]:
    """What is known of registrations, made where missing and locked in id order."""
    ids = sorted(registrations)
    if not ids:
        return {}
    await add_once(tx, TRAINEES, [{"registration_id": id_} for id_ in ids])
    c = TRAINEES.c.registration_id
    locked = await tx.execute(KNOWN.where(c == func.any(ids)).order_by(c).with_for_update())
    return {row.registration_id: known_of(row) for row in locked}


def known_of(row: Any) -> Known:
    """What a row of `KNOWN` says."""
    return Known(
        row.registration_id,
        Status.model_validate_json(row.status) if row.status else None,
        MentoringState.model_validate_json(row.mentoring) if row.mentoring else None,
        AssessmentState.model_validate_json(row.assessment) if row.assessment else None,
        Identity.model_validate_json(row.identity) if row.identity else None,
    )


async def save(tx: AsyncConnection, changes: Sequence[Change], told: Iterable[Told]) -> None:
    """Write what is known now and what follows from it, and publish each view that has changed."""
    changed = [change for change in changes if change.after != change.before]
    for name in _BODIES:
        await _save_body(tx, name, changed)
    await _replace_periods(tx, dict(_recounted(changed)))
    await add_rows(tx, ENTRIES, [row for change in changed for row in _entry_rows(change)])
    await add_once(tx, FACTS, [_fact_row(fact) for fact in sorted({each.fact for each in told if each.fact})])
    await _show(tx, [view for change in changed for view in _views(change)])


async def _save_body(tx: AsyncConnection, name: str, changes: Sequence[Change]) -> None:
    """Write one body of the registrations of which it has changed."""
    rows = [
        {"registration_id": change.after.registration, name: now.model_dump_json() if now else None}
        for change in changes
        if (now := getattr(change.after, name)) is not getattr(change.before, name)
    ]
    if rows:
        new = given(TRAINEES, rows)
        statement = update(TRAINEES).where(TRAINEES.c.registration_id == new.c.registration_id)
        await tx.execute(statement.values({name: as_kept(TRAINEES, name, new.c[name])}))


def _recounted(changes: Iterable[Change]) -> Iterator[tuple[str, tuple[Dated, ...]]]:
    """The new periods of those registrations that have others than before."""
    for change in changes:
        before, after = basis(change.before), basis(change.after)
        if after != before and (periods := periods_of(after)) != periods_of(before):
            yield change.after.registration, periods


async def _replace_periods(tx: AsyncConnection, periods: Mapping[str, Sequence[Dated]]) -> None:
    if not periods:
        return
    await tx.execute(delete(PERIODS).where(PERIODS.c.registration_id == func.any(list(periods))))
    rows = [_period_row(registration, period) for registration, group in periods.items() for period in group]
    await add_rows(tx, PERIODS, rows)


def _period_row(registration: str, period: Dated) -> dict[str, Any]:
    return {
        "registration_id": registration,
        **{name: getattr(period, name) for name in _PLAIN},
        **period.area._asdict(),
    }


def period_of(row: Any) -> Dated:
    """The period that a row of `periods` holds."""
    area = Area(row.la_code, row.la_name, row.region_code, row.region_name)
    return Dated(area=area, **{name: getattr(row, name) for name in _PLAIN})


def _entry_rows(change: Change) -> Iterator[dict[str, Any]]:
    for entry, number in difference(change.before, change.after).items():
        yield {"registration_id": change.after.registration, **entry._asdict(), "n": number}


def entry_of(row: Any) -> Entry:
    """What a row of `entries` counts, whatever its number."""
    return Entry(*(getattr(row, name) for name in Entry._fields))


def _fact_row(fact: tuple[str, str, int, str]) -> dict[str, Any]:
    return dict(zip(("topic", "registration_id", "version", "partner"), fact, strict=True))


def _views(change: Change) -> Iterator[dict[str, Any]]:
    """The views that have changed. Only then a view gets the new version: to who lost a trainee, nothing shows."""
    before = views(change.before)
    for partner, view in views(change.after).items():
        if view != before.get(partner):
            body = {**view, "version": change.after.version}
            yield {"partner": partner, "registration_id": change.after.registration, "body": body}


async def _show(tx: AsyncConnection, shown: Sequence[Mapping[str, Any]]) -> None:
    """Keep views for who asks over HTTP, and publish them."""
    bodies = [encode(row["body"]) for row in shown]
    told = list(zip(shown, bodies, strict=True))
    await put(tx, VIEWS, [{**row, "body": body.decode()} for row, body in told])
    await publish(
        tx, [Message(topics.view(row["partner"]), row["registration_id"], _JSON_HEADERS, body) for row, body in told]
    )
