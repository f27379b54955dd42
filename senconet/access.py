"""How to reach an engine: an address with the user to log in as. Passwords show in no representation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from confluent_kafka.admin import AdminClient
from sqlalchemy import URL

from shared.kafka import client_options

_CONNECT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """A Kafka cluster (`bootstrap` as `host:port,...`) and one of its SCRAM users."""

    bootstrap: str
    username: str
    password: str = field(repr=False)

    def client_options(self) -> dict[str, Any]:
        """What an aiokafka client needs to log in."""
        return client_options(self.bootstrap, self.username, self.password)

    def client_settings(self) -> dict[str, Any]:
        """What a librdkafka client needs to log in."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.username,
            "sasl.password": self.password,
        }

    def admin(self) -> AdminClient:
        """A client for administration. It writes nothing to stderr: failures come as exceptions."""
        return AdminClient(self.client_settings() | {"log_level": 0, "reconnect.backoff.max.ms": 500})


@dataclass(frozen=True, slots=True)
class PostgresAccess:
    """A PostgreSQL server and one of its roles."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)

    @property
    def address(self) -> str:
        """Host and port, as they are written for people."""
        return f"{self.host}:{self.port}"

    def url(self, database: str) -> str:
        """The database's address for SQLAlchemy. It holds the password."""
        return URL.create(
            "postgresql+psycopg", self.username, self.password, self.host, self.port, database
        ).render_as_string(hide_password=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection on which each statement commits by itself."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.username,
            password=self.password,
            dbname=database,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
        )
