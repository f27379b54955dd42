"""A whole system on this machine: engines, what they hold, and the services as processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import MappingProxyType, TracebackType
from typing import Final, Self

from senconet.local.engines import Engines
from senconet.local.home import Home, System
from senconet.local.ports import reserved_ports
from senconet.local.processes import RECORD, Program
from senconet.local.service import PROGRAMS, STOP_SECONDS, ServiceProcess, ServiceProgram, service_environment

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def ignore(_: str) -> None:
    """A listener that does not want to know."""


class LocalSystem:
    """The system of one home. As a context manager it is stopped at the end, however that comes about.

    Everything can also be done step by step: engines alone, one service with other settings, two instances.
    `on_step` is told in words what is being done. `migrate(service, database address)` brings a database's
    tables up to date.
    """

    def __init__(
        self,
        home: Home,
        *,
        migrate: Callable[[str, str], None],
        environment: Mapping[str, str] = os.environ,
        on_step: Callable[[str], None] = ignore,
    ) -> None:
        self.home = home
        self.engines = Engines(home, environment)
        self.services: dict[str, ServiceProcess] = {}
        self._migrate = migrate
        self._on_step = on_step

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(
        self,
        programs: Iterable[ServiceProgram] = PROGRAMS,
        settings: Mapping[str, str] = NOTHING,
    ) -> System:
        """Start everything and wait until it is ready; if a step fails, what was started is stopped again."""
        with self.home.exclusive():
            try:
                self.start_engines()
                self.prepare()
                self.start_services(programs, settings=settings)
            except BaseException:
                self._stop()
                raise
            return self._describe()

    def start_engines(self) -> None:
        """Start Kafka and PostgreSQL, unless the environment names others."""
        self._on_step("Starting PostgreSQL and Kafka")
        self.engines.start()
        self._describe()

    def prepare(self) -> None:
        """Bring topics, users, rights, databases and their tables up to date."""
        self._on_step("Preparing topics, users, rights and databases")
        for service, address in self.engines.provision().items():
            self._on_step(f"Migrating the database of {service}")
            self._migrate(service, address)

    def start_service(
        self, program: ServiceProgram, *, instance: str = "1", settings: Mapping[str, str] = NOTHING
    ) -> ServiceProcess:
        """Start one instance of a program and wait until it is ready; `settings` are variables that win."""
        (process,) = self.start_services([program], instance=instance, settings=settings)
        return process

    def start_services(
        self,
        programs: Iterable[ServiceProgram] = PROGRAMS,
        *,
        instance: str = "1",
        settings: Mapping[str, str] = NOTHING,
    ) -> list[ServiceProcess]:
        """Start several side by side and wait until all are ready; what runs already is left alone."""
        with ExitStack() as held:
            started = [self._launch(program, instance, settings, held) for program in programs]
            for process in started:
                process.await_ready()
        self._describe()
        return started

    def stop(self) -> None:
        """Stop everything of this home that runs, whichever run of ours started it; data stay."""
        with self.home.exclusive():
            self._stop()
            self._describe()

    def running(self) -> bool:
        """Whether anything of this home runs."""
        return bool(self._recorded() or self.engines.processes)

    def _stop(self) -> None:
        for name, service in self._recorded().items():
            self._on_step(f"Stopping {name}")
            service.stop(patience=STOP_SECONDS)
        if self.engines.processes:
            self._on_step("Stopping Kafka and PostgreSQL")
            self.engines.stop()

    def _recorded(self) -> dict[str, Program]:
        """The services of this home that run, found by the records in its folder."""
        records = sorted(self.home.services.glob(f"*{RECORD}"))
        names = [record.name.removesuffix(RECORD) for record in records]
        programs = {name: Program(name, self.home.services) for name in names}
        return {name: program for name, program in programs.items() if program.process_id is not None}

    def _launch(
        self, program: ServiceProgram, instance: str, settings: Mapping[str, str], held: ExitStack
    ) -> ServiceProcess:
        name = program.name if instance == "1" else f"{program.name}-{instance}"
        saved = self.home.system()
        if name in self._recorded():
            running = ServiceProcess(program, self.home.services, name=name, port=saved.ports[name])
            return self.services.setdefault(name, running)
        self._on_step(f"Starting {name}")
        (port,) = held.enter_context(reserved_ports([saved.ports.get(name)]))
        self.home.save(saved.model_copy(update={"ports": dict(saved.ports) | {name: port}}))
        process = ServiceProcess(program, self.home.services, name=name, port=port)
        process.launch(service_environment(*self.engines.reach(program.service), port, settings))
        self.services[name] = process
        return process

    def _describe(self) -> System:
        """Save and return what runs where."""
        services = {name: program.process_id for name, program in self._recorded().items()}
        running = self.engines.processes | {name: found for name, found in services.items() if found is not None}
        saved = self.home.system()
        system = saved.model_copy(update={"processes": running})
        self.home.save(system)
        return system
