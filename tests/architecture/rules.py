"""The rules that hold for the source, each a function from a module to the lines that break it."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.architecture.source import Module, Rule, calls, imports, texts

MAX_LINES: Final = 300
MAX_FUNCTION: Final = 45
IMPURE: Final = frozenset(
    {"aiokafka", "asyncio", "faststream", "fastapi", "httpx", "io", "logging", "os", "pathlib", "random", "requests"}
    | {"secrets", "socket", "sqlalchemy", "sqlmodel", "subprocess", "sys", "threading", "time", "uuid"}
)
CLOCKS: Final = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "open", "print", "input"})
TOPIC: Final = re.compile(
    r"partners\.[a-z0-9*-]+\.(events|receipts|view)"
    r"|[a-z*]+\.(requests|facts|progress)\Z"
    r"|reference\.[a-z*-]+\Z"
    r"|enrolment\.identity"
)


def outside(*allowed: str) -> Rule:
    """Imports of the project's own packages that are not among those allowed."""

    def rule(module: Module) -> list[int]:
        ours = (
            (line, name) for line, name in imports(module) if re.match(r"(services|shared|senconet|tests)\b|\.", name)
        )
        return [line for line, name in ours if not any(f"{name}.".startswith(f"{root}.") for root in allowed)]

    return rule


def impure(module: Module) -> list[int]:
    """What reads a clock, draws at random or does I/O."""
    found = [line for line, name in imports(module) if name.split(".")[0] in IMPURE]
    return sorted(found + [node.lineno for node, name in calls(module) if name in CLOCKS])


def commits(module: Module) -> list[int]:
    """What begins or ends a transaction."""
    return [n.lineno for n, name in calls(module) if name in {"begin", "begin_nested", "commit", "rollback"}]


def subscribers(module: Module) -> list[int]:
    """What makes a subscriber or a publisher of FastStream."""
    return [n.lineno for n, name in calls(module) if name in {"subscriber", "publisher"}]


def careless_subscribers(module: Module) -> list[int]:
    """Subscribers that leave it to FastStream what is acknowledged, answered, parsed or decoded."""
    needed = {"ack_policy", "no_reply", "parser", "decoder"}
    found = (node for node, name in calls(module) if name == "subscriber")
    return [node.lineno for node in found if not needed <= {keyword.arg for keyword in node.keywords}]


def kafka_clients(module: Module) -> list[int]:
    """What makes a consumer or a producer."""
    return [n.lineno for n, name in calls(module) if re.fullmatch(r"(AIOKafka)?(Consumer|Producer)", name)]


def topic_names(module: Module) -> list[int]:
    """What spells a topic's name."""
    return sorted({line for line, text in texts(module) if TOPIC.search(text)})


def metrics(module: Module) -> list[int]:
    """What makes a metric without the prefix."""
    made = (n for n, name in calls(module) if name in {"Counter", "Gauge", "Histogram", "Summary"} and len(n.args) > 1)
    return [node.lineno for node in made if not re.match(r"f?['\"](\{_?PREFIX\}|senconet_)", ast.unparse(node.args[0]))]


def at_import(module: Module) -> list[int]:
    """What makes an engine, reads settings or the environment while the module is imported."""
    busy = {
        "make_engine",
        "create_engine",
        "create_async_engine",
        "from_env",
        "getenv",
        "make_broker",
        "connect",
        "run",
    }
    found = []
    for top in module.tree.body:
        guard = isinstance(top, ast.If) and "__name__" in ast.unparse(top.test)
        if guard or isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        eager = [node for node in _eager(top) if isinstance(node, ast.Call | ast.Attribute)]
        found += [node.lineno for node in eager if _name(node) in busy | {"environ"}]
    return sorted(set(found))


def _eager(node: ast.AST) -> list[ast.AST]:
    """The nodes below that run at once: not the bodies of functions."""
    children = (
        c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )
    return [node, *(inner for child in children for inner in _eager(child))]


def _name(node: ast.Call | ast.Attribute) -> str:
    target = node.func if isinstance(node, ast.Call) else node
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def long_functions(module: Module) -> list[int]:
    """Functions too long to be read at a glance."""
    found = (n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return sorted(n.lineno for n in found if (n.end_lineno or 0) - n.lineno + 1 > MAX_FUNCTION)


def long_files(module: Module) -> list[int]:
    """The first line too many of a file."""
    return [MAX_LINES + 1] if len(module.lines) > MAX_LINES else []
