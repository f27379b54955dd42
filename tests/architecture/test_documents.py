"""What the documents point to is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.source import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


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
