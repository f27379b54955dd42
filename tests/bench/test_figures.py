"""Percentiles, verdicts, and the names under which all of it is written."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from bench.figures import HANDED_ON, OWN, Figures, Memory, Ratio, Seconds, Waits, as_json, ratios, spread
from bench.report import report

GOOD = Figures(
    events=100_000,
    scale=0.1,
    drain_per_second=16_000,
    naive_per_second=100,
    naive_events=10_000,
    intake_per_second=2_000,
    intake_facts_before=1,
    system_per_second=500,
    rebuild_per_second=1_600,
    steady=Waits(
        hop_seconds=Seconds(0.004, 0.02, 4000),
        receipt_seconds={OWN: Seconds(0.04, 0.2, 900), HANDED_ON: Seconds(0.12, 0.4, 3000)},
        view_seconds=Seconds(0.2, 0.6, 250),
    ),
    calm=Waits(
        hop_seconds=Seconds(0.002, 0.01, 200),
        receipt_seconds={OWN: Seconds(0.02, 0.1, 50), HANDED_ON: Seconds(0.06, 0.2, 150)},
        view_seconds=Seconds(0.15, 0.3, 20),
    ),
    memory_mib={"enrolment": Memory(100, 120, 121)},
    durability={"fsync": "on"},
    mix={"accepted": 97_000},
    machine={"cores": "2"},
)


def verdicts(figures: Figures) -> dict[str, bool]:
    return {ratio.name: ratio.kept for ratio in ratios(figures)}


def test_median_and_99th_percentile_are_by_nearest_rank() -> None:
    assert spread([float(n) for n in range(200, 0, -1)]) == Seconds(100, 198, 200)
    assert spread([3.0]) == Seconds(3, 3, 1)
    assert spread([1.0, 2.0, 9.0]) == Seconds(2, 9, 3)


def test_nothing_measured_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_what_is_just_as_required_is_kept() -> None:
    assert set(verdicts(GOOD).values()) == {True}


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"naive_per_second": 101.0}, {"intake_to_naive"}),
        ({"intake_per_second": 999.0}, {"intake_to_naive", "intake_to_drain"}),
        ({"rebuild_per_second": 1_599.0}, {"rebuild_to_drain"}),
        (
            {"steady": replace(GOOD.steady, hop_seconds=Seconds(0.0039, 0.02, 9))},
            {"receipt_to_hop", "handed_on_receipt_to_hop"},
        ),
        (
            {"calm": replace(GOOD.calm, hop_seconds=Seconds(0.0019, 0.02, 9))},
            {"calm_receipt_to_hop", "calm_handed_on_receipt_to_hop"},
        ),
    ],
)
def test_what_is_worse_than_required_is_missed(worse: dict[str, object], missed: set[str]) -> None:
    found = verdicts(replace(GOOD, **worse))  # type: ignore[arg-type]
    assert {name for name, kept in found.items() if not kept} == missed


def test_at_least_and_at_most_are_not_mixed_up() -> None:
    assert [Ratio("r", 2, "at least", 1).kept, Ratio("r", 2, "at most", 1).kept] == [True, False]


def test_the_file_holds_everything_by_the_names_that_the_issue_gives() -> None:
    written = json.loads(json.dumps(as_json(GOOD)))
    rates = {f"{name}_per_second" for name in ("drain", "naive", "intake", "system", "rebuild")}
    waits = {"hop_seconds", "receipt_seconds", "view_seconds"}
    assert written.keys() >= rates | waits | {"memory_mib", "durability", "ratios", "mix", "machine"}
    assert written["receipt_seconds"][HANDED_ON] == {"median": 0.12, "p99": 0.4, "count": 3000}
    assert written["calm"].keys() == waits
    assert written["ratios"]["intake_to_naive"] == {
        "name": "intake_to_naive", "value": 20.0, "side": "at least", "bound": 20, "kept": True,
    }  # fmt: skip


def test_each_requirement_is_shown_beside_what_was_measured() -> None:
    console = Console(width=110, file=io.StringIO(), record=True)
    console.print(report(replace(GOOD, naive_per_second=200)))
    shown = console.export_text()
    line = next(line for line in shown.splitlines() if "intake_to_naive" in line)
    assert line.replace("│", " ").split()[1:] == ["10.0", "at", "least", "20", "no"]
    assert "at least 1/16" in shown
    assert "Synthetic data" in shown
