"""The system that is measured: engines and services as `senconet up` starts them, in a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import psycopg
from aiokafka import TopicPartition

from bench.series import PARTNER
from senconet import publisher
from senconet.access import KafkaAccess
from senconet.demo.run import SETTINGS
from senconet.demonstration.model import Dataset
from senconet.local.credentials import Credentials
from senconet.local.home import Home
from senconet.local.programme import NOTICE, Programme
from senconet.local.service import PROGRAMS
from senconet.publisher import Outgoing
from shared import topics
from shared.kafka import reading

TOPIC: Final = topics.events(PARTNER)
PLACE: Final = TopicPartition(TOPIC, 0)
CHUNK: Final = 1000


class Stage:
    """A programme with the benchmark's partner in it. Its services are started and stopped as a measure needs them."""

    def __init__(self, home: Home, data: Dataset, on_step: Callable[[str], None]) -> None:
        self.programme = Programme(home, on_step=on_step)
        self._data = data
        self._connections: dict[str, psycopg.Connection] = {}
        self.credentials = Credentials()

    def open(self) -> None:
        """Start everything, with reference data and partners."""
        self.credentials = self.programme.start(SETTINGS, self._data)

    def close(self) -> None:
        """Let go of the databases and stop everything."""
        for connection in self._connections.values():
            connection.close()
        self.programme.stop()

    def start(self, *names: str) -> None:
        """Start these programs, and wait until they are ready."""
        wanted = [program for program in PROGRAMS if program.name in names]
        self.programme.system.start_services(wanted, settings={**NOTICE, **SETTINGS})

    def rest(self) -> None:
        """Stop all services; the engines run on."""
        for process in self.programme.system.services.values():
            process.stop()

    @property
    def bootstrap(self) -> str:
        """Where the broker is."""
        return self.programme.system.engines.kafka.bootstrap

    @property
    def partner(self) -> KafkaAccess:
        """The benchmark's partner, as it logs in."""
        password = self.credentials.partner(PARTNER).password
        return KafkaAccess(self.bootstrap, topics.principal_of(PARTNER), password)

    @property
    def options(self) -> dict[str, Any]:
        """What a client of the operator connects with."""
        return self.programme.system.engines.kafka.client_options()

    def rows(self, service: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement returns from a service's database."""
        if service not in self._connections:
            self._connections[service] = self.programme.system.engines.postgres.connect(service)
        return self._connections[service].execute(statement.encode(), values or None).fetchall()

    def all_published(self, services: Iterable[str]) -> bool:
        """Whether nothing waits in the outboxes of these services."""
        return not any(self.rows(service, "SELECT EXISTS (SELECT FROM outbox)")[0][0] for service in services)

    def position(self) -> int:
        """Up to where enrolment has read the benchmark's topic."""
        found = self.rows("enrolment", "SELECT next_offset FROM positions WHERE topic = %s", TOPIC)
        return int(found[0][0]) if found else 0

    def answered(self, start: int) -> int:
        """How many records of the topic from an offset on have their final answer."""
        statement = "SELECT count(*) FROM journal WHERE topic = %s AND position >= %s"
        return sum(int(self.rows(service, statement, TOPIC, start)[0][0]) for service in topics.DECIDING_SERVICES)

    def facts(self) -> int:
        """How many facts the journals hold."""
        return sum(map(self.facts_of, topics.DECIDING_SERVICES))

    def facts_of(self, service: str) -> int:
        """How many facts a service's journal holds."""
        return int(self.rows(service, "SELECT count(*) FROM journal WHERE outcome = 'accepted'")[0][0])

    async def end(self) -> int:
        """The end of the benchmark's topic."""
        async with reading(self.options) as consumer:
            return int((await consumer.end_offsets([PLACE]))[PLACE])

    async def publish(self, records: Sequence[Outgoing]) -> int:
        """Publish records as the partner, as fast as they are taken; returns the offset of the first."""
        first = await self.end()
        async with publisher.publishing(self.partner) as producer:
            for start in range(0, len(records), CHUNK):
                await publisher.send(producer, PARTNER, records[start : start + CHUNK])
        return first
