"""What the documents point to is there, and each decision names the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.topics import SERVICES
from tests.architecture.source import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
LISTED = re.compile(r"^\| `services/([^/`]+)/` \| [^|]+ \|$", re.MULTILINE)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


HELD = re.compile(r"\*\*Held by\*\*(.+)\Z", re.DOTALL)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def dangling(document: Path) -> list[str]:
    """Links of a document to files that are not there; addresses elsewhere are not followed."""
    links = (link for link in LINK.findall(document.read_text("utf-8")) if "://" not in link)
    return [link for link in links if not (document.parent / link).exists()]


def test_every_link_of_the_documents_leads_somewhere() -> None:
    assert {str(document.relative_to(ROOT)): found for document in DOCUMENTS if (found := dangling(document))} == {}
    assert any(LINK.search(document.read_text("utf-8")) for document in DOCUMENTS)


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").touch()
    page = tmp_path / "page.md"
    page.write_text("[one](there.md#part) [two](gone.md) [three](https://example.org/gone) [four](../gone)")
    assert dangling(page) == ["gone.md", "../gone"]


def unlisted(readme: str) -> set[str]:
    """Services that have no line in the table of folders, and lines of which there is no service."""
    return set(LISTED.findall(readme)) ^ set(SERVICES)


def test_the_readme_says_of_every_service_what_it_is() -> None:
    found = unlisted((ROOT / "README.md").read_text("utf-8"))
    assert not found, f"README.md: a line in the table of folders for each of services/, but not so: {found}"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("| `services/reporting/` | views, figures |", set()),
        ("", {"reporting"}),
        ("| `services/reporting/` | |", {"reporting"}),
        ("`services/reporting/`: views", {"reporting"}),
        ("| `services/reporting/` | views |\n| `services/gone/` | gone |", {"gone"}),
    ],
)
def test_a_service_that_the_readme_does_not_list_is_found(line: str, wrong: set[str]) -> None:
    others = [f"| `services/{service}/` | its work |" for service in SERVICES if service != "reporting"]
    assert unlisted("\n".join((*others, line))) == wrong


def unheld(decision: Path) -> str:
    """What is wrong with the last words of a decision: they name files of tests, or say that nothing holds it."""
    held = HELD.search(decision.read_text("utf-8"))
    if held is None:
        return "end it with **Held by** and the files of the tests that hold it"
    named = re.findall(r"`(tests/[^`]+)`", held[1])
    if gone := [name for name in named if not (name.endswith(".py") and (ROOT / name).is_file())]:
        return f"not a file of tests: {', '.join(gone)}"
    return "" if named or held[1].strip().startswith("nothing: ") else "it names no file of tests"


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_names_the_tests_that_hold_it(decision: Path) -> None:
    assert not (found := unheld(decision)), f"docs/decisions/{decision.name}: {found}"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("**Why.** Because.", "end it with"),
        ("**Held by** `tests/system`.", "not a file of tests: tests/system"),
        ("**Held by** `tests/architecture/test_gone.py`.", "not a file of tests: tests/architecture/test_gone.py"),
        ("**Held by** care.", "it names no file"),
        ("**Held by** nothing: a next step.", ""),
        ("**Held by** `tests/architecture/test_documents.py`.", ""),
    ],
)
def test_a_decision_that_nothing_holds_is_found(tmp_path: Path, words: str, wrong: str) -> None:
    page = tmp_path / "0001-page.md"
    page.write_text(f"# 1. Page\n\n{words}\n")
    found = unheld(page)
    assert found.startswith(wrong)
    assert bool(found) is bool(wrong)
