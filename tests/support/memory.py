"""The deciding services in memory: their own rules, batches and hand-over; only Kafka and PostgreSQL are replaced."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from senconet.demonstration import model
from services.assessment import domain as assessment_rules
from services.assessment.judge import AssessmentJudge
from services.enrolment.judge import Directory, EnrolmentJudge
from shared import contract, handover, sweep, topics
from shared.batch import Batch
from shared.contract import Position
from shared.history import History, Ledger
from shared.judging import Hold, Item, Judge, World
from shared.messages import Message
from shared.records import RawRecord
from shared.reference import BODIES, Reference, Setting, SettingPeriod, Version, Versions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOLD = timedelta(seconds=20)
END = datetime.max.replace(tzinfo=UTC)


class Ledgers(dict[str, Ledger]):
    """Registrations, made when first asked for."""

    def __missing__(self, registration: str) -> Ledger:
        self[registration] = Ledger(registration, registration.encode().ljust(32), History())
        return self[registration]


def world() -> World:
    """Nothing known yet."""
    return World(Ledgers(), {}, {}, set())


@dataclass
class Deciding:
    """One service: what it knows, and what it has published."""

    judge: Judge
    world: World = field(default_factory=world)
    published: list[Message] = field(default_factory=list)
    held: dict[Position, Hold] = field(default_factory=dict)

    def take(self, items: Iterable[Item], now: datetime = NOW) -> list[Message]:
        """Judge items as one batch."""
        batch = Batch(self.judge, self.world, now, HOLD)
        batch.take_all(list(items))
        self.published += batch.writes.messages
        return batch.writes.messages

    def end_holds(self, now: datetime = NOW, until: datetime = END) -> list[Message]:
        """End all that waits, as after its deadline."""
        batch = Batch(self.judge, self.world, now, HOLD)
        for hold in sweep._over(batch.holds(), until, batch.queues):
            batch.end(hold)
        self.published += batch.writes.messages
        return batch.writes.messages


def reference_of(given: model.Reference) -> tuple[Reference, dict[str, Sequence[SettingPeriod]]]:
    """The demonstration's reference data as the services hold it."""
    lists = {
        "cohorts": given.cohorts,
        "partnerships": given.partnerships,
        "code-lists": given.code_lists,
    }
    start = datetime(1970, 1, 1, tzinfo=UTC)
    kinds: dict[str, dict[str, Versions]] = {}
    for kind, bodies in lists.items():
        for body in bodies:
            parsed = BODIES[kind].model_validate_json(json.dumps(body))
            version = Version(holds_from=start, ruleversion=given.manifest["ruleversion"], body=parsed)
            kinds.setdefault(kind, {})[parsed.key] = Versions(versions=[version])
    settings = {body["setting_urn"]: Setting.model_validate_json(json.dumps(body)).periods for body in given.settings}
    return Reference(kinds), settings


class System:
    """The door and assessment, joined as the requests topic joins them."""

    def __init__(self, reference: Reference, places: Mapping[str, Sequence[SettingPeriod]]) -> None:
        self.reference = reference
        self.enrolment = Deciding(EnrolmentJudge(reference, Directory(places=places)))
        self.assessment = Deciding(AssessmentJudge(reference))
        self.requests: list[RawRecord] = []
        self._offsets: dict[str, int] = {}

    def publish(self, partner: str, record: model.Record, received: datetime = NOW) -> Position:
        """One record at a partner's topic, judged by the door at once; what is handed on waits in `requests`."""
        return self.publish_batch([(partner, record, received)])[0]

    def publish_batch(self, records: Sequence[tuple[str, model.Record, datetime]]) -> list[Position]:
        """Records of partners' topics, judged by the door as one batch."""
        raws = [self._appended(*record) for record in records]
        self._pass_on(self.enrolment.take([contract.read(raw, self.reference) for raw in raws]))
        return [contract.position_of(raw) for raw in raws]

    def _appended(self, partner: str, record: model.Record, received: datetime) -> RawRecord:
        topic = topics.events(partner)
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        return RawRecord(topic, 0, offset, received, record.key, record.value, record.headers)

    def deliver(self, count: int | None = None, *, twice: bool = False) -> None:
        """Give assessment some of what was handed on, in order; all of it without a count.

        `twice`: the relay died before it could note that it had sent them, so it sends them again.
        """
        count = len(self.requests) if count is None else count
        given, self.requests = self.requests[:count], self.requests[count:]
        self.assessment.world.seen.update(self._dealt_with())
        self.assessment.take([handover.read(raw) for raw in (*given, *(given if twice else ()))])

    def _dealt_with(self) -> set[Position]:
        """What assessment has answered or holds."""
        waiting = {hold.event.position for holds in self.assessment.world.holds.values() for hold in holds}
        return waiting | set(_answers(self.assessment.published))

    def sweep(self, until: datetime) -> None:
        """End what was to wait until before a time, as a service does that has read all received up to then."""
        self._pass_on(self.enrolment.end_holds(until=until))
        self.deliver()
        self.assessment.end_holds(until=until)

    def settle(self) -> None:
        """Let everything arrive, and end what waits."""
        self.deliver()
        self._pass_on(self.enrolment.end_holds())
        self.deliver()
        self.assessment.end_holds()

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.topic == topics.requests("assessment"):
                key = message.key.encode() if message.key else None
                self.requests.append(RawRecord(message.topic, 0, len(self.requests), NOW, key, message.value, ()))

    def answers(self) -> dict[Position, list[dict[str, Any]]]:
        """All receipts by the position that they answer, in the order in which they were published."""
        return _answers((*self.enrolment.published, *self.assessment.published))

    def states(self) -> dict[str, model.State]:
        """What is shown of each registration: completed if that stands, else enrolment's status."""
        found: dict[str, model.State] = {}
        for registration, ledger in self.enrolment.world.ledgers.items():
            if ledger.status is None:
                continue
            latest, owner = ledger.status.latest, self.assessment.world.ledgers[registration]
            facts = assessment_rules.standing(owner.history, owner.status).facts
            done = assessment_rules.completion(facts, owner.version).completed
            found[registration] = (
                model.State("completed", done)
                if done and not ledger.status.voided
                else model.State(latest.state, latest.begins)
            )
        return found


def _answers(messages: Iterable[Message]) -> dict[Position, list[dict[str, Any]]]:
    found: dict[Position, list[dict[str, Any]]] = {}
    for message in messages:
        if message.topic.endswith(".receipts"):
            body = json.loads(message.value or b"{}")
            if "position" in body:
                place = body["position"]
                found.setdefault(Position(place["topic"], place["partition"], place["offset"]), []).append(body)
    return found
