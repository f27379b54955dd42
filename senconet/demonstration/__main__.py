"""`python -m senconet.demonstration --summary`: counts per kind, outcome and partner, to look at.

With `--write DIRECTORY` the reference data is written there.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from senconet.demonstration.dataset import build
from senconet.demonstration.judge import judge
from senconet.demonstration.model import Answer, Dataset, Key
from senconet.demonstration.reference import write
from senconet.demonstration.rows import rows


def _answer_text(answer: Answer) -> str:
    codes = ", ".join(sorted(answer.codes))
    return f"{answer.outcome}{' (waits)' if answer.waits else ''}{': ' if codes else ''}{codes}"


def _figures(key: Key) -> list[str]:
    parts = (
        *("registrations", "not_started", "in_training", "deferred", "withdrawn", "completed"),
        *("settings", "starts", "withdrawn_before_start", "passed", "moved_in"),
    )
    lines = ["", f"National figures as at ({', '.join(parts)}, reasons)"]
    for day, figures in key.figures.items():
        for total in figures.cuts.get("national", {}).values():
            counts = " ".join(str(getattr(total, part)) for part in parts)
            lines.append(f"  {day}  {counts}  {dict(figures.reasons)}")
    return lines


def summary(dataset: Dataset, key: Key) -> list[str]:
    """The lines of the summary."""
    found = list(rows(dataset, key))
    partners = Counter((row.phase, row.partner, row.answer.outcome) for row in found)
    kinds = Counter((row.kind, _answer_text(row.answer)) for row in found)
    codes = Counter(code for row in found for code in row.answer.codes)
    lines = [
        f"{len(found)} records, {len({subject for _, subject in key.states})} registrations",
        "",
        "Records by phase, partner, outcome",
    ]
    lines += [f"  {phase} {name:24}{outcome:12}{count:7}" for (phase, name, outcome), count in sorted(partners.items())]
    lines += ["", "Records by kind and answer"]
    lines += [f"  {kind:42}{count:6}  {text}" for (kind, text), count in sorted(kinds.items())]
    lines += ["", "Codes"]
    lines += [f"  {code:42}{count:6}" for code, count in sorted(codes.items())]
    return lines + _figures(key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the summary, writes the reference data, or both."""
    parser = argparse.ArgumentParser(prog="senconet.demonstration", description=__doc__)
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--write", type=Path, metavar="DIRECTORY")
    parser.add_argument("--seed", type=int, default=2022)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args(arguments)
    dataset = build(options.seed, options.scale)
    if options.write is not None:
        write(dataset.reference, options.write)
    if options.summary or options.write is None:
        key = judge(dataset.reference, dataset.phases, received=datetime.now(UTC))
        print("\n".join(summary(dataset, key)))


if __name__ == "__main__":
    main()
