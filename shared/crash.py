"""Points at which a process can be told to die, so that tests can kill it in every gap of the pipeline."""

from __future__ import annotations

import os
import signal
from typing import Final

POINTS: Final = (
    "after_fetch",
    "after_judging",
    "before_commit",
    "after_commit",
    "relay_after_send",
    "relay_after_acknowledgement",
)
VARIABLE: Final = "SENCONET_CRASH_POINT"


def point(name: str, size: int = 1) -> None:
    """Die by SIGKILL if this point is armed as `NAME:MINIMUM` and the work in hand has at least that size."""
    armed = os.environ.get(VARIABLE)
    if armed and armed.partition(":")[0] == name and size >= int(armed.partition(":")[2] or 1):
        os.kill(os.getpid(), signal.SIGKILL)
