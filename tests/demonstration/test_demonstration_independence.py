"""The answer key is independent of the product, and nobody real is named."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import senconet.demonstration
from senconet.demonstration.reference import LEAD_PARTNER, PARTNERS, reference

PACKAGE = Path(senconet.demonstration.__file__).parent
REAL = (
    "best practice",
    "bpn",
    "national day nurseries",
    "ndna",
    "elklan",
    "kids planet",
    "london early years",
    "leyf",
    "bristol",
    "derbyshire",
    "durham",
    "telford",
    "wrekin",
    "snapdragons",
)


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module or "")
    return found


def test_imports_nothing_of_the_product() -> None:
    paths = [*PACKAGE.rglob("*.py"), *Path(__file__).parent.rglob("*.py")]
    names = {name for path in paths for name in _imported(path)}
    assert {name for name in names if name.split(".")[0] in ("services", "shared")} == set()
    ours = {name for name in names if name.startswith("senconet")} - {"senconet"}
    assert all(name.startswith("senconet.demonstration") for name in ours)


def test_judge_knows_nothing_of_the_generator() -> None:
    judging = {path.stem for path in PACKAGE.glob("judge*.py")} | {"model"}
    for path in PACKAGE.glob("judge*.py"):
        ours = {name for name in _imported(path) if name.startswith("senconet")}
        assert {name.rsplit(".", 1)[1] for name in ours} <= judging


def test_partners_are_invented() -> None:
    partners = [*(partner for partner, _ in PARTNERS), LEAD_PARTNER]
    assert len(partners) == len({partner.code for partner in partners}) == 11
    for partner in partners:
        text = f"{partner.code} {partner.name}".lower()
        assert not any(real in text.replace("-", " ").split() or f" {real}" in f" {text}" for real in REAL)


def test_reference_names_no_real_partner() -> None:
    found = reference([])
    text = json.dumps([found.cohorts, found.partnerships, found.code_lists, found.manifest]).lower()
    assert not any(f'"{real}' in text for real in REAL)
