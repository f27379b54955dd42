"""`partner add`, `partner suspend`, `partner list`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from senconet import partners
from senconet.cli.common import console, engines, fail, home, reporting_url, run, short, told
from senconet.local import credentials

app = typer.Typer(help="Delivery partners and their credentials.", no_args_is_help=True)


@app.command("add")
@told
def add(
    code: Annotated[str, typer.Argument(help="a-z, 0-9 and -; part of the partner's topics for ever.")],
    name: Annotated[str, typer.Option(help="The name that figures show.")] = "",
    keep: Annotated[bool, typer.Option(help="Keep the credential on this machine, for `publish`.")] = False,
) -> None:
    """Make a partner's topics, user and rights, and show its credential. It is shown once.

    For a partner that exists the password changes and a new token is issued; the newest earlier one stays valid.
    """
    try:
        added = run(partners.add(engines().kafka, reporting_url(), code, name or code))
    except ValueError as error:
        fail(str(error))
    console.print(f"Kafka user      partners.{code}\nKafka password  {added.password}\nHTTP token      {added.token}")
    console.print("Write them down now: neither is shown again. The topics are read within 15 seconds.")
    if keep:
        credentials.save(home(), credentials.load(home()).plus(code, added))


@app.command("suspend")
@told
def suspend(code: Annotated[str, typer.Argument(help="Whose credential is to open nothing any more.")]) -> None:
    """Keep a partner out, from this moment: its password, its rights and all its tokens end.

    What it has sent stays, and is answered. `partner add` lets it in again, with a new credential.
    """
    if not run(partners.suspend(engines().kafka, reporting_url(), code)):
        fail(f"Nobody could come in as {code}. `senconet partner list` shows the codes, suspended ones too.")
    console.print(f"{code} can neither publish nor read. `senconet partner add {code}` lets it in again.")


@app.command("list")
@told
def list_() -> None:
    """All partners."""
    table = Table("code", "name", "added (UTC)")
    for partner in run(partners.listed(reporting_url())):
        table.add_row(partner.code, partner.name, short(partner.added_at))
    console.print(table)
