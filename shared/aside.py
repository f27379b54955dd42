"""Topics of partners that take nothing for now: their messages wait in the outbox, and those for others go out.

A trainee may be offered to a partner that has no topics yet; the broker may refuse what it takes for others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.producer import REFUSALS
from shared.topics import is_of_a_partner

MISSING = "there is no such topic, it has no leader, or the service has no right to it"

log = logging.getLogger("senconet.relay")


@dataclass
class Aside:
    """Which topics are set aside, and why."""

    _why: dict[str, str] = field(default_factory=dict)

    def put(self, topics: Iterable[str], why: str) -> frozenset[str]:
        """Set the partners' topics among these aside, and return them: without one of ours nothing goes on."""
        found = frozenset(filter(is_of_a_partner, topics))
        for topic in found:
            if self._why.get(topic) != why:
                log.error("what is for %s waits in the outbox: %s", topic, why)
            self._why[topic] = why
        return found

    def put_refused(self, errors: Mapping[str, Exception], *, others_taken: bool) -> None:
        """Set aside what was not taken, by topic with what came of it, where it is a matter of that topic."""
        for topic, error in errors.items():
            if others_taken or isinstance(error, REFUSALS):
                self.put([topic], f"the broker does not take it ({type(error).__name__})")

    def taken(self, topic: str) -> None:
        """This topic takes messages again."""
        del self._why[topic]
        log.warning("what is for %s goes out again", topic)

    def topics(self) -> list[str]:
        """What is set aside."""
        return list(self._why)
