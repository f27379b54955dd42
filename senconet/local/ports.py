"""Free TCP ports on the loopback address, kept until the server that gets them has started."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

LOOPBACK: Final = "127.0.0.1"

# Below every system's ephemeral range: a client that keeps dialling a stopped server could be given that very
# port as its own end, connect to itself, and so keep the server from coming back.
_RANGE: Final = range(20_000, 32_768)
_ATTEMPTS: Final = 200


class NoFreePort(RuntimeError):
    """No port could be bound in a reasonable number of attempts."""


@contextmanager
def reserved_ports(preferred: Sequence[int | None]) -> Iterator[tuple[int, ...]]:
    """One port for each entry, that very one if free, reserved inside the block: start the servers there.

    Linux lets a server listen where another socket is only bound, if both allow reuse of the address (Kafka,
    PostgreSQL and uvicorn do), and gives such a port to nobody else. Elsewhere they are released at once.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(_bound_socket(port)) for port in preferred]
        ports = tuple(int(each.getsockname()[1]) for each in sockets)
        if sys.platform != "linux":
            held.close()
        yield ports


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts connections there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _bound_socket(preferred: int | None) -> socket.socket:
    # A port of one's own may have connections that linger after their server: reuse is what it is kept for.
    found = _bind(preferred, reuse=True) if preferred is not None else None
    # One that nobody asked for must be free of all others, reserved ones too.
    candidates = (_bind(port, reuse=False) for port in random.sample(_RANGE, _ATTEMPTS))
    found = found or next((each for each in candidates if each is not None), None)
    if found is None:
        raise NoFreePort(f"no free port among {_ATTEMPTS} tried from {_RANGE.start} to {_RANGE.stop - 1}")
    return found


def _bind(port: int, *, reuse: bool) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        return None
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
    return bound
