"""A service as a process of its own, told by its environment what to reach and where to listen."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from senconet.access import KafkaAccess
from senconet.local.files import private_folder
from senconet.local.ports import LOOPBACK
from senconet.local.processes import ProcessId, Program
from shared.topics import SERVICES

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ServiceProgram:
    """One program of a service: the module that Python runs, and whose user and database it uses."""

    name: str
    module: str
    service: str


PROGRAMS: Final = (
    *(ServiceProgram(service, f"services.{service}", service) for service in SERVICES),
    ServiceProgram("reporting-server", "services.reporting.server", "reporting"),
)


def service_environment(
    kafka: KafkaAccess, database_url: str, port: int, settings: Mapping[str, str]
) -> dict[str, str]:
    """What a service is told. `settings` are further variables (`SENCONET_HOLD_SECONDS`), and win."""
    return {
        "SENCONET_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SENCONET_KAFKA_USERNAME": kafka.username,
        "SENCONET_KAFKA_PASSWORD": kafka.password,
        "SENCONET_DATABASE_URL": database_url,
        "SENCONET_HTTP_PORT": str(port),
        **settings,
    }


class ServiceProcess:
    """One instance of a service's program; `name` tells instances apart in `folder`."""

    def __init__(self, program: ServiceProgram, folder: Path, *, name: str, port: int) -> None:
        self.port = port
        self._module = program.module
        self._program = Program(name, private_folder(folder))

    @property
    def url(self) -> str:
        """Where it answers: `/health/live`, `/health/ready`, `/metrics`."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._program.log

    @property
    def process_id(self) -> ProcessId | None:
        """Its process, while it runs."""
        return self._program.process_id

    def launch(self, environment: Mapping[str, str]) -> None:
        """Start it and do not wait. It gets our own environment too, below what is given."""
        self._program.launch((sys.executable, "-m", self._module), {**os.environ, **environment})

    def await_ready(self, patience: float = START_SECONDS) -> None:
        """Wait until it says that it is ready. Raises StartFailed; then it does not run any more."""
        self._program.await_ready(self._ready, patience)

    def stop(self, patience: float = STOP_SECONDS) -> bool:
        """Ask it to end; after `patience` seconds kill it. True if it ended by itself."""
        return self._program.stop(patience=patience)

    def kill(self) -> None:
        """End it as a crash would."""
        self._program.kill()

    def _ready(self) -> bool:
        try:
            # No proxy of the environment stands between us and the loopback address.
            with httpx.Client(trust_env=False, verify=False, timeout=_ANSWER_SECONDS) as client:
                return client.get(f"{self.url}/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
