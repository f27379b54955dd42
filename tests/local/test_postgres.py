"""A database server keeps what was committed, wherever its folder lies and whoever starts it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from senconet.access import PostgresAccess
from senconet.local.ports import reserved_ports
from senconet.local.postgres import PostgresServer
from senconet.local.unprivileged import PASSAGE, closed_to_others

PASSWORD = "a-password-of-the-test"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under folders that are closed to others, with a path longer than a socket's may be."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / ("long" * 30) / "postgres"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PostgresServer]:
    with reserved_ports([None]) as (port,):
        made = PostgresServer(folder, port, PASSWORD, settings={"log_min_duration_statement": "0"})
        made.start()
    yield made
    made.stop()
    assert made.process_id is None


def committed(server: PostgresServer) -> list[int]:
    with server.access.connect() as connection:
        return [value for (value,) in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_it_is_careful_by_default(server: PostgresServer):
    with server.access.connect() as connection:
        for setting, value in {"fsync": "on", "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}.items():
            assert connection.execute(f"SHOW {setting}").fetchone() == (value,)


def test_settings_can_be_given(server: PostgresServer):
    with server.access.connect() as connection:
        assert connection.execute("SHOW log_min_duration_statement").fetchone() == ("0",)


def test_a_wrong_password_is_refused(server: PostgresServer):
    right = server.access
    wrong = PostgresAccess(right.host, right.port, right.username, "not the password")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        wrong.connect()


def test_a_value_that_it_refuses_is_told_to_the_client_and_to_no_log(server: PostgresServer):
    with server.access.connect() as connection, pytest.raises(psycopg.DataError, match="canary"):
        connection.execute("SELECT CAST(%s AS int)", ("canary-7f3a",))
    assert "canary" not in server.log.read_text()
    assert "ready to accept connections" in server.log.read_text()


def test_what_is_committed_outlives_every_end(server: PostgresServer):
    with server.access.connect() as connection:
        connection.execute("CREATE TABLE kept (value int)")
    ends = (server.stop, lambda: server.stop(immediate=True), server.kill)
    for number, end in enumerate(ends):
        connection = server.access.connect()
        connection.execute("INSERT INTO kept VALUES (%s)", (number,))
        end()  # with a client still connected
        assert server.process_id is None
        connection.close()
        server.start()
    assert committed(server) == [0, 1, 2]


def test_a_crash_leaves_no_process(server: PostgresServer):
    assert server.process_id is not None
    family = psutil.Process(server.process_id.pid).children(recursive=True)
    assert family
    server.kill()
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    server.start()


def test_another_run_of_ours_finds_the_server(server: PostgresServer, folder: Path):
    again = PostgresServer(folder, server.access.port, PASSWORD)
    assert again.process_id == server.process_id


def test_the_password_is_in_no_file_and_no_command_line(server: PostgresServer, folder: Path):
    assert server.process_id is not None
    assert not any(PASSWORD in word for word in psutil.Process(server.process_id.pid).cmdline())
    assert not [path.name for path in folder.iterdir() if path.is_file() and PASSWORD in path.read_text()]


def test_it_never_runs_as_root(server: PostgresServer):
    assert server.process_id is not None
    assert psutil.Process(server.process_id.pid).uids().effective != 0


AS_ORDINARY_USER = """
import sys
from pathlib import Path
from senconet.local.ports import reserved_ports
from senconet.local.postgres import PostgresServer
with reserved_ports([None]) as (port,):
    server = PostgresServer(Path(sys.argv[1]), port, "a-password-of-the-test")
    server.start()
print(server.access.connect().execute("SELECT 40 + 2").fetchone())
server.stop()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root has run all other tests as an ordinary user")
def test_an_ordinary_user_needs_no_help(tmp_path_factory: pytest.TempPathFactory):
    """With no capability at all; where the project lies under a closed folder, with that one only."""
    nobody = pwd.getpwnam("nobody")
    folder = tmp_path_factory.mktemp("ordinary")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    closed = [*closed_to_others(Path(sys.executable)), *closed_to_others(folder.parent)]
    passage = PASSAGE if closed else ("--inh-caps=-all",)
    user = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *passage)
    command = (str(shutil.which("setpriv")), *user, sys.executable, "-c", AS_ORDINARY_USER, str(folder / "postgres"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "(42,)\n"), done.stderr
