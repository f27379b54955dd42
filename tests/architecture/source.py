"""Reading the project's own source: what modules import and call, and on which line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "bad_samples"

Rule = Callable[["Module"], list[int]]
"""The lines of a module that break a rule."""


@dataclass(frozen=True)
class Module:
    """A file of Python: its path from the root, its text, its syntax tree."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @property
    def lines(self) -> list[str]:
        """The lines of text."""
        return self.text.splitlines()


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """All modules below folders, migrations left out: those are made once and never touched again."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    kept = (path for path in paths if "migrations" not in path.parts)
    return tuple(Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in kept)


def sample(name: str) -> Module:
    """A bad sample."""
    path = SAMPLES / name
    return Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))


def marked(module: Module) -> list[int]:
    """The lines of a bad sample that must be found."""
    return [number for number, line in enumerate(module.lines, 1) if line.rstrip().endswith("# found")]


def broken(rule: Rule, given: Sequence[Module], but: Sequence[str] = ()) -> list[str]:
    """Where a rule is broken, as file and line, but for the files named."""
    return [f"{m.path}:{line}" for m in given if m.path not in but for line in rule(m)]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Line and full name of all that is imported, wherever it stands."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """All calls, with the last part of the name of what is called."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node, _last(node.func)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
    return ""


def texts(module: Module) -> Iterator[tuple[int, str]]:
    """All strings but docstrings; of formatted ones the parts that are fixed, with a star for each that is not."""
    tree = module.tree
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(p.value if isinstance(p, ast.Constant) else "*" for p in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (documents | parts):
            yield node.lineno, node.value


PROBE = """
import importlib, os, sys, threading

found = []


def watch(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+") and ".pyc" not in str(args[0]):
        found.append(f"open {args[0]}")
    elif event in ("socket.connect", "subprocess.Popen", "os.system", "os.mkdir", "os.remove"):
        if "__pycache__" not in str(args):
            found.append(event)


class Watched(type(os.environ)):
    def __getitem__(self, name):
        if str(name).startswith("SENCONET_"):
            found.append(f"setting {name}")
        return super().__getitem__(name)


os.environ.__class__ = Watched
sys.path.insert(0, "")
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
found += ["thread"] * (threading.active_count() - 1)
print("\\n".join(found))
"""
"""A program that imports the modules named and says what that did."""
