"""Topics of partners that take nothing for now: their messages wait in the outbox, and those for others go out.

A trainee may be offered to a partner that has no topics yet; the broker may refuse what it takes for others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.topics import is_of_a_partner

log = logging.getLogger("senconet.relay")


@dataclass
class Aside:
    """Which topics are set aside, and until when. Times are those of a monotonic clock, in seconds."""

    _until: dict[str, float] = field(default_factory=dict)
    _why: dict[str, str] = field(default_factory=dict)

    def put(self, topics: Iterable[str], why: str, until: float) -> frozenset[str]:
        """Set the partners' topics among these aside, and return them: without one of ours nothing goes on."""
        found = frozenset(filter(is_of_a_partner, topics))
        for topic in found:
            if self._why.get(topic) != why:
                log.error("what is for %s waits in the outbox: %s", topic, why)
            self._why[topic], self._until[topic] = why, until
        return found

    def taken(self, topics: Iterable[str]) -> None:
        """These topics have taken messages."""
        for topic in self._why.keys() & topics:
            log.warning("what is for %s goes out again", topic)
            del self._why[topic]

    def topics(self, now: float) -> list[str]:
        """What is still set aside."""
        self._until = {topic: until for topic, until in self._until.items() if until > now}
        return list(self._until)

    @property
    def next(self) -> float:
        """When the next topic is to be tried again."""
        return min(self._until.values(), default=float("inf"))
