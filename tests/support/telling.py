"""Events of one trainee, told in a line each, and what they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

from senconet.demonstration.model import LEAD
from senconet.demonstration.wire import LONDON, Event, wire
from shared import contract, topics
from shared.contract import Event as Read
from shared.records import RawRecord
from shared.reference import Reference
from tests.support import agreement
from tests.support.contents import OURS, registration
from tests.support.memory import NOW, reference_of

TRAINEE: Final = "11111111-1111-4111-8111-111111111111"
REFERENCE: Final[Reference] = reference_of(agreement.GIVEN)[0]
DATA: Final[Mapping[str, Mapping[str, Any]]] = {
    "registered": registration(TRAINEE),
    "deferred": {"reason": "staffing_in_setting"},
    "withdrew": {"reason": "workload_too_high", "trigger": "trainee"},
}


def told(
    fact: str, when: str = "2023-01-03", id_: str = "", *, by: str = OURS, of: str = TRAINEE, **data: Any
) -> Event:
    """A fact at a time in Greenwich (`2023-02-01T10:00`), or known to a day in London (`2023-02-01`)."""
    at, more = _placed(when)
    return Event(by, of, fact, at, {**DATA.get(fact, {}), **data, **more}, id_ or fact, fact, style=1)


def _placed(when: str) -> tuple[datetime, dict[str, str]]:
    if "T" in when:
        return datetime.fromisoformat(when).replace(tzinfo=UTC), {}
    at = datetime.combine(date.fromisoformat(when), time(0), LONDON).astimezone(UTC)
    return at, {"time_precision": "day"}


def void(target: Event, id_: str = "", *, by: str = "") -> Event:
    """What takes an event back: by its sender, or by another, the lead for one."""
    sender = by or target.topic
    data = {"target_id": target.id, "cause": "entered_in_error"}
    if sender == LEAD:
        data["target_source"] = target.source
    return told(
        f"{target.fact}.voided", "2024-01-05T10:00", id_ or f"void-{target.id}", by=sender, of=target.subject, **data
    )


def answered(*events: Event) -> list[str]:
    """The answers in short: the codes of a refusal, else the outcome."""
    return [" ".join(sorted(codes)) or outcome for outcome, codes in agreement.told(events).answers]


def shown(*events: Event) -> str:
    """The state of the trainee after all of it, as its first partner sees it."""
    return agreement.told(events).states[OURS, TRAINEE].state


def read(event: Event, offset: int = 0, received: datetime = NOW) -> Read:
    """An event as the door has read it."""
    record = wire(event)
    raw = RawRecord(topics.events(event.topic), 0, offset, received, record.key, record.value, record.headers)
    found = contract.read(raw, REFERENCE)
    assert isinstance(found, Read), found
    return found


def read_all(events: Sequence[Event]) -> list[Read]:
    """Events at one topic, one after another."""
    return [read(event, offset) for offset, event in enumerate(events)]
