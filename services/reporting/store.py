"""The consumer's reads and writes, in bulk: what is known of registrations, their periods, views to publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.projection import Area, Dated, Identity, Known, dated, view
from services.reporting.tables import PeriodRow, TraineeRow
from shared import topics
from shared.database import table
from shared.messages import Message, encode
from shared.status import Completion, Status
from shared.store import publish

TRAINEES: Final = table(TraineeRow)
PERIODS: Final = table(PeriodRow)
_PLAIN: Final = tuple(field.name for field in fields(Dated) if field.name != "area")
_JSON_HEADERS: Final = (("content-type", "application/json"),)


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
    await tx.execute(upsert(TRAINEES).on_conflict_do_nothing(), [{"registration_id": id_} for id_ in ids])
    c = TRAINEES.c.registration_id
    locked = select(TRAINEES).where(c == func.any(ids)).order_by(c).with_for_update()
    return {row.registration_id: known_of(row) for row in await tx.execute(locked)}


def known_of(row: Any) -> Known:
    """What a row of `trainees` says."""
    return Known(
        row.registration_id,
        Status.model_validate(row.status) if row.status else None,
        Completion.model_validate(row.completion) if row.completion else None,
        Identity.model_validate(row.identity) if row.identity else None,
    )


async def save(tx: AsyncConnection, changes: Sequence[Change]) -> None:
    """Write what is known now, replace the periods that changed, and publish the views: a change alters its view."""
    changed = [change for change in changes if change.after != change.before]
    await _save_known(tx, [change.after for change in changed])
    await _replace_periods(tx, dict(_moved(changed)))
    await publish(tx, [message for change in changed for message in view_of(change.after)])


def _moved(changed: Iterable[Change]) -> Iterator[tuple[str, tuple[Dated, ...]]]:
    """The new periods of those registrations that have others than before."""
    for change in changed:
        periods = dated(change.after)
        if periods != dated(change.before):
            yield change.after.registration, periods


async def _save_known(tx: AsyncConnection, known: Sequence[Known]) -> None:
    if not known:
        return
    statement = (
        update(TRAINEES)
        .where(TRAINEES.c.registration_id == bindparam("r"))
        .values(
            partner=bindparam("p"),
            status=bindparam("s"),
            completion=bindparam("c"),
            identity=bindparam("i"),
        )
    )
    await tx.execute(statement, [_row(each) for each in known])


def _row(known: Known) -> dict[str, Any]:
    return {
        "r": known.registration,
        "p": known.partner,
        "s": known.status.model_dump(mode="json") if known.status else None,
        "c": known.completion.model_dump(mode="json") if known.completion else None,
        "i": known.identity.model_dump(mode="json") if known.identity else None,
    }


async def _replace_periods(tx: AsyncConnection, periods: Mapping[str, Sequence[Dated]]) -> None:
    if not periods:
        return
    await tx.execute(delete(PERIODS).where(PERIODS.c.registration_id == func.any(list(periods))))
    rows = [_period_row(registration, period) for registration, group in periods.items() for period in group]
    if rows:
        await tx.execute(insert(PERIODS), rows)


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


def view_of(known: Known) -> Iterator[Message]:
    """The partner's view of a registration; nothing before it is known whose it is."""
    body, partner = view(known), known.partner
    if body is not None and partner is not None:
        yield Message(topics.view(partner), known.registration, _JSON_HEADERS, encode(body))
