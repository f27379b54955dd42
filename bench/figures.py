"""What is measured, under the names that stand in the JSON, and what is required of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long something took, over `count` times."""

    median: float
    p99: float
    count: int


@dataclass(frozen=True, slots=True)
class Waits:
    """What was waited for at one pace: a bare hop; from acknowledgement to receipt, by who answers, and to the view."""

    hop_seconds: Seconds
    receipt_seconds: Mapping[str, Seconds]
    view_seconds: Seconds


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process in MiB, before, amid and after the run in which every record was answered."""

    start: float
    middle: float
    end: float


@dataclass(frozen=True)
class Figures:
    """Everything that one run measures. `mix` counts final answers, and what waited first; `machine` says where.

    `steady` are the waits at `RATE` events a second, `calm` those at `CALM_RATE`, which leaves cores to spare.

    `intake_by_partners`, `intake_by_instances`, `intake_by_facts`: records a second from so many partners, by so many
    instances, with so many facts in enrolment's journal; where that was asked for.
    """

    events: int
    scale: float
    drain_per_second: float
    naive_per_second: float
    naive_events: int
    intake_per_second: float
    intake_facts_before: int
    system_per_second: float
    rebuild_per_second: float
    steady: Waits
    calm: Waits
    memory_mib: Mapping[str, Memory]
    durability: Mapping[str, str]
    mix: Mapping[str, int]
    machine: Mapping[str, str]
    intake_by_partners: Mapping[int, float] = field(default_factory=dict)
    intake_by_instances: Mapping[int, float] = field(default_factory=dict)
    intake_by_facts: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One requirement: `value` must be at least, or at most, `bound`."""

    name: str
    value: float
    side: Literal["at least", "at most"]
    bound: float

    @property
    def kept(self) -> bool:
        """Whether it is as required."""
        return self.value >= self.bound if self.side == "at least" else self.value <= self.bound


RATE: Final = 200
CALM_RATE: Final = 10
RECORDS: Final[Mapping[int, int]] = {RATE: 4000, CALM_RATE: 400}
"""How many are sent at each pace."""
OWN: Final = "enrolment"
HANDED_ON: Final = "handed_on"


def spread(seconds: Sequence[float]) -> Seconds:
    """Median and 99th percentile by nearest rank. Raises ValueError for none."""
    if not seconds:
        raise ValueError("nothing was measured")
    ordered = sorted(seconds)
    return Seconds(_rank(ordered, 50), _rank(ordered, 99), len(ordered))


def _rank(ordered: Sequence[float], percent: int) -> float:
    """The least value that so many percent of all do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1]


def ratios(figures: Figures) -> tuple[Ratio, ...]:
    """The requirements of issue 6 against these figures, and those of receipts at a calm pace too (decision 14)."""
    return (
        Ratio("intake_to_naive", figures.intake_per_second / figures.naive_per_second, "at least", 20),
        Ratio("intake_to_drain", figures.intake_per_second / figures.drain_per_second, "at least", 1 / 16),
        Ratio("rebuild_to_drain", figures.rebuild_per_second / figures.drain_per_second, "at least", 1 / 10),
        *_of_receipts("", figures.steady),
        *_of_receipts("calm_", figures.calm),
    )


def _of_receipts(pace: str, waits: Waits) -> tuple[Ratio, ...]:
    own, handed_on = (waits.receipt_seconds[name].median / waits.hop_seconds.median for name in (OWN, HANDED_ON))
    return (
        Ratio(f"{pace}receipt_to_hop", own, "at most", 10),
        Ratio(f"{pace}handed_on_receipt_to_hop", handed_on, "at most", 30),
    )


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures with their ratios, as they are written to the file: the steady waits by their names alone."""
    judged = {ratio.name: {**asdict(ratio), "kept": ratio.kept} for ratio in ratios(figures)}
    written = asdict(figures)
    return {**written.pop("steady"), **written, "ratios": judged}
