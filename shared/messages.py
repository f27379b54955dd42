"""Messages that a service publishes: facts, receipts, notices and hand-overs, as rows for the outbox. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from shared import clock, topics
from shared.contract import Position
from shared.events.catalogue import wire
from shared.events.codes import CODES, Problem
from shared.history import Fact

_RECEIPTS: Final = uuid.UUID("6f0f0d60-5f2a-4f4e-9d3e-0b6d7f0c1a11")


@dataclass(frozen=True, slots=True)
class Message:
    """One record to publish. No value makes a tombstone."""

    topic: str
    key: str | None
    headers: tuple[tuple[str, str], ...]
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one record. `first` is the outcome of the record that a duplicate copies."""

    position: Position
    sender: str
    received: datetime
    outcome: str
    ruleversion: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    first: str | None = None
    source: str | None = None
    id: str | None = None
    type: str | None = None
    subject: str | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the refusal, each once."""
        return tuple(dict.fromkeys(problem.code for problem in self.problems))


def encode(body: Any) -> bytes:
    """A body as compact JSON; models in it as they are written in JSON."""
    return to_json(body)


def decode(value: bytes) -> Any:
    """What `encode` made these bytes from. What partners write is read by `shared.records`."""
    return from_json(value)


def cloud_event(topic: str, key: str | None, attributes: Mapping[str, str | None], body: Mapping[str, Any]) -> Message:
    """A CloudEvents 1.0 record in binary mode; attributes without a value are left out."""
    given = {"specversion": "1.0", **attributes}
    headers = tuple((f"ce_{name}", value) for name, value in given.items() if value is not None)
    return Message(topic, key, (*headers, ("content-type", "application/json")), encode(body))


def receipt_id(position: Position, outcome: str) -> str:
    """The id of an answer: made of position and outcome, so that a receipt sent again has the same id."""
    name = f"{position.topic}/{position.partition}/{position.offset}/{outcome}"
    return str(uuid.uuid5(_RECEIPTS, name))


def receipt(service: str, answer: Answer, decided: datetime, deadline: datetime | None = None) -> Message:
    """The answer as its sender reads it. No value of the data is echoed; what failed its own check is left out."""
    position = answer.position
    named = {"event_id": answer.id, "source": answer.source, "type": answer.type}
    body: dict[str, Any] = {
        **{name: value for name, value in named.items() if value is not None},
        "position": {"topic": position.topic, "partition": position.partition, "offset": position.offset},
        "outcome": answer.outcome,
        "receivedtime": clock.render(answer.received),
        "decidedtime": clock.render(decided),
        "ruleversion": answer.ruleversion,
        "retryable": bool(answer.codes) and all(CODES[code].retryable for code in answer.codes),
        "warnings": list(answer.warnings),
        "errors": [_error(problem) for problem in answer.problems],
    }
    if answer.first:
        body["first"] = {"outcome": answer.first}
    if deadline:
        body["deadline"] = clock.render(deadline)
    attributes = _own_attributes(
        service, f"submission.{answer.outcome}", receipt_id(position, answer.outcome), answer.subject, decided
    )
    return cloud_event(topics.receipts(answer.sender), answer.subject, attributes, body)


def _error(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "path": problem.path,
        "detail": dict(problem.detail),
    }


def _own_attributes(service: str, name: str, id_: str, subject: str | None, at: datetime) -> dict[str, str | None]:
    return {
        "id": id_,
        "source": f"/senconet/{service}",
        "type": wire(name),
        "subject": subject,
        "time": clock.render(at),
    }


def fact_message(
    service: str,
    registration: str,
    fact: Fact,
    state: BaseModel,
    decided: datetime,
    ruleversion: str,
    version: int,
) -> Message:
    """A fact that a service has accepted, with the registration's whole state after it."""
    attributes = {
        "id": fact.id,
        "source": fact.source,
        "type": fact.kind.wire,
        "subject": registration,
        "time": clock.render(fact.moment.time),
        "receivedtime": clock.render(fact.received),
        "decidedtime": clock.render(decided),
        "ingestchannel": "kafka",
        "ruleversion": ruleversion,
        "version": str(version),
    }
    body = {"partner": fact.sender, "data": dict(fact.data), "state": state, "cause": None}
    return cloud_event(topics.facts(service), registration, attributes, body)


def derived_message(
    service: str,
    registration: str,
    name: str,
    cause: Mapping[str, Any],
    state: BaseModel,
    decided: datetime,
    version: int,
) -> Message:
    """A change that follows from another service's or from reference data: set aside, restored, placed anew."""
    id_ = str(uuid.uuid5(_RECEIPTS, f"{service}/{registration}/{name}/{version}"))
    attributes = _own_attributes(service, name, id_, registration, decided)
    attributes |= {"decidedtime": clock.render(decided), "version": str(version)}
    return cloud_event(topics.facts(service), registration, attributes, {"state": state, "cause": dict(cause)})


def notice(
    service: str,
    name: str,
    fact: Fact,
    registration: str,
    cause: Mapping[str, Any],
    decided: datetime,
    version: int,
) -> Message:
    """What a partner is told of its own fact after it was accepted."""
    body = {"event_id": fact.id, "source": fact.source, "type": fact.kind.wire, "cause": dict(cause)}
    unique = f"{name}/{fact.source}/{fact.id}"
    return _notice(service, fact.sender, name, unique, registration, body, decided, version)


def notice_to(
    service: str,
    partner: str,
    name: str,
    registration: str,
    body: Mapping[str, Any],
    decided: datetime,
    version: int,
) -> Message:
    """What a partner is told of a registration without a fact of its own."""
    return _notice(service, partner, name, f"{name}/{partner}", registration, body, decided, version)


def _notice(
    service: str,
    partner: str,
    name: str,
    unique: str,
    registration: str,
    body: Mapping[str, Any],
    decided: datetime,
    version: int,
) -> Message:
    id_ = str(uuid.uuid5(_RECEIPTS, f"notice/{service}/{registration}/{unique}/{version}"))
    attributes = _own_attributes(service, f"notice.{name}", id_, registration, decided)
    return cloud_event(topics.receipts(partner), registration, attributes, body)
