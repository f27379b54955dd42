"""The command line: one module a group of commands."""

from __future__ import annotations

import logging

import typer

from senconet.cli import data, demo, deploy, figures, operate, partners, publish, system

app = typer.Typer(
    name="senconet",
    help="Event-driven services for a training programme's partner delivery network.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _quiet() -> None:
    """Libraries say nothing: what a command has to say it says itself."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)


app.command("up")(system.up)
app.command("status")(system.status)
app.command("down")(system.down)
app.command("demo")(demo.demo)
app.command("secrets")(deploy.secrets)
app.command("kafka-files")(deploy.kafka_files)
app.command("provision")(deploy.provision)
app.command("migrate")(system.migrate)
app.add_typer(data.reference, name="reference")
app.add_typer(partners.app, name="partner")
app.command("publish")(publish.publish)
app.command("receipts")(publish.receipts)
app.command("figures")(figures.figures)
app.add_typer(operate.quarantine, name="quarantine")
app.add_typer(operate.rebuild, name="rebuild")

__all__ = ["app"]
