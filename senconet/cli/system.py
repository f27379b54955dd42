"""`up`, `status`, `down`, `migrate`: the system of this machine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Final

import typer
from rich.table import Table

from senconet import migrate as migrations
from senconet import partners
from senconet.cli.common import console, engines, home, reporting_url, run, services, short, told
from senconet.local.programme import Programme
from senconet.status import ServiceStatus, partner_status, service_status
from shared.topics import DECIDING_SERVICES, LEAD, SERVICES

ALERT_RULES: Final = "deploy/prometheus/alerts.yml"


def step(text: str) -> None:
    """Show what is being done."""
    console.print(f"[dim]·[/] {text}")


@told
def up() -> None:
    """Start Kafka, PostgreSQL and the services, with ten partners, the lead and a synthetic reference set.

    What runs already is left alone. All state lies in one folder: `.senconet`, or what SENCONET_HOME names.
    """
    with Programme(home(), on_step=step) as programme:
        programme.start()
        programme.leave_running()
    show_addresses()


def show_addresses() -> None:
    """Where everything answers."""
    table = Table("what", "address", box=None, pad_edge=False)
    table.add_row("Kafka (SASL_PLAINTEXT, SCRAM-SHA-512)", engines().kafka.bootstrap)
    server = engines().postgres
    table.add_row("PostgreSQL", f"{server.host}:{server.port}")
    table.add_row("credentials (this machine's, readable by you alone)", str(home().path / "credentials.json"))
    console.print(table)
    show_metrics()


def show_metrics() -> None:
    """Where each process tells its metrics, and which rules alert on them."""
    table = Table("metrics of", "address", box=None, pad_edge=False)
    for name, url in services().items():
        table.add_row(name, f"{url}/metrics")
    table.add_row("alert rules for Prometheus", ALERT_RULES)
    console.print(table)


@told
def status() -> None:
    """The operator's first screen: per service what waits, per partner what came today. Exit code 1 if not ready."""
    found = [service_status(name, url) for name, url in services().items()]
    if not found:
        console.print("Nothing has been started here. Run `senconet up`.")
        raise typer.Exit(1)
    console.print(_service_table(found))
    if all(service.ready for service in found):
        console.print(_partner_table())
    else:
        raise typer.Exit(1)


def _service_table(found: list[ServiceStatus]) -> Table:
    table = Table("service", "ready", "seconds behind", "held", "quarantined", "oldest outbox row (s)")
    for service in found:
        table.add_row(
            service.name,
            "yes" if service.ready else "[red]no[/]",
            *(_number(n) for n in (service.behind, service.held, service.quarantined, service.outbox_oldest)),
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}".removesuffix(".0")


def _partner_table() -> Table:
    table = Table("partner", "last received (UTC)", "answered today", "rejected today")
    server = engines().postgres
    codes = (LEAD, *(partner.code for partner in run(partners.listed(reporting_url()))))
    with ExitStack() as open_:
        journals = {name: open_.enter_context(server.connect(name)) for name in DECIDING_SERVICES}
        for partner in partner_status(codes, journals):
            table.add_row(partner.code, short(partner.last_received), str(partner.answered), str(partner.rejected))
    return table


@told
def down() -> None:
    """Stop everything that runs here. Data stay; `senconet up` goes on from them."""
    Programme(home(), on_step=step).stop()


@told
def migrate(
    service: Annotated[str | None, typer.Argument(help="One service; all of them without it.")] = None,
) -> None:
    """Bring the services' databases up to date."""
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"one of {', '.join(SERVICES)}")
    for name in [service] if service else SERVICES:
        migrations.migrate(name, engines().reach(name)[1])
        console.print(f"{name}: up to date")
