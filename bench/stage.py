"""The system that is measured: engines and services as `senconet up` starts them, in a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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

    def admit(self, data: Dataset) -> None:
        """Let in the partners of another data set, too, under its reference data."""
        self.credentials = self.programme.provision(data)

    def start(self, *names: str, instances: int = 1) -> None:
        """Start so many instances of these programs, and wait until they are ready."""
        wanted = [program for program in PROGRAMS if program.name in names]
        for number in range(instances):
            self.programme.system.start_services(wanted, instance=str(number + 1), settings={**NOTICE, **SETTINGS})

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
        return self._access(PARTNER)

    def _access(self, code: str) -> KafkaAccess:
        return KafkaAccess(self.bootstrap, topics.principal_of(code), self.credentials.partner(code).password)

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

    def position(self, partners: Sequence[str]) -> int:
        """How many records of the partners' topics enrolment has read."""
        names = [topics.events(code) for code in partners]
        statement = "SELECT coalesce(sum(next_offset), 0) FROM positions WHERE topic = ANY(%s)"
        return int(self.rows("enrolment", statement, names)[0][0])

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

    async def end(self, partners: Sequence[str]) -> int:
        """How many records lie in the partners' topics."""
        places = [TopicPartition(topics.events(code), 0) for code in partners]
        async with reading(self.options) as consumer:
            return sum((await consumer.end_offsets(places)).values())

    async def publish(self, shares: Mapping[str, Sequence[Outgoing]]) -> int:
        """Publish each partner's records, as fast as they are taken; returns how many lay in their topics before."""
        first = await self.end(list(shares))
        for code, records in shares.items():
            async with publisher.publishing(self._access(code)) as producer:
                for start in range(0, len(records), CHUNK):
                    await publisher.send(producer, code, records[start : start + CHUNK])
        return first
