"""The log and the database of a system: those that the environment names, otherwise our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from senconet.access import KafkaAccess, PostgresAccess
from senconet.local.home import Home, System, given_kafka, given_postgres
from senconet.local.kafka import KafkaServer
from senconet.local.kafka_config import KafkaSecrets, KafkaSettings
from senconet.local.ports import reserved_ports
from senconet.local.postgres import PostgresServer
from senconet.local.processes import ProcessId
from senconet.provision import provision_databases, provision_kafka
from shared.topics import OPERATOR

KAFKA_PORT: Final = "kafka"
CONTROLLER_PORT: Final = "kafka-controller"
POSTGRES_PORT: Final = "postgres"

# A killed broker may come back soon; on one machine there is no network to wait for.
_SESSION_MS: Final = 3_000


class NotStarted(RuntimeError):
    """An engine of ours has never been started in this home, so that it has no address yet."""


class Engines:
    """Kafka and PostgreSQL. What an earlier run of ours started in the same home is found and used."""

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self.home = home
        self._secrets = home.secrets(environment)
        self._given_kafka = given_kafka(environment)
        self._given_postgres = given_postgres(environment)
        self.kafka_server: KafkaServer | None = None
        self.postgres_server: PostgresServer | None = None
        self._find(home.system())

    @property
    def kafka(self) -> KafkaAccess:
        """How the administrator reaches Kafka. Raises NotStarted."""
        if self._given_kafka is not None:
            return self._given_kafka
        if self.kafka_server is None:
            raise NotStarted("Kafka has not been started: run `senconet up`")
        return self.kafka_server.access

    @property
    def postgres(self) -> PostgresAccess:
        """How the administrator reaches PostgreSQL. Raises NotStarted."""
        if self._given_postgres is not None:
            return self._given_postgres
        if self.postgres_server is None:
            raise NotStarted("PostgreSQL has not been started: run `senconet up`")
        return self.postgres_server.access

    @property
    def processes(self) -> dict[str, ProcessId]:
        """Those processes of ours that run."""
        servers = {"kafka": self.kafka_server, "postgres": self.postgres_server}
        found = {name: server.process_id for name, server in servers.items() if server is not None}
        return {name: process for name, process in found.items() if process is not None}

    def start(self) -> None:
        """Start those that are ours and do not run, on their saved ports where these are free.

        Raises StartFailed and what else the servers' `start` raises.
        """
        idle = self._idle_ports()
        saved = self.home.system()
        with reserved_ports([saved.ports.get(name) for name in idle]) as ports:
            system = saved.model_copy(update={"ports": dict(saved.ports) | dict(zip(idle, ports, strict=True))})
            self._find(system)
            addresses = {"kafka": self.kafka.bootstrap, "postgres": self.postgres.address}
            self.home.save(system.model_copy(update=addresses))
            for server in (self.postgres_server, self.kafka_server):
                if server is not None:
                    server.start()

    def provision(self) -> dict[str, str]:
        """Bring topics, users, rights and databases to what the topic table says.

        Returns each service's database address, which holds its password.
        """
        provision_kafka(self.kafka, self._secrets.services(self._secrets.kafka))
        return self.fresh_databases("")

    def fresh_databases(self, suffix: str) -> dict[str, str]:
        """A database `{service}{suffix}` for each service, made if it is not there; returns their addresses."""
        passwords = self._secrets.services(self._secrets.postgres)
        return provision_databases(self.postgres, passwords, suffix=suffix)

    def reach(self, service: str) -> tuple[KafkaAccess, str]:
        """What a service is given to log in with: its Kafka user and its database's address."""
        user = KafkaAccess(self.kafka.bootstrap, service, self._secrets.kafka[service])
        server = self.postgres
        role = PostgresAccess(server.host, server.port, service, self._secrets.postgres[service])
        return user, role.url(service)

    def stop(self) -> None:
        """Stop those that are ours; their data stay."""
        for server in (self.kafka_server, self.postgres_server):
            if server is not None:
                server.stop()

    def _idle_ports(self) -> list[str]:
        running = self.processes
        names: list[str] = []
        if self._given_kafka is None and "kafka" not in running:
            names += [KAFKA_PORT, CONTROLLER_PORT]
        if self._given_postgres is None and "postgres" not in running:
            names += [POSTGRES_PORT]
        return names

    def _find(self, system: System) -> None:
        """Make the servers that have ports: each finds its own process by the record in its folder."""
        running = self.processes
        if self._given_kafka is None and KAFKA_PORT in system.ports and "kafka" not in running:
            self.kafka_server = KafkaServer(self.home.kafka, self._kafka_settings(system))
        if self._given_postgres is None and POSTGRES_PORT in system.ports and "postgres" not in running:
            password = self._secrets.postgres[OPERATOR]
            self.postgres_server = PostgresServer(self.home.postgres, system.ports[POSTGRES_PORT], password)

    def _kafka_settings(self, system: System) -> KafkaSettings:
        return KafkaSettings(
            cluster_id=system.cluster_id,
            data=str(self.home.kafka / "data"),
            port=system.ports[KAFKA_PORT],
            controller_port=system.ports[CONTROLLER_PORT],
            secrets=KafkaSecrets.of(self._secrets.kafka),
            session_ms=_SESSION_MS,
        )
