"""`demo`: the main job, on real engines, with a national data set."""

from __future__ import annotations

import shutil
import signal
import threading
from typing import Annotated, Final

import typer
from rich.live import Live

from senconet.cli.common import console, fail, home, run, server_url, told
from senconet.cli.system import show_addresses, show_metrics, step
from senconet.demo import report
from senconet.demo.run import SETTINGS, prepare, traffic_of
from senconet.demo.run import run as exchange
from senconet.demo.traffic import NotAnswered
from senconet.local.files import private_folder
from senconet.local.home import Home
from senconet.local.programme import Programme
from senconet.local.system import LocalSystem
from senconet.migrate import migrate

MARK: Final = "made-by-senconet-demo"


@told
def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="Stop the system at the end instead of waiting for Ctrl-C.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The data set follows from the seed.")] = 2022,
    scale: Annotated[float, typer.Option(min=0.04, max=1, help="A part of the national data set.")] = 1,
) -> None:
    """Publish a synthetic national data set as ten partners and the lead, and compare all answers with a key.

    It begins with empty engines: what an earlier demonstration left is removed, anything else is refused.
    """
    make_room(home())
    step("Making the data set and its answer key")
    prepared = prepare(seed, scale)
    with Programme(home(), on_step=step) as programme:
        credentials = programme.start(SETTINGS, prepared.data)
        show_metrics()
        partners = traffic_of(prepared, programme.system.engines.kafka.bootstrap, credentials)
        try:
            with Live(report.progress(partners), console=console, refresh_per_second=2) as live:
                outcome = run(
                    exchange(
                        prepared, partners, credentials, server_url(), lambda: live.update(report.progress(partners))
                    )
                )
        except NotAnswered as error:
            fail(f"{error}. The logs lie in {home().services}.")
        console.print()
        console.print(report.summary(outcome))
        if not exit_:
            _wait()
        if not outcome.agrees:
            raise typer.Exit(1)


def make_room(home: Home) -> None:
    """Remove an earlier demonstration's state; never that of a system which was made by `senconet up`, or a stranger's.

    Fails, and removes nothing, where the home is not a demonstration's or its system runs.
    """
    mark = home.path / MARK
    ours = mark.is_file() and home.system_file.is_file()
    if not ours and home.path.exists() and set(home.path.iterdir()) - {mark, home.lock_file}:
        fail(f"{home.path} holds something else than a demonstration. Set SENCONET_HOME to a new folder.")
    if ours and LocalSystem(home, migrate=migrate).running():
        fail(f"A system is running in {home.path}. Stop it with `senconet down`, or set SENCONET_HOME to a new folder.")
    if ours:
        shutil.rmtree(home.path)
    private_folder(home.path)
    mark.touch()


def _wait() -> None:
    """Everything goes on running until Ctrl-C."""
    show_addresses()
    console.print("Running. Ctrl-C stops it; `senconet status` in another terminal shows how it does.")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
