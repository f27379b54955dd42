"""Of an exception a log shows its kind and the lines of code, whoever logs it, and no value."""

from __future__ import annotations

import io
import logging

from shared.logs import FORMAT, WithoutValues

CANARY = "canary Jane Doe"


def logged(error: BaseException) -> str:
    """What a library's line about an exception comes to."""
    handler = logging.StreamHandler(shown := io.StringIO())
    handler.setFormatter(WithoutValues(FORMAT))
    raised = (type(error), error, error.__traceback__)
    handler.emit(logging.LogRecord("library", logging.ERROR, __file__, 1, "it failed", (), raised))
    return shown.getvalue()


def read(text: str) -> int:
    return int(text)


def answer(*, hiding: bool) -> None:
    try:
        read(CANARY)
    except ValueError as error:
        raise RuntimeError(f"no answer to {CANARY}") from (None if hiding else error)


def raised(*, hiding: bool) -> BaseException:
    try:
        answer(hiding=hiding)
    except RuntimeError as error:
        return error
    raise AssertionError("nothing was raised")


def test_the_usual_formatter_would_show_the_value() -> None:
    error = raised(hiding=False)
    assert CANARY in logging.Formatter().formatException((type(error), error, error.__traceback__))


def test_kind_and_place_are_shown_and_what_it_came_of_and_no_message() -> None:
    shown = logged(raised(hiding=False))
    assert CANARY not in shown
    lines = shown.splitlines()
    assert lines[0].endswith("ERROR library it failed")
    assert [line for line in lines if line in {"ValueError", "RuntimeError"}] == ["ValueError", "RuntimeError"]
    assert "in read" in shown
    assert "in answer" in shown


def test_what_an_exception_hides_stays_hidden() -> None:
    shown = logged(raised(hiding=True))
    assert "RuntimeError" in shown
    assert "ValueError" not in shown
