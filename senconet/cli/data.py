"""`reference load`: what records are judged by, and figures are placed by."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from senconet import reference as files
from senconet.cli.common import console, engines, run, told
from senconet.cli.system import step

reference = typer.Typer(help="Cohorts, partnerships, settings and code lists.", no_args_is_help=True)


@reference.callback()
def _group() -> None:
    """A group stays a group with one command in it."""


@reference.command("load")
@told
def load(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="manifest.json and a .jsonl a kind.")],
) -> None:
    """Publish what is new in a set of reference data. A change holds for what is received a minute later."""
    loaded = run(files.load(engines().kafka, folder, datetime.now(UTC), step))
    for kind, count in loaded.published.items():
        console.print(f"{kind}: {count} keys published, holding for records received from {loaded.holds_from[kind]}")
