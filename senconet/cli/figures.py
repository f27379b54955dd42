"""`figures`: the tables of the figures, as wide as a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

import httpx
import typer
from rich.table import Table

from senconet.cli.common import console, fail, home, server_url, told
from senconet.local import credentials

PLACES: Final = "T1"
WITHDRAWALS: Final = "T6"
SIDE_BY_SIDE: Final = 3
"""So many rows are shown as columns, with the figures below each other; more of them as rows."""

ACROSS: Final = 6
"""Figures beside each other where rows are rows: a table with more is shown in parts."""

Row = Mapping[str, Any]


@told
def figures(
    as_at: Annotated[
        str | None, typer.Option(help="The day (YYYY-MM-DD) at whose end to count; today without it.")
    ] = None,
    cut: Annotated[
        str, typer.Option(help="national, region, local_authority, provider_type, cohort, partner.")
    ] = "national",
    table: Annotated[
        str,
        typer.Option(
            help="T1 places, T2 take-up, T6 drop-out, T7 completion, T8 mentoring, T9 engagement, T10 assessment."
        ),
    ] = "T2",
    partner: Annotated[
        str | None, typer.Option(help="As this partner: its own figures beside the national total.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="SENCONET_READER_TOKEN", help="A reader's token.", show_envvar=True)
    ] = None,
) -> None:
    """Figures as at the end of a day in London."""
    bearer = _token_of(partner) if partner else token or credentials.load(home()).reader_token
    if not bearer:
        fail("A reader's token is needed: set SENCONET_READER_TOKEN.")
    found = fetch(server_url(), bearer, as_at or date.today().isoformat())
    for part in tables(found, table, None if partner else cut):
        console.print(part)


def _token_of(partner: str) -> str:
    known = credentials.load(home()).partners
    if partner not in known:
        fail(f"No credential of partner {partner} is here. Run `senconet partner add --keep`.")
    return known[partner].token


def fetch(url: str, token: str, as_at: str) -> dict[str, Any]:
    """The figures of a day over HTTP."""
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        answer = client.get(f"{url}/v1/figures", params={"as_at": as_at}, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.OK:
        fail(f"The server answered {answer.status_code}: {answer.json().get('message', '')}")
    body: dict[str, Any] = answer.json()
    return body


def tables(found: Row, table: str, cut: str | None) -> Iterator[Table]:
    """One table of the figures, of the rows of a cut, or of all rows; with the notice that the data carry."""
    said = f"as at {found['as_at']}" + (f" - {found['notice']}" if found["notice"] else "")
    if table == PLACES:
        yield _plain(f"T1, places, {said}", found.get("places", ()), ("take_up",))
        return
    rows = [row for row in found["rows"] if cut in (None, row["cut"])]
    if not rows:
        fail(f"There are no figures for the cut {cut} as at {found['as_at']}.")
    if table not in found["tables"]:
        fail(f"There is no table {table}. There are {', '.join((PLACES, *found['tables']))}.")
    names, percent = found["tables"][table], found["percentages"]
    title = f"{table}, {cut or 'own and national'}, {said}"
    if len(rows) <= SIDE_BY_SIDE:
        yield _upright(title, rows, names, percent)
    else:
        yield from (_across(title, rows, part, percent) for part in _parts(names))
    if table == WITHDRAWALS and found.get("withdrawal_reasons"):
        yield _plain(f"Reasons for withdrawal, national, {said}", found["withdrawal_reasons"], ())


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many names as fit beside each other, about as many in each part."""
    parts = -(-len(names) // ACROSS)
    size = -(-len(names) // parts)
    return (names[start : start + size] for start in range(0, len(names), size))


def _table(title: str, first: str, others: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", min_width=len(title))
    table.add_column(first, overflow="fold")
    for other in others:
        table.add_column(other, justify="right", overflow="fold")
    return table


def _upright(title: str, rows: Sequence[Row], names: Sequence[str], percent: Sequence[str]) -> Table:
    """The figures below each other, a column a row."""
    table = _table(title, "figure", (row["name"] for row in rows))
    for name in names:
        table.add_row(_words(name), *(_shown(name, row[name], percent) for row in rows))
    return table


def _across(title: str, rows: Sequence[Row], names: Sequence[str], percent: Sequence[str]) -> Table:
    """The figures beside each other, under headings of several lines."""
    table = _table(title, "name", map(_words, names))
    for row in rows:
        table.add_row(row["name"], *(_shown(name, row[name], percent) for name in names))
    return table


def _plain(title: str, rows: Sequence[Row], percent: Sequence[str]) -> Table:
    """Rows as they come."""
    if not rows:
        fail("These figures are for readers only.")
    first, *others = map(_words, rows[0])
    table = _table(title, first, others)
    for row in rows:
        table.add_row(*(_shown(name, value, percent) for name, value in row.items()))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shown(name: str, value: str | float | None, percent: Sequence[str]) -> str:
    """A figure; a dash where there is none."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,}" + ("%" if name in percent else "")
