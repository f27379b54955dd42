"""The consumer's reads and writes, in bulk: what is known of registrations, and what is counted and shown of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Select, cast, select, text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reporting.entries import Entry, difference
from services.reporting.partner_view import views
from services.reporting.periods import Area, Dated, basis, periods_of
from services.reporting.projection import Identity, Known, Told
from services.reporting.tables import EntryRow, FactRow, PeriodRow, TraineeRow, ViewRow
from shared import topics
from shared.asking import Asking
from shared.bulk import adding, changing, filled, putting
from shared.database import Statement, document, listed, table
from shared.messages import Message, encode
from shared.states import AssessmentState, MentoringState
from shared.status import Status
from shared.store import publish

TRAINEES: Final = table(TraineeRow)
VIEWS: Final = table(ViewRow)
PERIODS: Final = table(PeriodRow)
ENTRIES: Final = table(EntryRow)
FACTS: Final = table(FactRow)

_BODIES: Final = tuple(name for name in TraineeRow.model_fields if name != "registration_id")
_PLAIN: Final = tuple(field.name for field in fields(Dated) if field.name != "area")
_JSON_HEADERS: Final = (("content-type", "application/json"),)

_T: Final = TRAINEES.c
KNOWN: Final[Select[Any]] = select(_T.registration_id, *(cast(_T[name], TEXT).label(name) for name in _BODIES))
"""What is known, its bodies as text: pydantic reads them faster than anything before it."""

_WANTED: Final = text(f"registration_id = ANY({listed('ids')})")
_LOCK: Final = KNOWN.where(_WANTED).order_by(_T.registration_id).with_for_update()
_ADD_TRAINEES: Final = adding(TRAINEES, ("registration_id",))
_CHANGE_TRAINEES: Final = changing(TRAINEES, _BODIES)
_ERASE: Final = text(f"UPDATE trainees SET identity = NULL WHERE registration_id = ANY({listed('ids')})")
_DROP_PERIODS: Final = text(f"DELETE FROM periods WHERE registration_id = ANY({listed('ids')})")
_ADD_FACTS: Final = adding(FACTS, ("topic", "registration_id", "version", "partner"))
_PUT_VIEWS: Final = putting(VIEWS, ("partner", "registration_id", "body"))


@dataclass(frozen=True, slots=True)
class Change:
    """What was known of a registration before a batch, and after it."""

    before: Known
    after: Known


def locking(registrations: Iterable[str]) -> Asking[dict[str, Known]]:
    """What is known of registrations, made where missing and locked in id order."""
    ids = sorted(registrations)
    wanted = {"ids": document(ids)}
    (rows,) = yield [(_LOCK, wanted)]
    if len(rows) < len(ids):
        _, rows = yield [*filled((_ADD_TRAINEES, [{"registration_id": id_} for id_ in ids])), (_LOCK, wanted)]
    return {row[0]: known_of(row) for row in rows}


def known_of(row: Any) -> Known:
    """What a row of `KNOWN` says."""
    registration, status, mentoring, assessment, identity = row
    return Known(
        registration,
        Status.model_validate_json(status) if status else None,
        MentoringState.model_validate_json(mentoring) if mentoring else None,
        AssessmentState.model_validate_json(assessment) if assessment else None,
        Identity.model_validate_json(identity) if identity else None,
    )


async def save(
    tx: AsyncConnection, changes: Sequence[Change], told: Iterable[Told], statements: Sequence[Statement]
) -> None:
    """Write what is known now and what follows from it, publish each view that has changed, and commit."""
    changed = [change for change in changes if change.after != change.before]
    shown = [(view, encode(view["body"])) for change in changed for view in _views(change)]
    messages = [_view_message(view, body) for view, body in shown]
    periods = dict(_recounted(changed))
    written = filled(
        (_CHANGE_TRAINEES, [_changed_row(change) for change in changed]),
        (_ADD_FACTS, [_fact_row(fact) for fact in sorted({each.fact for each in told if each.fact})]),
        (_PUT_VIEWS, [{**view, "body": body.decode()} for view, body in shown]),
    )
    await publish(
        tx,
        messages,
        [*statements, *written, *_erasing(changed), *_dropping(periods)],
        (PERIODS, [_period_row(id_, period) for id_, group in periods.items() for period in group]),
        (ENTRIES, [row for change in changed for row in _entry_rows(change)]),
    )


def _view_message(view: Mapping[str, Any], body: bytes) -> Message:
    return Message(topics.view(view["partner"]), view["registration_id"], _JSON_HEADERS, body)


def _erasing(changes: Sequence[Change]) -> list[Statement]:
    """Forget who it was of whom that was told: `_CHANGE_TRAINEES` leaves alone what is null."""
    erased = [each.after.registration for each in changes if each.before.identity and not each.after.identity]
    return [(_ERASE, {"ids": document(erased)})] if erased else []


def _changed_row(change: Change) -> dict[str, Any]:
    return {"registration_id": change.after.registration, **{name: _changed(change, name) for name in _BODIES}}


def _changed(change: Change, name: str) -> str | None:
    """A body's text, or nothing if it is as it was."""
    now = getattr(change.after, name)
    return now.model_dump_json() if now and now is not getattr(change.before, name) else None


def _recounted(changes: Iterable[Change]) -> Iterator[tuple[str, tuple[Dated, ...]]]:
    """The new periods of those registrations that have others than before."""
    for change in changes:
        before, after = basis(change.before), basis(change.after)
        if after != before and (periods := periods_of(after)) != periods_of(before):
            yield change.after.registration, periods


def _dropping(periods: Iterable[str]) -> list[Statement]:
    """Those that are written anew."""
    ids = list(periods)
    return [(_DROP_PERIODS, {"ids": document(ids)})] if ids else []


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
