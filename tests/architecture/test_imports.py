"""To import a module does nothing: no connection, no process, no file written, no setting read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PROBE, ROOT, modules


def imported(*names: str, path: Path = ROOT) -> str:
    """What importing modules did that it should not, each line one."""
    command = [sys.executable, "-c", PROBE, *names]
    done = subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.splitlines()[-1]
    return done.stdout.strip()


def test_importing_every_module_does_nothing() -> None:
    names = [m.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for m in PRODUCT]
    assert imported(*names) == ""


def test_a_module_that_works_when_imported_is_found(tmp_path: Path) -> None:
    lines = (
        "import os, socket, subprocess, threading",
        "open('kept.txt', 'w').close()",
        "os.environ.get('SENCONET_DATABASE_URL')",
        "socket.socket().connect_ex(('127.0.0.1', 9))",
        "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    )
    (tmp_path / "busy.py").write_text("\n".join(lines))
    (tmp_path / "idle.py").write_text("import socket\nRUN = socket.socket\n")
    assert imported("idle", path=tmp_path) == ""
    assert imported("busy", path=tmp_path).splitlines() == [
        "open kept.txt",
        "setting SENCONET_DATABASE_URL",
        "socket.connect",
        "thread",
    ]


def test_a_module_that_cannot_be_imported_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("from nowhere import nothing\n")
    with pytest.raises(AssertionError, match="No module named 'nowhere'"):
        imported("broken", path=tmp_path)


PRODUCT = modules("services", "shared", "senconet")
