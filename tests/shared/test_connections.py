"""A connection whose other end has gone without a word is given up within half a minute."""

from __future__ import annotations

import os
import socket
import sys

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import relay

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="options of a socket are named as Linux names them")


def noticed_within(connection: psycopg.AsyncConnection) -> tuple[float, float]:
    """After how many seconds a dead server is given up: while something is under way, and while nothing is."""
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as ours:

        def told(name: int) -> int:
            return ours.getsockopt(socket.IPPROTO_TCP, name)

        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        probing = told(socket.TCP_KEEPCNT) * told(socket.TCP_KEEPINTVL)
        return told(socket.TCP_USER_TIMEOUT) / 1000, told(socket.TCP_KEEPIDLE) + probing


async def test_the_services_own(engine: AsyncEngine):
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        assert all(0 < seconds <= 30 for seconds in noticed_within(driver))


async def test_that_of_the_relay_at_both_ends(engine: AsyncEngine):
    async with await relay.listening_to(engine.url.render_as_string(hide_password=False)) as connection:
        assert all(0 < seconds <= 30 for seconds in noticed_within(connection))
        settings = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
        found = await connection.execute(
            "SELECT name, CAST(setting AS int) FROM pg_settings WHERE name = ANY(%s)", [list(settings)]
        )
        values = dict(await found.fetchall())
        idle, interval, count = (values[name] for name in settings)
        assert idle + interval * count <= 30
