"""The one folder that holds what a local system keeps: its data, logs, description and secrets."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from senconet.access import KafkaAccess, PostgresAccess
from senconet.local.files import private_folder, write_private
from senconet.local.kafka_config import new_cluster_id
from senconet.local.processes import ProcessId
from shared.topics import OPERATOR, SERVICES

HOME: Final = "SENCONET_HOME"
KAFKA: Final = "SENCONET_KAFKA"
POSTGRES: Final = "SENCONET_POSTGRES"
CLUSTER_ID: Final = "SENCONET_KAFKA_CLUSTER_ID"
Model = TypeVar("Model", bound=BaseModel)

_DEFAULT: Final = ".senconet"
_KAFKA_USERS: Final = (OPERATOR, "broker", "controller", *SERVICES)
_POSTGRES_USERS: Final = (OPERATOR, *SERVICES)


class HomeBusy(RuntimeError):
    """Another command is starting or stopping the system of this home."""


class IncompleteAddress(ValueError):
    """An engine's address is in the environment without what is needed to log in; the message names it."""


class System(BaseModel):
    """What runs where. `ports` keep their numbers from one start to the next; addresses are `host:port`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    cluster_id: str = Field(default_factory=new_cluster_id)
    kafka: str | None = None
    postgres: str | None = None
    ports: Mapping[str, int] = Field(default_factory=dict)
    processes: Mapping[str, ProcessId] = Field(default_factory=dict)


class Secrets(BaseModel):
    """The passwords of a local system's users, by engine and name. They show in no representation."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kafka: Mapping[str, str] = Field(default_factory=dict, repr=False)
    postgres: Mapping[str, str] = Field(default_factory=dict, repr=False)

    def completed(self) -> Self:
        """With a new password for each user that has none yet."""
        return self.model_copy(
            update={
                "kafka": _passwords(_KAFKA_USERS) | dict(self.kafka),
                "postgres": _passwords(_POSTGRES_USERS) | dict(self.postgres),
            }
        )

    def overridden_by(self, given: Secrets) -> Self:
        """With the passwords of `given` where it has some."""
        return self.model_copy(
            update={"kafka": {**self.kafka, **given.kafka}, "postgres": {**self.postgres, **given.postgres}}
        )

    def variables(self) -> dict[str, str]:
        """The environment from which `given_secrets` reads them."""
        engines = ((KAFKA, self.kafka), (POSTGRES, self.postgres))
        return {_variable(engine, name): password for engine, users in engines for name, password in users.items()}

    def services(self, engine: Mapping[str, str]) -> dict[str, str]:
        """The services' part of an engine's passwords."""
        return {service: engine[service] for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Home:
    """The folder, its owner's only: what `SENCONET_HOME` names, or `.senconet` in the current folder."""

    path: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Home:
        """The home that an environment names."""
        return cls(Path(environment.get(HOME) or _DEFAULT).absolute())

    @property
    def kafka(self) -> Path:
        """The broker's folder."""
        return self.path / "kafka"

    @property
    def postgres(self) -> Path:
        """The database server's folder."""
        return self.path / "postgres"

    @property
    def services(self) -> Path:
        """The services' logs."""
        return self.path / "services"

    @property
    def system_file(self) -> Path:
        """The saved description: where it is, a system was made."""
        return self.path / "system.json"

    @property
    def lock_file(self) -> Path:
        """What `exclusive` locks; left behind, it means nothing."""
        return self.path / "lock"

    def system(self) -> System:
        """The saved description; an empty one before the first start."""
        return _load(System, self.system_file)

    def save(self, system: System) -> None:
        """Replace the saved description."""
        private_folder(self.path)
        write_private(self.system_file, system.model_dump_json(indent=2))

    def secrets(self, environment: Mapping[str, str] = MappingProxyType({})) -> Secrets:
        """The passwords that an environment gives; besides, saved ones, of which those still missing are made."""
        given = given_secrets(environment)
        if given.completed() == given:
            return given
        file = self.path / "secrets.json"
        saved = _load(Secrets, file)
        completed = saved.completed()
        if completed != saved:
            private_folder(self.path)
            write_private(file, completed.model_dump_json(indent=2))
        return completed.overridden_by(given)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep others from starting or stopping this system meanwhile. Raises HomeBusy."""
        private_folder(self.path)
        lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(lock, self.path)
            yield
        finally:
            os.close(lock)


def given_kafka(environment: Mapping[str, str]) -> KafkaAccess | None:
    """The cluster that SENCONET_KAFKA names, and who administers it. Raises IncompleteAddress."""
    if not environment.get(KAFKA):
        return None
    return KafkaAccess(environment[KAFKA], *_administrator(environment, KAFKA))


def given_postgres(environment: Mapping[str, str]) -> PostgresAccess | None:
    """The server that SENCONET_POSTGRES names (`host:port`), likewise. Raises IncompleteAddress."""
    if not environment.get(POSTGRES):
        return None
    host, _, port = environment[POSTGRES].rpartition(":")
    if not host or not port.isdigit():
        raise IncompleteAddress(f"{POSTGRES} must be host:port")
    return PostgresAccess(host.strip("[]"), int(port), *_administrator(environment, POSTGRES))


def given_secrets(environment: Mapping[str, str]) -> Secrets:
    """The passwords that `SENCONET_KAFKA_PASSWORD_{USER}` and `SENCONET_POSTGRES_PASSWORD_{USER}` give."""
    return Secrets(
        kafka=_given(environment, KAFKA, _KAFKA_USERS), postgres=_given(environment, POSTGRES, _POSTGRES_USERS)
    )


def _given(environment: Mapping[str, str], engine: str, users: tuple[str, ...]) -> dict[str, str]:
    return {user: found for user in users if (found := environment.get(_variable(engine, user)))}


def _variable(engine: str, user: str) -> str:
    return f"{engine}_PASSWORD_{user.upper()}"


def _administrator(environment: Mapping[str, str], engine: str) -> tuple[str, str]:
    names = (f"{engine}_ADMIN_USERNAME", f"{engine}_ADMIN_PASSWORD")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise IncompleteAddress(f"{engine} is set, so {' and '.join(missing)} must be set too")
    return environment[names[0]], environment[names[1]]


def _passwords(names: tuple[str, ...]) -> dict[str, str]:
    return {name: secrets.token_urlsafe(24) for name in names}


def _load(model: type[Model], file: Path) -> Model:
    try:
        return model.model_validate_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return model()


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HomeBusy(f"another command is starting or stopping the system in {path}") from None
