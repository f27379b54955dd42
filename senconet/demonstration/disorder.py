"""Copies: the same records again, exact or spelled otherwise, soon or months later."""

from __future__ import annotations

from collections.abc import Sequence

from senconet.demonstration.wire import CORRECTIONS, Event, Item, Studio, wire

COPIED = 0.02
AT_THE_DOOR = ("registered", "deferred", "resumed", "withdrew", "transfer.")


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
    """Copies some accepted records: of plain lives all, of others what the door or an owner compares first by id."""
    for item in items:
        event = item.event
        if event is None or item.kind not in (event.fact, "lead_void", "lead_supersede"):
            continue
        plain, handed_on = event.subject in plain_subjects, not event.fact.startswith(AT_THE_DOOR)
        chance = COPIED if plain else COPIED / 2
        if studio.rng.random() >= chance or (handed_on and not plain and not event.fact.endswith(CORRECTIONS)):
            continue
        _copy(studio, item, "copy_of_handed_on" if handed_on else "copy")
