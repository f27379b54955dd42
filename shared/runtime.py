"""One service process: subscribers, relay, the regular sweep, metrics and health, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import uvicorn
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker
from prometheus_client import make_asgi_app
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, stop_after_delay, wait_fixed

from shared import logs, relay
from shared.consumer import Reader
from shared.database import transaction
from shared.metrics import Metrics
from shared.relay import Relayed
from shared.settings import Settings


class Step(Protocol):
    """One part of the regular work. One that fails holds up no other."""

    __name__: str

    async def __call__(self) -> None:
        """Do it once."""


log = logging.getLogger("senconet")
S = TypeVar("S", bound=Settings)
CONNECT_SECONDS: Final = 60
ANSWER_SECONDS: Final = 1.5
"""Within so much a service says whether it is ready: who asks waits for two seconds."""
COLLECT_AFTER: Final = (20_000, 20, 200)
"""Allocations, and collections of younger objects, after which the cycle collector runs. What a service keeps, the
ledgers, has no cycles: at the usual (700, 10, 10), looking for some took a tenth of mentoring's time."""


@dataclass
class Process:
    """What runs in one process of a service."""

    name: str
    settings: Settings
    engine: AsyncEngine
    broker: KafkaBroker
    metrics: Metrics
    readers: Sequence[Reader]
    relayed: Relayed
    steps: Sequence[Step]
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Wait for broker and database, with a bound, then begin the regular work."""
        try:
            await self._connect()
        except Exception as error:
            log.critical("does not start for %s\n%s", type(error).__name__, logs.frames(error))
            raise
        self._tasks = [
            asyncio.create_task(relay.run(self.relayed)),
            asyncio.create_task(self._sweep_for_ever()),
        ]

    async def _connect(self) -> None:
        async for attempt in AsyncRetrying(stop=stop_after_delay(CONNECT_SECONDS), wait=wait_fixed(0.5), reraise=True):
            with attempt:
                await self._answers()
                await self.broker.connect()

    async def stop(self) -> None:
        """End the regular work and let go of the database."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.engine.dispose()

    async def _answers(self) -> None:
        async with transaction(self.engine) as tx:
            await tx.execute(text("SELECT 1"))

    async def _sweep_for_ever(self) -> None:
        while True:
            for reader in self.readers:
                reader.show_unread()
            for step in self.steps:
                try:
                    await step()
                except Exception as error:  # nothing is lost: the next sweep does what this one could not
                    self.metrics.sweep_failures.labels(step.__name__).inc()
                    log.warning("%s is tried again after %s", step.__name__, type(error).__name__)
            await asyncio.sleep(self.settings.sweep_seconds)

    async def ready(self) -> bool:
        """Whether database and broker answer, every reader has joined its group, and reference data is read."""
        if not all(reader.ready.is_set() and reader.joined.is_set() for reader in self.readers):
            return False
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._answers()
                return await self.readers[0].reaches_the_log()
        except Exception:
            return False


def make_app(process: Process) -> AsgiFastStream:
    """The ASGI application of a service: FastStream's subscribers, and three routes for operators."""

    @get
    async def live(scope: Any) -> AsgiResponse:
        return AsgiResponse(b"live", 200)

    @get
    async def ready(scope: Any) -> AsgiResponse:
        return AsgiResponse(b"ready", 200) if await process.ready() else AsgiResponse(b"not ready", 503)

    return AsgiFastStream(
        process.broker,
        asgi_routes=[
            ("/metrics", make_asgi_app(process.metrics.registry)),
            ("/health/live", live),
            ("/health/ready", ready),
        ],
        logger=None,
        on_startup=[process.start],
        after_shutdown=[process.stop],
    )


def run(make: Callable[[S, Callable[[], None]], AsgiFastStream], settings_of: type[S]) -> None:
    """Run a service until it is told to stop; exit with 1 if it stopped because it must not go on."""
    logs.configure()
    for library in ("aiokafka", "senconet.faststream"):
        logging.getLogger(library).setLevel(logging.WARNING)
    settings = settings_of.from_env(os.environ)
    failed = asyncio.Event()

    def stop() -> None:
        failed.set()
        server.should_exit = True

    app = make(settings, stop)
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    server.run()
    if failed.is_set() or not server.started:
        raise SystemExit(1)
