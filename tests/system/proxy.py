"""A TCP proxy before PostgreSQL that can lose the answer to one COMMIT: the client never learns that it was done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 1 << 16
ENDS = (b"COMMIT", b"ROLLBACK", b"BEGIN")


@dataclass
class Proxy:
    """Forwards everything, until a transaction commits in which a client has sent `at_least` bytes or more."""

    server_port: int
    at_least: int
    port: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the client."""
        upstream = await asyncio.open_connection("127.0.0.1", self.server_port)
        connection = Connection(self, reader, writer, *upstream)
        self._tasks = {asyncio.create_task(connection.requests()), asyncio.create_task(connection.answers())} | {
            task for task in self._tasks if not task.done()
        }

    async def stop(self) -> None:
        """Cut all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass
class Connection:
    """Both directions of one connection."""

    proxy: Proxy
    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    sent: int = 0
    silent: bool = False

    async def requests(self) -> None:
        """What the client sends, counted from the beginning of each transaction."""
        with contextlib.closing(self.to_server):
            await self._pass_requests()

    async def answers(self) -> None:
        """What the server answers; once the great COMMIT is answered, nobody hears it."""
        with contextlib.closing(self.to_client):
            await self._pass_answers()

    async def _pass_requests(self) -> None:
        while data := await self.client.read(CHUNK):
            self.sent += len(data)
            if b"COMMIT" in data and self.sent >= self.proxy.at_least and not self.proxy.lost.is_set():
                self.silent = True
            if len(data) < CHUNK and any(end in data for end in ENDS):
                self.sent = 0
            self.to_server.write(data)
            await self.to_server.drain()

    async def _pass_answers(self) -> None:
        while data := await self.server.read(CHUNK):
            if self.silent:
                self.proxy.lost.set()
                continue
            self.to_client.write(data)
            await self.to_client.drain()


@asynccontextmanager
async def losing_an_answer(server_port: int, at_least: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port."""
    proxy = Proxy(server_port, at_least)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
