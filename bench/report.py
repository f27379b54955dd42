"""The figures as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table

from bench.figures import CALM_RATE, RATE, Figures, Ratio, Seconds, Waits, ratios

NOTICE = "Synthetic data"


def report(figures: Figures) -> RenderableType:
    """Everything that was measured, and what is required of it."""
    return Group(_rates(figures), "", _waits(figures), "", _required(figures), "", _memory(figures), *_remarks(figures))


def _rates(figures: Figures) -> Table:
    table = Table("rate", "a second", "of what", title=f"Throughput ({NOTICE})")
    rows = (
        ("drain_per_second", figures.drain_per_second, "records of the whole topic, read and parsed"),
        ("naive_per_second", figures.naive_per_second, f"the topic's first {figures.naive_events:,} records"),
        (
            "intake_per_second",
            figures.intake_per_second,
            f"{figures.events:,} records by enrolment alone, all published",
        ),
        ("system_per_second", figures.system_per_second, f"{figures.events:,} records finally answered"),
        ("rebuild_per_second", figures.rebuild_per_second, "messages replayed, folded and compared"),
    )
    for name, rate, what in rows:
        table.add_row(name, f"{rate:,.0f}", what)
    return table


def _waits(figures: Figures) -> Table:
    table = Table("wait", "events a second", "median ms", "99th percentile ms", "records", title="Waiting")
    for rate, waits in ((RATE, figures.steady), (CALM_RATE, figures.calm)):
        for name, seconds in _named(waits):
            numbers = (f"{1000 * seconds.median:,.1f}", f"{1000 * seconds.p99:,.1f}", f"{seconds.count:,}")
            table.add_row(name, str(rate), *numbers)
    return table


def _named(waits: Waits) -> Iterator[tuple[str, Seconds]]:
    yield "hop_seconds", waits.hop_seconds
    yield from ((f"receipt_seconds {name}", seconds) for name, seconds in waits.receipt_seconds.items())
    yield "view_seconds", waits.view_seconds


def _required(figures: Figures) -> Table:
    table = Table("ratio", "measured", "required", "kept", title="Required")
    for ratio in ratios(figures):
        table.add_row(ratio.name, _number(ratio.value), f"{ratio.side} {_bound(ratio)}", "yes" if ratio.kept else "no")
    return table


def _bound(ratio: Ratio) -> str:
    return f"1/{1 / ratio.bound:.0f}" if ratio.bound < 1 else f"{ratio.bound:g}"


def _number(value: float) -> str:
    return f"{value:.3f} (1/{1 / value:.1f})" if value < 1 else f"{value:.1f}"


def _memory(figures: Figures) -> Table:
    table = Table("process", "start", "middle", "end", title="Resident memory (MiB) while every record was answered")
    for name, memory in figures.memory_mib.items():
        table.add_row(name, *(f"{value:,.0f}" for value in (memory.start, memory.middle, memory.end)))
    return table


def _remarks(figures: Figures) -> list[str]:
    before, scale = figures.intake_facts_before, figures.scale
    return [
        "",
        *(f"Intake {more}: {rate:,.0f} a second" for more, rate in _grown(figures)),
        f"Intake began on {before:,} facts: the demonstration at scale {scale:g}, and the measures before it.",
        "Mix: " + ", ".join(f"{name} {count:,}" for name, count in figures.mix.items()),
        "Durability: " + ", ".join(f"{name} {value}" for name, value in figures.durability.items()),
        "Machine: " + ", ".join(f"{name} {value}" for name, value in figures.machine.items()),
    ]


def _grown(figures: Figures) -> Iterator[tuple[str, float]]:
    yield from ((f"from {count} partners", rate) for count, rate in figures.intake_by_partners.items())
    yield from ((f"by {count} of enrolment", rate) for count, rate in figures.intake_by_instances.items())
    yield from ((f"on {count:,} facts", rate) for count, rate in figures.intake_by_facts.items())
