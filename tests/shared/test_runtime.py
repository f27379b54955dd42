"""A process that cannot start says why, by the kind of the failure and the lines of code."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError

from shared import runtime
from shared.database import make_engine
from shared.runtime import Process

NOBODY = "postgresql+psycopg://nobody:canary-password@127.0.0.1:1/nothing"


async def test_without_its_database_it_does_not_start_and_logs_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(runtime, "CONNECT_SECONDS", 0)
    engine, none = make_engine(NOBODY), cast(Any, SimpleNamespace())
    process = Process("enrolment", none, engine, none, none, (), none, ())
    with caplog.at_level(logging.CRITICAL), pytest.raises(OperationalError):
        await process.start()
    assert not await process.ready()
    (message,) = caplog.messages
    assert message.startswith("does not start for OperationalError\n")
    assert "in connect" in message
    assert "canary-password" not in caplog.text
