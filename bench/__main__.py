"""`python -m bench`: measure everything, and show it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from bench.figures import as_json
from bench.report import report
from bench.run import measure
from bench.throughput import Stalled
from senconet.cli.common import console, fail, told
from senconet.cli.system import step
from senconet.demo.traffic import NotAnswered


@told
def main(
    events: Annotated[int, typer.Option(min=1000, help="Records of each of the two long series.")] = 100_000,
    scale: Annotated[
        float, typer.Option(min=0.04, max=1, help="The part of the demonstration that is there before.")
    ] = 0.1,
    grow: Annotated[
        bool,
        typer.Option("--grow", help="Also intake from 100 partners, by two instances, on 3,000,000 facts."),
    ] = False,
    file: Annotated[Path | None, typer.Option("--json", dir_okay=False, help="Write the figures there too.")] = None,
) -> None:
    """Measure throughput, waiting and memory on engines of their own, which are stopped at the end."""
    try:
        figures = measure(events, scale, step, grow=grow)
    except (NotAnswered, Stalled) as error:
        fail(f"{error}.")
    console.print(report(figures))
    if file is not None:
        file.write_text(json.dumps(as_json(figures), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    # Who is told to end stops the engines first, as one who is interrupted does: nobody would find them later.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app = typer.Typer(pretty_exceptions_show_locals=False, add_completion=False)
    app.command()(main)
    app(prog_name="python -m bench")
