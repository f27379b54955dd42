"""The catalogue that people read is the one of the code."""

from __future__ import annotations

from pathlib import Path

from senconet import catalogue_file
from senconet.catalogue_file import METRICS, PAGE
from tests.architecture.source import Module, calls, modules

KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}


def makers(given: tuple[Module, ...]) -> set[str]:
    """The modules that make metrics: of these calls some have a meaning beside a name, which no other Counter has."""
    return {m.path.removesuffix(".py").replace("/", ".") for m in given for n, name in calls(m) if made(name, n.args)}


def made(name: str, arguments: list[object]) -> bool:
    return name in KINDS and len(arguments) > 1


def test_the_committed_catalogue_is_the_one_of_the_code() -> None:
    assert PAGE.read_text("utf-8") == catalogue_file.page(), (
        "docs/catalogue.md is not what the code says: `make schemas`"
    )


def test_the_generator_writes_what_is_compared(tmp_path: Path) -> None:
    catalogue_file.write(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text("utf-8") == PAGE.read_text("utf-8")


def test_every_module_that_makes_metrics_is_in_the_catalogue() -> None:
    known = {kind.__module__ for kind in METRICS.values()}
    assert makers(modules("services", "shared")) == known, "name it in METRICS of senconet/catalogue_file.py"


def test_a_module_that_makes_metrics_is_found() -> None:
    assert makers((Module("services/a/b.py", "Gauge('senconet_x', 'Meaning')"),)) == {"services.a.b"}
    assert makers((Module("services/a/b.py", "Counter(names)"),)) == set()
