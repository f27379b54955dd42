"""Every record of a data set beside its place, the author's reason for it, and its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from senconet.demonstration.model import Answer, Dataset, Key, Record


@dataclass(frozen=True, slots=True)
class Row:
    """A record: phase (from 1), topic's partner, offset, kind, bytes, answer of the key."""

    phase: int
    partner: str
    offset: int
    kind: str
    record: Record
    answer: Answer

    def header(self, name: str) -> str:
        """A header's text; empty if it is absent or null."""
        found = (value for key, value in self.record.headers if key == name and value is not None)
        return next(found, b"").decode("utf-8", "replace")


def rows(dataset: Dataset, key: Key) -> Iterator[Row]:
    """All records, phase by phase and topic by topic, each in its order."""
    offsets: Counter[str] = Counter()
    for phase, (topics, kinds) in enumerate(zip(dataset.phases, dataset.kinds, strict=True), start=1):
        for partner, records in topics.items():
            for record, kind in zip(records, kinds[partner], strict=True):
                offset = offsets[partner]
                offsets[partner] += 1
                yield Row(phase, partner, offset, kind, record, key.answers[partner][offset])
