"""Runs a service that freezes once at a crash point, instead of dying there: `python -m tests.system.zombie`.

`SENCONET_ZOMBIE` names the service.
"""

from __future__ import annotations

import os
import runpy
import signal
from dataclasses import dataclass

from shared import crash


@dataclass
class FreezeOnce:
    """Stands in for `shared.crash.point`."""

    armed: str

    def __call__(self, name: str, size: int = 1) -> None:
        """Stop by SIGSTOP, the first time that the point is reached with enough work in hand."""
        point, _, least = self.armed.partition(":")
        if point == name and size >= int(least):
            self.armed = ""
            os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    crash.point = FreezeOnce(os.environ[crash.VARIABLE])
    runpy.run_module(f"services.{os.environ['SENCONET_ZOMBIE']}", run_name="__main__")
