"""What a process logs: of an exception its kind and the lines of code, never its message, which may hold values."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
INNERMOST: Final = 6

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutValues(logging.Formatter):
    """Formats what libraries log as well: they add the exception whole."""

    def formatException(self, ei: _Raised) -> str:
        """The kind of an exception and of each that it came from, with the lines of code, outermost last."""
        told, error = list[str](), ei[1]
        while error is not None:
            told.append(f"{frames(error)}\n{type(error).__name__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(told))


def frames(error: BaseException) -> str:
    """Where an exception was raised: the innermost lines of code."""
    return "".join(traceback.format_tb(error.__traceback__)[-INNERMOST:]).rstrip()


def configure() -> None:
    """Log to standard error, from INFO on. Libraries with handlers of their own are told to have none."""
    handler = logging.StreamHandler()
    handler.setFormatter(WithoutValues(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
