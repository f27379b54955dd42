"""`reference load`, `figures`: what figures are made from, and what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from senconet import reference as files
from senconet.cli.common import console, engines, fail, home, run, server_url, told
from senconet.cli.system import step
from senconet.local import credentials

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


@told
def figures(
    as_at: Annotated[
        str | None, typer.Option(help="The day (YYYY-MM-DD) at whose end to count; today without it.")
    ] = None,
    cut: Annotated[
        str, typer.Option(help="national, region, local_authority, provider_type, cohort, partner.")
    ] = "national",
    token: Annotated[
        str | None, typer.Option(envvar="SENCONET_READER_TOKEN", help="A reader's token.", show_envvar=True)
    ] = None,
) -> None:
    """National figures as at the end of a day in London."""
    bearer = token or credentials.load(home()).reader_token
    if not bearer:
        fail("A reader's token is needed: set SENCONET_READER_TOKEN.")
    show(fetch(server_url(), bearer, as_at or date.today().isoformat()), cut)


def fetch(url: str, token: str, as_at: str) -> dict[str, Any]:
    """The figures of a day over HTTP."""
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        answer = client.get(f"{url}/v1/figures", params={"as_at": as_at}, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.OK:
        fail(f"The server answered {answer.status_code}: {answer.json().get('message', '')}")
    body: dict[str, Any] = answer.json()
    return body


def show(found: dict[str, Any], cut: str) -> None:
    """Print one cut as a table, with the notice that the data carry."""
    rows = [row for row in found["rows"] if row["cut"] == cut]
    if not rows:
        fail(f"There are no figures for the cut {cut} as at {found['as_at']}.")
    title = f"{cut}, as at {found['as_at']}" + (f" - {found['notice']}" if found["notice"] else "")
    table = Table("code", "name", *(measure.replace("_", " ") for measure in found["measures"]), title=title)
    for row in rows:
        table.add_row(row["code"], row["name"] or "", *(f"{row[measure]:,}" for measure in found["measures"]))
    console.print(table)
