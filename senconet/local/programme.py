"""The whole system of one machine with a synthetic programme in it: reference data, partners, the lead, a reader."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from senconet import partners, reference
from senconet.demonstration import dataset
from senconet.demonstration import reference as synthetic
from senconet.demonstration.model import Dataset
from senconet.local import credentials
from senconet.local.credentials import Credentials
from senconet.local.home import Home
from senconet.local.system import LocalSystem, ignore
from senconet.migrate import migrate

NOTICE: Final[Mapping[str, str]] = MappingProxyType({"SENCONET_NOTICE": "Synthetic data"})


class Programme:
    """A local system that is ready for events. Leaving the block stops it, unless it is told to stay."""

    def __init__(self, home: Home, *, on_step: Callable[[str], None] = ignore) -> None:
        self.home = home
        self.system = LocalSystem(home, migrate=migrate, on_step=on_step)
        self._on_step = on_step
        self._stays = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._stays:
            self.stop()

    def leave_running(self) -> None:
        """Do not stop the system at the end of the block."""
        self._stays = True

    def start(self, settings: Mapping[str, str] = MappingProxyType({}), data: Dataset | None = None) -> Credentials:
        """Start engines and services, with the partners and the reference data of a data set."""
        data = data or dataset.build()
        with self.home.exclusive():
            self.system.start_engines()
            known = self._provision(data)
            self.system.start_services(settings={**NOTICE, **settings})
        return known

    def provision(self, data: Dataset | None = None) -> Credentials:
        """Bring engines that run to where services can be started, with a data set's partners and reference data."""
        with self.home.exclusive():
            return self._provision(data or dataset.build())

    def stop(self) -> None:
        """Stop all that runs."""
        self.system.stop()

    def _provision(self, data: Dataset) -> Credentials:
        self.system.prepare()
        self._load(data)
        return self._partners(data)

    def _load(self, data: Dataset) -> None:
        with tempfile.TemporaryDirectory() as folder:
            synthetic.write(data.reference, Path(folder))
            kafka = self.system.engines.kafka
            asyncio.run(reference.load(kafka, Path(folder), datetime.now(UTC), self._on_step))

    def _partners(self, data: Dataset) -> Credentials:
        known = credentials.load(self.home)
        names = {partner.code: partner.name for partner in data.partners}
        missing = [code for code in names if code not in known.partners]
        if missing:
            self._on_step(f"Adding {len(missing)} partners, the lead among them")
        url = self.system.engines.reach("reporting")[1]
        for code in missing:
            added = asyncio.run(partners.add(self.system.engines.kafka, url, code, names[code]))
            known = known.plus(code, added)
        if known.reader_token is None:
            known = known.model_copy(update={"reader_token": asyncio.run(partners.issue_reader_token(url))})
        credentials.save(self.home, known)
        return known
