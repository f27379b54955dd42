"""Copies: the same records again, exact or spelled otherwise, soon or months later."""

from __future__ import annotations

from collections.abc import Sequence

from senconet.demonstration.wire import Event, Item, Studio, wire

COPIED, HANDED_ON = 0.02, 0.02
OWN = frozenset(
    {
        "registered",
        "deferred",
        "resumed",
        "withdrew",
        "withdrew.voided",
        "registered.voided",
    }
)  # the door's own: compared by id before anything else


def _soon_or_late(studio: Studio) -> tuple[int, int]:
    return (0, 3) if studio.rng.random() < 0.4 else (60, 60 * 24 * 60)


def _respelled(event: Event, name: str, steps: int) -> Event:
    """The same content in another style, whole numbers as fractions."""
    data = dict(event.data)
    capacity = dict(data.get("capacity", {}))
    if capacity:
        hours = "protected_time_hours_per_week"
        data["capacity"] = capacity | {hours: float(capacity[hours])}
    return event.again(name, data=data, style=event.style + steps)


def _copy(studio: Studio, item: Item, name: str) -> None:
    at = item.publish + studio.minutes(*_soon_or_late(studio))
    if item.event is not None and studio.rng.random() < 0.4:
        other = _respelled(item.event, f"{name}_respelled", studio.rng.randint(1, 7))
        studio.add(item.topic, item.phase, at, other.kind, wire(other), other)
    else:
        studio.add(item.topic, item.phase, at, name, item.record, item.event)


def copies(studio: Studio, plain_subjects: frozenset[str], items: Sequence[Item]) -> None:
    """Copies some accepted records of plain lives, and at once some of corrections and the lead's."""
    for item in items:
        event = item.event
        if event is None or item.kind not in (*OWN, "completed", "lead_void", "completed.voided"):
            continue
        plain = event.subject in plain_subjects
        chance = COPIED if plain else COPIED / 2
        if studio.rng.random() >= chance or (event.fact == "completed" and not plain):
            continue
        name = "copy_of_handed_on" if event.fact.startswith("completed") else "copy"
        _copy(studio, item, name)
