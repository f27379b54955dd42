"""When each event of a life is published: mostly soon, some months later, always in the life's own order."""

from __future__ import annotations

from datetime import datetime, timedelta

from senconet.demonstration.lives import Life
from senconet.demonstration.wire import Event, Studio

PLAIN = frozenset({"completed", "withdrawn"})  # lives of which nothing out of the ordinary is told
LOOSE = frozenset({"session.attended", "mentoring.held"})  # of plain lives: admitted in any order
COURSE = (*LOOSE, "mentor.assigned", "portfolio.submitted", "assessment.decided")


def _lag(studio: Studio, event: Event) -> timedelta:
    """How long after the event the partner sends it: mostly hours, sometimes months."""
    chance, seldom = studio.rng.random(), 0.004 if event.fact in COURSE else 0.04
    if chance < 0.7:
        return studio.minutes(5, 60 * 48)
    return studio.minutes(60 * 48, 60 * 24 * 9) if chance < 1 - seldom else studio.minutes(60 * 24 * 31, 60 * 24 * 160)


def publish(studio: Studio, life: Life) -> None:
    """Publishes a life's events in their order, none before it happened."""
    latest = max(event.time for event in life.events if event.phase == 1) + studio.minutes(5, 2000)
    last: dict[int, datetime] = {1: latest} if life.burst else {}
    first: datetime | None = None
    for event in life.events:
        before = last.get(event.phase)
        if event.soon or (life.burst and before is not None):
            at = (before or event.time) + studio.minutes(1, 10)
        else:
            at = event.time + _lag(studio, event)
            at = at if before is None else max(at, before + studio.minutes(1, 300))
        if life.kind in PLAIN and event.fact in LOOSE and first is not None:
            at = max(event.time + _lag(studio, event), first + studio.minutes(1, 300))
        studio.publish(event, at)
        first = first or at
        last[event.phase] = max(at, before or at)
    life.last_publish, life.last_in_second = last[1], last.get(2)
