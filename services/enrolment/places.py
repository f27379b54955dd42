"""When a setting moves or becomes known, its registrations are placed anew: a new version, hence a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from services.enrolment.judge import OWNERS, places_of
from shared.handover import status_message
from shared.history import Ledger
from shared.messages import Message, derived_message
from shared.reference import SettingPeriod

PLACED: Final = "registration.placed"


def place_anew(
    ledger: Ledger, periods: Sequence[SettingPeriod], now: datetime
) -> tuple[Ledger, tuple[Message, ...]] | None:
    """The registration in its new place and who is told of it; None if nothing changes. Pure."""
    places = places_of(periods)
    if ledger.status is None or ledger.status.places == places:
        return None
    decided = max(now, ledger.decided) if ledger.decided else now
    status = ledger.status.model_copy(update={"places": places, "version": ledger.version + 1})
    cause: Mapping[str, str] = {"type": PLACED}
    told = (
        derived_message("enrolment", ledger.registration, PLACED, cause, status, decided, status.version),
        *(status_message(owner, ledger.registration, status, dict(cause), now) for owner in OWNERS),
    )
    return replace(ledger, status=status, version=status.version, decided=decided), told
