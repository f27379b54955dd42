"""Programs are started, found again, and ended; and only they are."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from senconet.local.processes import RECORD, ProcessId, Program, StartFailed

SLEEP = "import time; print('started', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); " + SLEEP


def start(program: Program, code: str) -> psutil.Process:
    def started() -> bool:
        return "started" in program.log.read_text()

    program.start((sys.executable, "-c", code), environment=os.environ, ready=started, patience=20)
    assert program.process_id is not None
    found = program.process_id.find()
    assert found is not None
    return found


@pytest.fixture
def program(tmp_path: Path):
    made = Program("sleeper", tmp_path)
    yield made
    made.kill()


def test_stop_asks_first(program: Program):
    start(program, SLEEP)
    assert program.stop(patience=10)
    assert program.process_id is None


def test_stop_kills_what_does_not_listen(program: Program):
    start(program, STUBBORN)
    assert not program.stop(patience=0.2)
    assert program.process_id is None


def test_kill_leaves_no_child(program: Program):
    process = start(program, PARENT)
    children = [ProcessId(child.pid, child.create_time()) for child in process.children()]
    assert len(children) == 1
    program.kill()
    assert program.process_id is None
    assert [child.find() for child in children] == [None]


def test_start_leaves_alone_what_runs(program: Program):
    first = start(program, SLEEP).pid
    assert start(program, SLEEP).pid == first


def test_another_run_of_ours_finds_it(program: Program, tmp_path: Path):
    process = start(program, SLEEP)
    again = Program("sleeper", tmp_path)
    assert again.process_id == ProcessId(process.pid, process.create_time())
    assert again.stop(patience=10)
    assert program.process_id is None


def test_a_number_that_was_given_to_another_process_is_not_ours(program: Program, tmp_path: Path):
    process = start(program, SLEEP)
    stranger = {"pid": process.pid, "started": process.create_time() - 60}
    (tmp_path / f"other{RECORD}").write_text(json.dumps(stranger))
    other = Program("other", tmp_path)
    assert other.process_id is None
    other.kill()
    assert other.stop(patience=1)
    assert program.process_id is not None


def test_a_dead_process_is_reported_with_the_end_of_its_log(program: Program):
    begun = time.monotonic()
    with pytest.raises(StartFailed, match="ended while starting") as failure:
        program.start(
            (sys.executable, "-c", "raise SystemExit('no such table')"),
            environment=os.environ,
            ready=lambda: False,
            patience=20,
        )
    assert "no such table" in str(failure.value)
    assert time.monotonic() - begun < 10


def test_one_that_is_never_ready_is_ended(program: Program):
    with pytest.raises(StartFailed, match=r"not ready after 0\.5 s"):
        program.start((sys.executable, "-c", SLEEP), environment=os.environ, ready=lambda: False, patience=0.5)
    assert program.process_id is None


def test_a_broken_off_wait_leaves_nothing_running(program: Program):
    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        program.start((sys.executable, "-c", SLEEP), environment=os.environ, ready=interrupted, patience=5)
    assert program.process_id is None


def test_ctrl_c_in_our_terminal_does_not_reach_it(program: Program):
    process = start(program, SLEEP)
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_log_and_record_are_the_owners_only(program: Program, tmp_path: Path):
    start(program, SLEEP)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "sleeper.log": 0o600,
        f"sleeper{RECORD}": 0o600,
    }
