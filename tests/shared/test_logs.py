"""Of an exception a log shows its kind and the lines of code, whoever logs it, and no value."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys

import pytest

from shared.logs import FORMAT, WithoutValues
from tests.architecture.source import ROOT

CANARY = "canary Jane Doe"


def logged(error: BaseException | None, message: str = "it failed", logger: str = "library") -> str:
    """What a library's line about an exception comes to."""
    handler = logging.StreamHandler(shown := io.StringIO())
    handler.setFormatter(WithoutValues(FORMAT))
    raised = (type(error), error, error.__traceback__) if error else None
    handler.emit(logging.LogRecord(logger, logging.ERROR, __file__, 1, message, (), raised))
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


def test_each_of_a_group_is_shown() -> None:
    shown = logged(ExceptionGroup(CANARY, [raised(hiding=True), KeyError(CANARY)]))
    assert CANARY not in shown
    assert [line for line in shown.splitlines() if line.isalpha()] == ["RuntimeError", "KeyError", "ExceptionGroup"]


def test_exceptions_that_are_each_others_cause_are_shown_once() -> None:
    first, second = KeyError(CANARY), ValueError(CANARY)
    first.__cause__, second.__cause__ = second, first
    assert [line for line in logged(first).splitlines() if line.isalpha()] == ["ValueError", "KeyError"]


def test_of_a_librarys_message_only_the_first_line_is_shown_for_others_hold_exceptions() -> None:
    message = f"it failed\nValueError: {CANARY}"
    assert CANARY not in logged(None, message)
    assert logged(None, "").endswith("ERROR library \n")
    assert logged(None, "one\ntwo", logger="senconet.consumer").endswith("one\ntwo\n")


PROGRAM = f"""
import asyncio
import threading
from shared import logs

class Gone:
    def __del__(self):
        raise OSError("{CANARY}")

def end():
    raise TypeError("{CANARY}")

async def fail():
    raise ValueError("{CANARY}")

async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    raise KeyError("{CANARY}")

logs.configure()
Gone()
thread = threading.Thread(target=end)
thread.start()
thread.join()
asyncio.run(main())
"""


def test_a_process_shows_no_value_of_what_nobody_catches() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert CANARY not in done.stderr
    assert "asyncio Task exception was never retrieved" in done.stderr
    assert "senconet stopped by an exception" in done.stderr
    kinds = [line for line in done.stderr.splitlines() if line.isalpha()]
    assert kinds == ["OSError", "TypeError", "ValueError", "KeyError"]


@pytest.mark.parametrize("module", ["services.enrolment", "services.reporting", "services.reporting.server"])
def test_a_process_names_what_its_environment_lacks_and_shows_no_value_of_it(module: str) -> None:
    environment = {"PATH": os.environ["PATH"], "SENCONET_HTTP_PORT": CANARY}
    words = [sys.executable, "-m", module]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert CANARY not in done.stderr
    said, _, names = done.stderr.strip().partition(": ")
    assert said == "missing or not valid in the environment"
    assert {"SENCONET_DATABASE_URL", "SENCONET_HTTP_PORT"} <= set(names.split(", "))
