"""Each public function of `views` takes the caller's scope first, so that no query can leave it out."""

from __future__ import annotations

import ast
from pathlib import Path

from services.reporting import views

BAD = Path(__file__).parent / "bad_samples" / "unscoped_views.py"


def unscoped(source: str) -> list[str]:
    """The public functions whose first parameter is not `scope: Scope`; functions inside classes always are."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in functions if not node.name.startswith("_") and not _takes_scope(node)]


def _takes_scope(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    parameters = [*node.args.posonlyargs, *node.args.args]
    if not parameters or parameters[0].arg != "scope" or parameters[0].annotation is None:
        return False
    return ast.unparse(parameters[0].annotation) == "Scope"


def test_every_query_that_leaves_takes_a_scope() -> None:
    assert unscoped(Path(views.__file__).read_text("utf-8")) == []


def test_what_leaves_it_out_is_found() -> None:
    assert unscoped(BAD.read_text("utf-8")) == ["everything", "second", "wrongly_typed", "inside"]
