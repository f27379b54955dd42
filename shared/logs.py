"""What a process logs: of an exception its kind and the lines of code, never its message, which may hold values."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
OURS: Final = "senconet"
INNERMOST: Final = 6

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutValues(logging.Formatter):
    """Formats what libraries log as well: they add the exception whole."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Of others' messages the first line: what follows is an exception as text (asyncio, uvicorn)."""
        if not record.name.startswith(OURS):
            record.message, *_ = record.message.splitlines() or [""]
        return super().formatMessage(record)

    def formatException(self, ei: _Raised) -> str:
        """The kind of an exception and of each that it came from, with the lines of code, outermost last."""
        return "\n".join(_told(ei[1], set()))


def _told(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield from _told(error.__cause__ or (None if error.__suppress_context__ else error.__context__), seen)
    for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(member, seen)
    yield f"{frames(error)}\n{type(error).__name__}"


def frames(error: BaseException) -> str:
    """Where an exception was raised: the innermost lines of code."""
    return "".join(traceback.format_tb(error.__traceback__)[-INNERMOST:]).rstrip()


def configure() -> None:
    """Log to standard error, from INFO on, and what nobody catches likewise.

    Libraries with handlers of their own are told to have none.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutValues(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    ours = logging.getLogger(OURS)
    sys.excepthook = lambda *raised: ours.critical("stopped by an exception", exc_info=raised)
    sys.unraisablehook = lambda raised: ours.error("nobody could catch an exception", exc_info=raised.exc_value)
    threading.excepthook = lambda raised: ours.error("a thread ended by an exception", exc_info=raised.exc_value)
