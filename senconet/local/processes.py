"""Processes of our own: each in its own session, with its own log, and ended only if still the same one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from senconet.local.files import write_private

RECORD: Final = ".process.json"

_POLL_SECONDS: Final = 0.05
_KILL_SECONDS: Final = 10.0
_SAME_START_SECONDS: Final = 2.0
_TAIL_BYTES: Final = 16_384


class StartFailed(RuntimeError):
    """A process died, or was not ready in time; the message ends with the tail of its log."""


class StillRunning(RuntimeError):
    """A process outlived SIGKILL for longer than we wait."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """Which process: a number alone is given again to others, one with its start (Unix seconds) is not."""

    pid: int
    started: float

    def find(self) -> psutil.Process | None:
        """The process, if it still is the one that was meant."""
        try:
            process = psutil.Process(self.pid)
            # The clock that start times are derived from may be corrected while a process runs.
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
        except psutil.NoSuchProcess:
            return None
        return process if same and is_running(process) else None


class Program:
    """One program of ours: at most one process at a time, with its log and a record of it in `folder`.

    The record lets a later run of ours find and end the process; only a process that it names is ever ended.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._record = folder / f"{name}{RECORD}"
        self._process = _recorded(self._record)

    @property
    def process_id(self) -> ProcessId | None:
        """Its process, while it runs."""
        if self._process is None or not is_running(self._process):
            return None
        return ProcessId(self._process.pid, self._process.create_time())

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        ready: Callable[[], bool],
        patience: float,
    ) -> None:
        """Start it unless it runs, and wait until `ready()`, as `launch` and `await_ready` do."""
        if self.process_id is None:
            self.launch(command, environment)
            self.await_ready(ready, patience)

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it and do not wait. The command's first word is a path."""
        self._process = _spawn(command, self.log, environment)
        started = ProcessId(self._process.pid, self._process.create_time())
        write_private(self._record, json.dumps(asdict(started)))

    def await_ready(self, ready: Callable[[], bool], patience: float) -> None:
        """Wait until `ready()`. Raises StartFailed if it dies first, or after `patience` seconds.

        Then, and if the wait is broken off, nothing of it is left running.
        """
        try:
            settled = _poll(lambda: self.process_id is None or ready(), patience)
            if not settled:
                raise StartFailed(f"{self.name} was not ready after {patience:g} s.\n{tail(self.log)}")
            if self.process_id is None:
                raise StartFailed(f"{self.name} ended while starting.\n{tail(self.log)}")
        except BaseException:
            self.kill()
            raise

    def stop(self, *, patience: float, by: signal.Signals = signal.SIGTERM) -> bool:
        """Ask it to end; after `patience` seconds kill it. True if it ended by itself, or did not run."""
        if self._process is None or not is_running(self._process):
            return True
        self._process.send_signal(by)
        ended = _all_gone([self._process], patience)
        if not ended:
            self.kill()
        return ended

    def kill(self) -> None:
        """SIGKILL it and all its descendants, and wait until none is left. Raises StillRunning."""
        if self._process is not None:
            _kill(self._process)


def is_running(process: psutil.Process) -> bool:
    """Whether any part of it still runs.

    A zombie does not: some containers have nobody who reaps them. But the first thread of a killed process is
    one while others still end, and until the last has, its ports and files are not free.
    """
    try:
        process.wait(timeout=0)
    except psutil.TimeoutExpired:
        with suppress(psutil.NoSuchProcess):
            alive = process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
            return bool(alive and process.is_running())
    return False


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return f"({log.name} is empty)"
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = stream.read().decode("utf-8", "replace")
    return f"The end of {log}:\n" + "\n".join(text.splitlines()[-lines:])


def _recorded(record: Path) -> psutil.Process | None:
    try:
        return ProcessId(**json.loads(record.read_text("utf-8"))).find()
    except FileNotFoundError:
        return None


def _spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> psutil.Process:
    """Its own session keeps the terminal's Ctrl-C from a process: it ends when it is told to.

    Not by subprocess.Popen, which wants to be there at the end of what it started; these may outlive us.
    """
    to_log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), to_log, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        # Python ignores these two, and what is ignored stays so in a child.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )
    return psutil.Process(pid)


def _kill(process: psutil.Process) -> None:
    try:
        process.suspend()  # so that it cannot start another child while they are being listed
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    if not _all_gone(family, _KILL_SECONDS):
        raise StillRunning(f"process {process.pid} or a child of it runs on after SIGKILL")


def _all_gone(family: Sequence[psutil.Process], patience: float) -> bool:
    return _poll(lambda: not any(is_running(member) for member in family), patience)


def _poll(done: Callable[[], bool], patience: float) -> bool:
    """Ask until the answer is yes (True) or `patience` seconds are over (False)."""
    retrying = Retrying(
        retry=retry_if_result(lambda result: not result),
        stop=stop_after_delay(patience),
        wait=wait_fixed(_POLL_SECONDS),
        retry_error_callback=lambda _: False,
    )
    return bool(retrying(done))
