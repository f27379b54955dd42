"""The deciding services in memory: their own rules, batches and hand-over; only Kafka and PostgreSQL are replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib import import_module
from typing import Any

from senconet.demonstration import model
from services.enrolment.directory import Directory
from services.enrolment.judge import OWNERS, EnrolmentJudge
from services.reporting import projection
from services.reporting.partner_view import View, views
from services.reporting.projection import Known
from shared import contract, handover, sweep, topics
from shared.batch import Batch
from shared.contract import Position
from shared.history import Ledger
from shared.judging import Item, Judge, World
from shared.messages import Message
from shared.owner import JudgeOf
from shared.records import RawRecord
from shared.reference import BODIES, Reference, Setting, SettingPeriod, Version, Versions

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOLD = timedelta(seconds=20)
END = datetime.max.replace(tzinfo=UTC)

Queues = frozenset[tuple[str, str]]
"""Topics and registrations whose records stand behind one that failed."""


@cache
def judges() -> Mapping[str, JudgeOf]:
    """What makes the judge of each owner."""
    return {owner: getattr(import_module(f"services.{owner}.judge"), f"{owner}_judge") for owner in OWNERS}


class Ledgers(dict[str, Ledger]):
    """Registrations, made when first asked for."""

    def __missing__(self, registration: str) -> Ledger:
        self[registration] = Ledger(registration, registration.encode().ljust(32))
        return self[registration]


def world() -> World:
    """Nothing known yet."""
    return World(Ledgers(), {}, {}, set())


@dataclass
class Deciding:
    """One service: what it knows, what it has published, and what waits in its queues for a repair."""

    judge: Judge
    world: World = field(default_factory=world)
    published: list[Message] = field(default_factory=list)
    answered: set[Position] = field(default_factory=set)
    hold_for: timedelta = HOLD
    read: Callable[[RawRecord], Item] = handover.read
    queued: dict[Position, RawRecord] = field(default_factory=dict)

    def take(self, items: Iterable[Item], now: datetime = NOW) -> list[Message]:
        """Judge items as one batch."""
        batch = Batch(self.judge, self.world, now, self.hold_for)
        batch.take_all(list(items))
        return self._written(batch)

    def end_holds(self, now: datetime = NOW, until: datetime = END, blocked: Queues = frozenset()) -> list[Message]:
        """End what was to wait until before a time; what stands beside a queue, here or elsewhere, waits on."""
        batch = Batch(self.judge, self.world, now, self.hold_for)
        for hold in sweep._over(batch.holds(), until, blocked | batch.queues):
            batch.end(hold)
        return self._written(batch)

    def repair(self, now: datetime = NOW) -> list[Message]:
        """Answer the queues in order, as if nothing had happened."""
        raws, self.queued = [self.queued[position] for position in sorted(self.queued)], {}
        items = [self.read(raw) for raw in raws]
        self.world.queues.clear()
        self.world.seen.difference_update(item.position for item in items if isinstance(item, contract.Event))
        return self.take(items, now)

    def _written(self, batch: Batch) -> list[Message]:
        writes = batch.writes
        self.queued |= {position: raw for raw, position, *_ in writes.failed}
        self.queued |= {event.position: event.raw for event in writes.queued}
        self.published += writes.messages
        self.answered |= _answers(writes.messages).keys()
        return writes.messages


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
    """The door and the owners, joined as partners' topics and requests topics join them."""

    def __init__(
        self, reference: Reference, places: Mapping[str, Sequence[SettingPeriod]], hold_for: timedelta = HOLD
    ) -> None:
        self.reference = reference
        door = EnrolmentJudge(reference, Directory(places=places))
        self.enrolment = Deciding(door, hold_for=hold_for, read=partial(contract.read, reference=reference))
        self.owners = {owner: Deciding(judge(reference), hold_for=hold_for) for owner, judge in judges().items()}
        self.requests: dict[str, list[RawRecord]] = {owner: [] for owner in OWNERS}
        self.unread: list[RawRecord] = []
        self.read_until = self.now = NOW
        self._offsets: dict[str, int] = {}

    @property
    def services(self) -> tuple[Deciding, ...]:
        """All of them, the door first."""
        return self.enrolment, *self.owners.values()

    def publish(self, partner: str, record: model.Record, received: datetime = NOW) -> Position:
        """One record at a partner's topic, judged by the door at once; what is handed on waits in `requests`."""
        return self.publish_batch([(partner, record, received)])[0]

    def publish_batch(self, records: Sequence[tuple[str, model.Record, datetime]]) -> list[Position]:
        """Records of partners' topics, judged by the door as one batch."""
        places = [self.append(*record) for record in records]
        self.read()
        return places

    def append(self, partner: str, record: model.Record, received: datetime = NOW) -> Position:
        """One record at a partner's topic, which the door has yet to read."""
        topic = topics.events(partner)
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        raw = RawRecord(topic, 0, offset, received, record.key, record.value, record.headers)
        self.now = max(self.now, received)
        self.unread.append(raw)
        return contract.position_of(raw)

    def read(self, count: int | None = None) -> None:
        """The door judges some of what it has yet to read as one batch; all of it without a count."""
        raws = self.unread[:count]
        del self.unread[: len(raws)]
        self.read_until = max([self.read_until, *(raw.received for raw in raws)])
        self._pass_on(self.enrolment.take([self.enrolment.read(raw) for raw in raws]))

    def deliver(self, count: int | None = None, *, owners: Sequence[str] = OWNERS, twice: bool = False) -> None:
        """Give owners some of what was handed on, in order; all of it without a count.

        `twice`: the relay died before it could note that it had sent them, so it sends them again.
        """
        for name in owners:
            given = self.requests[name][:count]
            del self.requests[name][: len(given)]
            owner = self.owners[name]
            owner.world.seen.update(_dealt_with(owner))
            owner.take([owner.read(raw) for raw in (*given, *(given if twice else ()))])

    def sweep(self, until: datetime, *, owners: Sequence[str] = OWNERS) -> None:
        """End what was to wait until before a time, as services do that have read all received up to then."""
        self._pass_on(self.enrolment.end_holds(until=until))
        self.deliver(owners=owners)
        blocked = frozenset(self.enrolment.world.queues)
        for name in owners:
            self.owners[name].end_holds(until=until, blocked=blocked)

    def settle(self) -> None:
        """Let everything arrive, and end what waits."""
        self.read()
        self.deliver()
        self.sweep(END)

    def repair(self) -> None:
        """Answer what has stood behind faults of ours."""
        self._pass_on(self.enrolment.repair())
        self.deliver()
        for owner in self.owners.values():
            owner.repair()

    def _pass_on(self, messages: Iterable[Message]) -> None:
        for message in messages:
            for owner, waiting in self.requests.items():
                if message.topic == topics.requests(owner):
                    waiting.append(carried(message, len(waiting)))

    def answers(self) -> dict[Position, list[dict[str, Any]]]:
        """All receipts by the position that they answer, in the order in which they were published."""
        return _answers([message for service in self.services for message in service.published])

    def known(self) -> dict[str, Known]:
        """What reporting knows of each registration once it has read all that was published."""
        told: dict[tuple[str, str | None], Message] = {}
        for service in self.services:
            told.update({(m.topic, m.key): m for m in service.published if m.topic in projection.READ})
        found: dict[str, Known] = {}
        for message in told.values():
            read = projection.read(carried(message))
            known = found.get(read.registration, Known(read.registration))
            found[read.registration] = projection.take(known, read)
        return found

    def views(self) -> dict[tuple[str, str], View]:
        """What is shown of each registration to each partner that has or had it."""
        told = {registration: views(known) for registration, known in self.known().items()}
        return {(partner, r): view for r, found in told.items() for partner, view in found.items()}

    def states(self) -> dict[tuple[str, str], model.State]:
        """The state that is shown of each registration to each partner that has or had it."""
        return {
            place: model.State(view["state"], datetime.fromisoformat(view["since"]))
            for place, view in self.views().items()
        }


def carried(message: Message, offset: int = 0) -> RawRecord:
    """A message as its reader takes it from the log."""
    key = message.key.encode() if message.key else None
    headers = tuple((name, value.encode()) for name, value in message.headers)
    return RawRecord(message.topic, 0, offset, NOW, key, message.value, headers)


def _dealt_with(owner: Deciding) -> set[Position]:
    """What an owner has answered, holds or has queued."""
    waiting = set(owner.queued) | {hold.event.position for holds in owner.world.holds.values() for hold in holds}
    return waiting | owner.answered


def _answers(messages: Iterable[Message]) -> dict[Position, list[dict[str, Any]]]:
    found: dict[Position, list[dict[str, Any]]] = {}
    for message in messages:
        if message.topic.endswith(".receipts"):
            body = json.loads(message.value or b"{}")
            if "position" in body:
                place = body["position"]
                found.setdefault(Position(place["topic"], place["partition"], place["offset"]), []).append(body)
    return found
