"""A whole system for the tests of this folder: engines of its own, services that tests may start, break and kill."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from inspect import isawaitable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx
import psutil
import psycopg
from aiokafka import AIOKafkaProducer
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from senconet import partners, publisher, reference
from senconet.access import KafkaAccess
from senconet.demo.check import check_answers
from senconet.demonstration import dataset, judge
from senconet.demonstration import reference as synthetic
from senconet.demonstration.model import Dataset, Phase, Record
from senconet.local.home import Home
from senconet.local.service import PROGRAMS, ServiceProcess, ServiceProgram, service_environment
from senconet.local.system import LocalSystem
from senconet.migrate import migrate
from senconet.publisher import Receipt
from shared import topics
from tests.system.events import SETTING

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 40.0
HOLD_SECONDS: Final = 6
SETTINGS: Final[Mapping[str, str]] = {
    "SENCONET_HOLD_SECONDS": str(HOLD_SECONDS),
    "SENCONET_HELD_RECEIPT_SECONDS": "2",
    "SENCONET_SWEEP_SECONDS": "0.5",
    "SENCONET_METADATA_SECONDS": "1",
    "SENCONET_CLOCK_MARGIN_SECONDS": "0.5",
    "SENCONET_PUBLISH_TIMEOUT_SECONDS": "2",
    "SENCONET_PROGRESS_SECONDS": "1",
    "SENCONET_SESSION_SECONDS": "6",
    "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "",
}
PARTNERS: Final = (
    "crash-points", "reply-lost", "quarantined", "neighbour", "broken", "broker-down", "database-down",
    "group-reset", "log-cut", "ab", "abc", "odd-batches", "measured", "private", "bytes", "crash-beyond", "killed-a",
    "killed-b", "leaders-a", "leaders-b", "locked", "losing", "gaining", "stopped-a", "stopped-b", "swamping",
    "swamped-a", "swamped-b", "twin-a", "twin-b", "agreeing-a", "agreeing-b", "agreeing-c",
    "offering", "not-yet", "refused", "suspended",
)  # fmt: skip
"""All partners that tests may bring in: each has a partnership for every cohort."""


async def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it. Fails after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer := await answer if isawaitable(answer) else answer:
            return answer
        assert time.monotonic() < end, f"not within {patience:g} s: {what}"
        await asyncio.sleep(0.1)


@dataclass
class Partner:
    """A partner with its credential, and all that it has sent. `lost` are offsets that its topic lost unread."""

    code: str
    access: KafkaAccess
    token: str
    sent: list[Record] = field(default_factory=list)
    lost: frozenset[int] = frozenset()

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return topics.events(self.code)

    async def send(self, *records: Record) -> None:
        """Publish records as one batch of the log, so that a reader that sees one of them sees all."""
        options = self.access.client_options()
        producer = AIOKafkaProducer(**options, max_batch_size=1_000_000, enable_idempotence=True)
        await producer.start()
        try:
            batch = producer.create_batch()
            for record in records:
                fitted = batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
                assert fitted is not None
            await (await producer.send_batch(batch, self.topic, partition=0))
        finally:
            await producer.stop()
        self.sent += records


class Stage:
    """The system under test. Services run with `SETTINGS` unless a test starts them otherwise."""

    def __init__(self, home: Home, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self.local = LocalSystem(home, migrate=migrate, environment=environment)
        self.data: Dataset = _with_partnerships(dataset.build(scale=0.05))
        self.partners: dict[str, Partner] = {}
        self._running: dict[str, tuple[ServiceProgram, Mapping[str, str]]] = {}
        self._connections: dict[str, psycopg.Connection] = {}
        self._bytecode = {"PYTHONPYCACHEPREFIX": str(home.path / "bytecode")}

    def open(self) -> None:
        """Start engines and services, with reference data."""
        self.local.start_engines()
        self.local.prepare()
        with tempfile.TemporaryDirectory() as folder:
            synthetic.write(self.data.reference, Path(folder))
            asyncio.run(reference.load(self.local.engines.kafka, Path(folder), datetime.now(UTC), lambda _: None))
        self.local.start_services(settings=self._settings({}))
        self._running = {program.name: (program, {}) for program in PROGRAMS}

    def serve(self, name: str, *, instance: str = "1", module: str | None = None, **settings: str) -> ServiceProcess:
        """Have a service run with exactly these settings beside the usual ones (or another module in its place)."""
        wanted = _wanted(name, module, settings)
        own = name if instance == "1" else f"{name}-{instance}"
        process = self.local.services.get(own)
        if process is None or self._running.get(own) != wanted or process.process_id is None:
            self.rest(own)
            process = self.local.start_service(wanted[0], instance=instance, settings=self._settings(wanted[1]))
            self._running[own] = wanted
        return process

    def launch(self, name: str, **settings: str) -> ServiceProcess:
        """Start a service that has died, likewise, but do not wait until it is ready."""
        program, more = self._running[name] = _wanted(name, None, settings)
        process = self.local.services[name]
        reach = self.local.engines.reach(program.service)
        process.launch(service_environment(*reach, process.port, self._settings(more)))
        return process

    async def serve_async(self, name: str, **settings: str) -> ServiceProcess:
        """The same, while this event loop goes on."""
        return await asyncio.to_thread(self.serve, name, **settings)

    def serve_all(self) -> None:
        """Have all services run as usual, one instance of each, whatever the last test left behind."""
        usual = [program.name for program in PROGRAMS]
        for name in self.local.services.keys() - set(usual):
            self.rest(name)
        for name in usual:
            self.serve(name)

    def rest(self, name: str) -> None:
        """Stop a service in order, if it runs."""
        if name in self.local.services:
            self.local.services[name].stop()

    def _settings(self, extra: Mapping[str, str]) -> dict[str, str]:
        return {**SETTINGS, **self._bytecode, **extra}

    async def partner(self, code: str) -> Partner:
        """A partner, brought in when first asked for."""
        if code not in self.partners:
            assert code in PARTNERS
            self.partners[code] = await self.bring_in(code, f"The partner {code}")
        return self.partners[code]

    async def bring_in(self, code: str, name: str) -> Partner:
        """Give a partner its topics, rights and credential."""
        kafka = self.local.engines.kafka
        added = await partners.add(kafka, self.url("reporting"), code, name)
        access = KafkaAccess(kafka.bootstrap, topics.principal_of(code), added.password)
        self.partners[code] = Partner(code, access, added.token)
        return self.partners[code]

    def url(self, service: str) -> str:
        """The address of a service's database, as the service logs in."""
        return self.local.engines.reach(service)[1]

    @property
    def kafka_options(self) -> dict[str, Any]:
        """What a client of the operator connects with."""
        return self.local.engines.kafka.client_options()

    def rows(self, service: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement returns from a service's database. A connection that the server has lost is made anew."""
        try:
            found = self._connection(service).execute(statement.encode(), values or None)
        except psycopg.OperationalError:
            del self._connections[service]
            found = self._connection(service).execute(statement.encode(), values or None)
        return found.fetchall() if found.description else []

    def _connection(self, service: str) -> psycopg.Connection:
        if service not in self._connections:
            self._connections[service] = self.local.engines.postgres.connect(service)
        return self._connections[service]

    def close(self) -> None:
        """Let go of the databases."""
        for connection in self._connections.values():
            connection.close()

    def count(self, service: str, table: str, partner: Partner | None = None, *, topic: str | None = None) -> int:
        """How many rows a table has: all, those of a partner, or those of a topic."""
        topic = partner.topic if partner else topic
        values = [topic] if topic else []
        where = "WHERE topic = %s" if topic else ""
        return int(self.rows(service, f"SELECT count(*) FROM {table} {where}", *values)[0][0])

    def position(self, topic: str, service: str = "enrolment") -> int:
        """The stored position of a topic's first partition."""
        found = self.rows(service, 'SELECT next_offset FROM positions WHERE topic = %s AND "partition" = 0', topic)
        return int(found[0][0]) if found else 0

    def group_offset(self, topic: str, group: str = "enrolment") -> int:
        """What the group has committed of a topic's first partition: what lag tools see, no truth of ours."""
        wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])
        admin = self.local.engines.kafka.admin()
        (future,) = admin.list_consumer_group_offsets([wanted]).values()
        return int(future.result(10).topic_partitions[0].offset)

    def retry_quarantine(self) -> None:
        """What `senconet quarantine retry` does."""
        for service in topics.DECIDING_SERVICES:
            self.rows(service, "UPDATE quarantine SET retry = true")

    def answered(self, partner: Partner) -> int:
        """How many of a partner's records have their final answer."""
        return sum(self.count(service, "journal", partner) for service in topics.DECIDING_SERVICES)

    async def all_answered(self, *of: Partner, patience: float = PATIENCE) -> None:
        """Wait until all that these partners have sent is answered."""
        for partner in of:
            await until(
                lambda partner=partner: self.answered(partner) == len(partner.sent) - len(partner.lost),
                f"all {len(partner.sent)} records of {partner.code} answered",
                patience,
            )

    async def receipts(self, partner: Partner) -> list[Receipt]:
        """All answers that a partner can read by now, copies too."""
        found: list[Receipt] = []
        async with publisher.receipts_of(partner.access, partner.code) as consumer:
            (place,) = consumer.assignment()
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                found += await publisher.next_receipts(consumer)
        return found

    async def differences(self, partner: Partner, *phases: Phase) -> tuple[str, ...]:
        """Where a partner's answers are not those of the answer key; phases tell how topics were interleaved."""
        told = phases or ({partner.code: tuple(partner.sent)},)
        key = judge.judge(self.data.reference, told, received=datetime.now(UTC))
        return check_answers(partner.code, key.answers[partner.code], await self.receipts(partner)).differences

    def metrics(self, name: str) -> str:
        """What a service tells Prometheus."""
        with httpx.Client(trust_env=False, timeout=5, follow_redirects=True) as client:
            return client.get(f"{self.local.services[name].url}/metrics").text


def watch(process: ServiceProcess) -> psutil.Process:
    """A running process, whose `wait` tells how it ended (-9: by SIGKILL) if nobody has asked before."""
    assert process.process_id is not None
    return psutil.Process(process.process_id.pid)


def _wanted(name: str, module: str | None, settings: Mapping[str, str]) -> tuple[ServiceProgram, Mapping[str, str]]:
    """A program, or another module in its place, and its variables."""
    usual = next(program for program in PROGRAMS if program.name == name)
    variables = {f"SENCONET_{setting.upper()}": value for setting, value in settings.items()}
    return replace(usual, module=module or usual.module), variables


def _with_partnerships(data: Dataset) -> Dataset:
    """The reduced data set, in whose cohorts and one setting of their own the tests' partners work too."""
    given = data.reference
    periods = [{"valid_from": "2022-07-01", "valid_to": None}]
    added = [
        {"partner_code": code, "cohort_code": cohort["cohort_code"], "periods": periods}
        for code in PARTNERS
        for cohort in given.cohorts
    ]
    setting = {**given.settings[0], "setting_urn": SETTING}
    return replace(
        data,
        reference=replace(given, partnerships=(*given.partnerships, *added), settings=(*given.settings, setting)),
    )
