"""PostgreSQL never runs as root, and where it cannot run the message says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from senconet.local import unprivileged
from senconet.local.unprivileged import Unsuitable, User, closed_to_others, may_grant_passage, user_for

DOCKER_DEFAULT = "CapInh:\t0000000000000000\nCapBnd:\t00000000a80425fb\n"
NOTHING_LEFT = "CapInh:\t0000000000000000\nCapBnd:\t0000000000000000\n"


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged.shutil, "which", lambda name: f"/usr/bin/{name}")


def test_an_ordinary_user_runs_it_as_themselves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert user_for(Path("/bin/sh"), Path("/tmp/data")) == User()


@pytest.mark.parametrize(
    ("status", "may"), [(DOCKER_DEFAULT, True), (NOTHING_LEFT, False), ("CapBnd:\t02\n", False), ("", False)]
)
def test_passage_needs_the_capability(status: str, may: bool):
    assert may_grant_passage(status) is may


def test_a_closed_folder_is_found_however_far_above(tmp_path: Path):
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    (tmp_path / "closed" / "open").chmod(0o755)
    found = list(closed_to_others(tmp_path / "closed" / "open"))
    assert tmp_path / "closed" in found
    assert tmp_path / "closed" / "open" not in found


@pytest.mark.usefixtures("as_root")
def test_root_uses_nobody_without_more_rights_than_it_needs():
    user = user_for(Path("/bin/sh"), Path("/data"))
    assert user.owner is not None
    assert user.owner[0] != 0
    assert f"--reuid={user.owner[0]}" in user.prefix
    assert not set(unprivileged.PASSAGE) & set(user.prefix)


@pytest.mark.usefixtures("as_root")
def test_root_lets_it_pass_closed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    status = tmp_path / "status"
    status.write_text(DOCKER_DEFAULT)
    monkeypatch.setattr(unprivileged, "_STATUS", status)
    (tmp_path / "closed").mkdir(mode=0o700)
    user = user_for(Path("/bin/sh"), tmp_path / "closed" / "data")
    assert set(unprivileged.PASSAGE) < set(user.prefix)


@pytest.mark.usefixtures("as_root")
def test_without_the_capability_the_closed_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    status = tmp_path / "status"
    status.write_text(NOTHING_LEFT)
    monkeypatch.setattr(unprivileged, "_STATUS", status)
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(Unsuitable, match=f"may not enter {tmp_path / 'closed'}.*ordinary user"):
        user_for(Path("/bin/sh"), tmp_path / "closed" / "data")


@pytest.mark.usefixtures("as_root")
def test_without_setpriv_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unprivileged.shutil, "which", lambda _: None)
    with pytest.raises(Unsuitable, match="setpriv"):
        user_for(Path("/bin/sh"), Path("/data"))
