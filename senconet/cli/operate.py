"""`quarantine list | retry`, `rebuild reporting`: find, fix, replay, prove."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from senconet.cli.common import console, engines, fail, run, short, told
from services.reporting.rebuild import rebuild as rebuild_reporting
from shared.topics import DECIDING_SERVICES

quarantine = typer.Typer(help="Records that we could not judge for a fault of ours.", no_args_is_help=True)
rebuild = typer.Typer(help="Prove a service's state against its topics.", no_args_is_help=True)

Service = Annotated[str | None, typer.Option(help=f"{', '.join(DECIDING_SERVICES)}; all without it.")]


def _services(service: str | None) -> tuple[str, ...]:
    if service is not None and service not in DECIDING_SERVICES:
        raise typer.BadParameter(f"one of {', '.join(DECIDING_SERVICES)}")
    return (service,) if service else DECIDING_SERVICES


@quarantine.command("list")
@told
def list_(service: Service = None) -> None:
    """What failed, and what stands behind it. No content is shown: it lies in the partner's topic."""
    table = Table("service", "topic", "offset", "registration", "state", "error", "since (UTC)", "retry")
    for name in _services(service):
        with engines().postgres.connect(name) as connection:
            rows = connection.execute(
                "SELECT topic, position, registration_id, state, error, since, retry FROM quarantine"
                " ORDER BY topic, registration_id, position"
            )
            for topic, offset, registration, state, error, since, again in rows:
                table.add_row(
                    name, topic, str(offset), registration or "-", state, error, short(since), "yes" if again else ""
                )
    console.print(table if table.row_count else "Nothing is in quarantine.")


@quarantine.command("retry")
@told
def retry(
    service: Service = None,
    topic: Annotated[str | None, typer.Option(help="Only records of this topic.")] = None,
    registration: Annotated[str | None, typer.Option(help="Only records of this registration.")] = None,
) -> None:
    """After the fix: have each queue answered in order, as if nothing had happened. What fails again stays."""
    marked = 0
    for name in _services(service):
        with engines().postgres.connect(name) as connection:
            marked += connection.execute(
                "UPDATE quarantine SET retry = true WHERE (%(t)s::text IS NULL OR topic = %(t)s)"
                " AND (%(r)s::text IS NULL OR registration_id = %(r)s)",
                {"t": topic, "r": registration},
            ).rowcount
    console.print(
        f"{marked} records marked: the services answer them within seconds. `senconet quarantine list` shows."
    )


@rebuild.callback()
def _group() -> None:
    """A group stays a group with one command in it."""


@rebuild.command("reporting")
@told
def reporting(
    seed: Annotated[int, typer.Option(help="Decides how the partitions are interleaved.")] = 1,
) -> None:
    """Rebuild reporting from its topics, up to where the live one stands, and compare. Live goes on meanwhile."""
    kafka, url = engines().reach("reporting")
    rebuilt = run(rebuild_reporting(url, kafka.client_options(), seed=seed))
    compared = f"{rebuilt.compared} registrations and {rebuilt.receipts} receipts"
    if rebuilt.differing:
        fail(f"Of {compared} {len(rebuilt.differing)} differ, first {rebuilt.differing[0]}")
    console.print(f"{compared} rebuilt: equal to live.")
