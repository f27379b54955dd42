"""Whether a schema may follow on an earlier one under the same major version (reference: events 11)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsoncompat import Role, check_compat

Schema = Mapping[str, Any]


def objections(earlier: Schema, later: Schema, *, written_by_us: bool) -> list[str]:
    """Why what kept the earlier schema might not keep the later one; nothing where it always does.

    Partners write events: all that they could send must still be read. We write receipts: all that we may send must be
    readable by who knows the earlier schema.
    """
    role = Role.SERIALIZER if written_by_us else Role.DESERIALIZER
    compatible = check_compat(_unnamed(earlier), _unnamed(later), role)
    found = [] if compatible else ["what an earlier version allowed may be refused"]
    return found + list(_texts(earlier, later))


def _unnamed(schema: Schema) -> str:
    """The schema without its own name, which the comparison would try to follow."""
    return json.dumps({name: child for name, child in schema.items() if name != "$id"})


def _texts(earlier: Schema, later: Schema) -> Iterator[str]:
    """Patterns and formats, which the comparison of types leaves aside: they may be dropped, not changed or added."""
    known = dict(_constraints(earlier))
    for path, constraint in _constraints(later):
        where = path.rsplit(".", 1)[0]
        if constraint != known.get(path) and where in _paths(earlier):
            yield f"{path} is {constraint}, and was {known.get(path)}"


def _constraints(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for name, child in _children(node):
        if name in {"pattern", "format"} and isinstance(child, str):
            yield f"{path}.{name}", child
        yield from _constraints(child, f"{path}.{name}")


def _paths(node: Any, path: str = "") -> set[str]:
    found = {path}
    for name, child in _children(node):
        found |= _paths(child, f"{path}.{name}")
    return found


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        yield from node.items()
    elif isinstance(node, list):
        yield from ((str(number), child) for number, child in enumerate(node))
