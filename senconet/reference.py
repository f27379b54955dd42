"""Load reference data from files onto the `reference.{kind}` topics."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiokafka import TopicPartition
from pydantic import BaseModel, ConfigDict, ValidationError

from senconet.access import KafkaAccess
from shared import topics
from shared.events.data import Identifier
from shared.kafka import read_to, reading
from shared.producer import producing
from shared.reference import BODIES, Body, Version, Versions

AHEAD: Final = timedelta(minutes=1)
SEND_SECONDS: Final = 30.0
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ReferenceError(ValueError):
    """A file does not hold what it should; the message names file and line, never a value."""


class Manifest(BaseModel):
    """What is said of a set as a whole: the label of its rules, and what readers must know of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ruleversion: Identifier
    notice: str | None = None


@dataclass(frozen=True)
class Loaded:
    """How many keys of each kind were published, and from which received time they hold."""

    published: Mapping[str, int]
    holds_from: Mapping[str, datetime]


def read_set(folder: Path) -> tuple[Manifest, dict[str, dict[str, Body]]]:
    """The set in a folder: `manifest.json` and one JSON Lines file a kind. Raises ReferenceError."""
    manifest = _manifest(folder / "manifest.json")
    return manifest, {kind: _bodies(folder / f"{kind}.jsonl", model) for kind, model in BODIES.items()}


def _manifest(file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise ReferenceError(f"{file}: {_why(error)}") from None


def _bodies(file: Path, model: type[Body]) -> dict[str, Body]:
    bodies: dict[str, Body] = {}
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ReferenceError(f"{file}: {_why(error)}") from None
    for number, line in enumerate(lines, 1):
        try:
            body = model.model_validate_json(line)
        except ValidationError as error:
            raise ReferenceError(f"{file}, line {number}: {_why(error)}") from None
        if body.key in bodies:
            raise ReferenceError(f"{file}, line {number}: the key stands there twice")
        bodies[body.key] = body
    return bodies


def _why(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


async def load(access: KafkaAccess, folder: Path, now: datetime, on_step: Callable[[str], None]) -> Loaded:
    """Publish what is new in a set.

    The first set of a kind holds from the beginning. What changes later holds for records received from a minute
    after `now`, so that every service has read it by then. Raises ReferenceError.
    """
    manifest, kinds = read_set(folder)
    options = access.client_options()
    published: dict[str, int] = {}
    holds: dict[str, datetime] = {}
    async with producing(options, SEND_SECONDS) as producer:
        for kind, bodies in kinds.items():
            known = await _known(options, kind)
            holds[kind] = now + AHEAD if known else _BEGINNING
            values = _changed(known, bodies, manifest.ruleversion, holds[kind])
            on_step(f"Publishing {len(values)} {kind}")
            topic = topics.reference(kind)
            sent = await producer.send([(topic, key.encode(), value, ()) for key, value in values.items()])
            await producer.acknowledged(sent)
            published[kind] = len(values)
    return Loaded(published, holds)


async def _known(options: Mapping[str, Any], kind: str) -> dict[str, Versions]:
    place = TopicPartition(topics.reference(kind), 0)
    known: dict[str, Versions] = {}
    async with reading(options) as consumer:
        ends = await consumer.end_offsets([place])
        async for batch in read_to(consumer, ends):
            for record in batch:
                if record.key and record.value:
                    known[record.key.decode()] = Versions.model_validate_json(record.value)
    return known


def _changed(
    known: Mapping[str, Versions], bodies: Mapping[str, Body], ruleversion: str, holds_from: datetime
) -> dict[str, bytes]:
    """The new value of each key whose newest version differs; all its versions stay."""
    values: dict[str, bytes] = {}
    for key, body in bodies.items():
        earlier = known[key].versions if key in known else []
        if earlier and earlier[-1].body == body:
            continue
        version = Version(holds_from=holds_from, ruleversion=ruleversion, body=body)
        versions = Versions(versions=[*earlier, version])
        values[key] = json.dumps(versions.model_dump(mode="json"), separators=(",", ":")).encode()
    return values
