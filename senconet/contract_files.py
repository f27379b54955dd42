"""`python -m senconet.contract_files`: the JSON Schemas of the contract, made from the models that read the records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from shared import events
from shared.events.catalogue import BY_NAME
from shared.events.receipts import Receipt

SCHEMAS: Final = Path(events.__file__).parent / "schemas"
EXAMPLES: Final = Path(events.__file__).parent / "examples"
RECEIPT: Final = "receipt"


class _WithoutNull(GenerateJsonSchema):
    """An optional field may be left out; null is no value, and so there is no default either."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """The field's own schema, without null and without the default."""
        inner = schema["schema"]
        while inner["type"] in ("function-before", "function-after"):  # shared.events.data.Optional refuses null
            inner = inner["schema"]
        return self.generate_inner(inner["schema"] if inner["type"] == "nullable" else inner)


def models() -> dict[str, type[BaseModel]]:
    """The model of each file: the data of every type, and the receipt."""
    return {**{name: kind.data for name, kind in BY_NAME.items()}, RECEIPT: Receipt}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each type's data, and of the receipt, by name."""
    return {name: _schema(name, model) for name, model in models().items()}


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    made = model.model_json_schema(schema_generator=_WithoutNull)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:senconet:{name}:v1"}
    return {**head, **made, "title": f"{name}.v1"}


def path_of(name: str, folder: Path = SCHEMAS) -> Path:
    """The file of a type in a folder of schemas or examples."""
    return folder / f"{name}.v1.json"


def render(schema: Mapping[str, Any]) -> str:
    """The text of a file."""
    return json.dumps(schema, indent=2) + "\n"


def write(folder: Path = SCHEMAS) -> None:
    """Write all schemas; those of types that there are no more go."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {path_of(name, folder): render(schema) for name, schema in schemas().items()}
    for path in set(folder.glob("*.json")) - made.keys():
        path.unlink()
    for path, text in made.items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
