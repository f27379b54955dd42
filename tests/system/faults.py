"""What is done to running processes: they are frozen, or die and are started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from senconet.local.service import ServiceProcess
from tests.system.support import Stage, watch


def freeze(process: ServiceProcess) -> None:
    """Stop a process as SIGSTOP does: it keeps its connections and says nothing."""
    watch(process).send_signal(signal.SIGSTOP)


def thaw(process: ServiceProcess) -> None:
    """Let it go on, if it still runs."""
    if process.process_id is not None:
        os.kill(process.process_id.pid, signal.SIGCONT)


@contextmanager
def frozen(*processes: ServiceProcess) -> Iterator[None]:
    """Processes that do nothing inside the block, and go on after it."""
    with ExitStack() as thawed:
        for process in processes:
            freeze(process)
            thawed.callback(thaw, process)
        yield


def crash(stage: Stage, name: str) -> None:
    """End a service by SIGKILL, and start it again without waiting for it. One that has not come up yet dies too."""
    stage.local.services[name].kill()
    stage.launch(name)
