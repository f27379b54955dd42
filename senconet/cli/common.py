"""What the commands share: the home, the console, and errors that say what to do instead of a traceback."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

import httpx
import psycopg
import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from senconet.access import KafkaAccess
from senconet.local import credentials
from senconet.local.engines import Engines, NotStarted
from senconet.local.home import Home, HomeBusy, IncompleteAddress
from senconet.local.processes import StartFailed
from senconet.local.service import PROGRAMS
from senconet.provision import ProvisionError
from senconet.publisher import EventFileError
from senconet.reference import ReferenceError
from shared import topics

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

WIDE: Final = 110
"""Columns where nobody's terminal says otherwise: in a file or a pipe, tables stay whole."""

console: Final = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
PASSWORD_VARIABLE: Final = "SENCONET_PARTNER_PASSWORD"

_SAID: Final = (
    EventFileError,
    HomeBusy,
    IncompleteAddress,
    NotStarted,
    ProvisionError,
    ReferenceError,
    StartFailed,
)
_AWAY: Final = (KafkaError, OperationalError, psycopg.OperationalError, httpx.TransportError, ConnectionError)


def fail(message: str) -> NoReturn:
    """Say what is wrong and what to do, and end with exit code 1."""
    console.print(message, style="red", soft_wrap=True, markup=False)
    raise typer.Exit(1)


def told(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose known failures are told in a sentence."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except _SAID as error:
            fail(str(error))
        except _AWAY as error:
            fail(f"The system does not answer ({type(error).__name__}). Start it with `senconet up`.")

    return wrapped


def home() -> Home:
    """The home that the environment names."""
    return Home.of(os.environ)


def engines() -> Engines:
    """The engines of this home, running or not."""
    return Engines(home(), os.environ)


def reporting_url() -> str:
    """The address of reporting's database."""
    return engines().reach("reporting")[1]


def server_url() -> str:
    """Where reporting's server answers. Raises NotStarted."""
    port = home().system().ports.get("reporting-server")
    if port is None:
        raise NotStarted("The system has not been started: run `senconet up`")
    return f"http://127.0.0.1:{port}"


def services() -> dict[str, str]:
    """Where each process answers, as far as it was ever started."""
    ports = home().system().ports
    return {p.name: f"http://127.0.0.1:{ports[p.name]}" for p in PROGRAMS if p.name in ports}


def as_partner(code: str) -> KafkaAccess:
    """A partner's own access: the password from the environment, else from this machine's credentials."""
    password = os.environ.get(PASSWORD_VARIABLE)
    known = credentials.load(home()).partners
    if not password and code not in known:
        fail(f"No credential of partner {code} is here. Set {PASSWORD_VARIABLE}, or run `senconet partner add --keep`.")
    secret = password or known[code].password
    return KafkaAccess(engines().kafka.bootstrap, topics.principal_of(code), secret)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end."""
    return asyncio.run(work)


def short(moment: datetime | None) -> str:
    """A time as an operator reads it, in UTC to the second."""
    return "never" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")
