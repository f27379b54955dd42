"""The tables that `senconet figures` prints: all their columns can be read in a window of the usual width."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
import typer
from rich.console import Console

from senconet.cli.common import WIDE
from senconet.cli.figures import tables
from services.reporting import figures as shape

DAY = date(2024, 6, 30)
NAMES = (
    "Yorkshire and The Humber",
    "School, college, LA and other unclassified group-based providers",
    "pipplewood-nurseries",
)


def row(cut: str, name: str, **counts: shape.Number) -> shape.Row:
    return shape.Row(cut, name, name, {**dict.fromkeys(shape.MEASURES, 1_234_567), **counts})


ROWS = [row("national", "England", registrations=7_064, withdrawn=1_554), *(row("region", name) for name in NAMES * 2)]
EVERYTHING = shape.document(shape.Figures(ROWS, {"personal": 3}, {"contract_2022": 2500}), DAY, "Synthetic data")
OWN = shape.rows_document([ROWS[0], row("partner", "ashdown")], DAY, None)


def printed(found: dict[str, Any], table: str, cut: str | None) -> str:
    console = Console(file=io.StringIO(), width=WIDE, highlight=False)
    for part in tables(found, table, cut):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", shape.TABLES)
@pytest.mark.parametrize("cut", ["national", "region"])
def test_every_word_of_every_table_is_whole(table: str, cut: str) -> None:
    text = printed(EVERYTHING, table, cut)
    assert "…" not in text
    assert "Synthetic data" in text
    words = {word for name in shape.TABLES[table] for word in name.split("_")}
    assert not [word for word in words if word not in text]


def test_rates_are_shown_as_percentages_and_counts_are_not() -> None:
    lines = {
        line.split("│")[1].strip(): line for line in printed(EVERYTHING, "T6", "national").splitlines() if "│" in line
    }
    assert "22.0%" in lines["withdrawal rate"]
    assert "1,554 " in lines["withdrawn"]
    assert "personal" in lines


def test_places_are_shown_with_their_take_up() -> None:
    assert "50.0%" in printed(EVERYTHING, "T1", "national")


def test_a_partners_figures_stand_beside_the_national_total() -> None:
    text = printed(OWN, "T2", None)
    assert "England" in text
    assert "ashdown" in text


@pytest.mark.parametrize(
    ("found", "table", "cut"), [(EVERYTHING, "T3", "national"), (EVERYTHING, "T2", "cohort"), (OWN, "T1", None)]
)
def test_what_is_not_there_is_said(found: dict[str, Any], table: str, cut: str | None) -> None:
    with pytest.raises(typer.Exit):
        printed(found, table, cut)
