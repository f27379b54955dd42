"""Where promtool comes from, and what is said where it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from senconet.local import promtool
from senconet.local.promtool import PromtoolMissing


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in PATH, empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, script: str = "exit 0") -> Path:
    """A program that does what a shell's script does."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_one_that_is_installed_is_used_and_nothing_fetched(tmp_path: Path, programs: Path) -> None:
    found, target = program(programs / "promtool"), tmp_path / "promtool"
    promtool.install(target)
    assert target.resolve() == found


def test_one_that_was_uninstalled_is_looked_for_anew(tmp_path: Path, programs: Path) -> None:
    found, target = program(programs / "promtool"), tmp_path / "promtool"
    target.symlink_to(tmp_path / "gone")
    promtool.install(target)
    assert target.resolve() == found


def test_the_one_of_debians_package_is_unpacked_into_the_environment(tmp_path: Path, programs: Path) -> None:
    target = tmp_path / "promtool"
    program(programs / "apt-get", 'case "$*" in *" download prometheus") : > prometheus_1_all.deb; esac')
    program(programs / "dpkg-deb", "/bin/mkdir -p $3/usr/bin && echo unpacked > $3/usr/bin/promtool")
    promtool.install(target)
    assert target.read_text() == "unpacked\n"


def test_without_it_and_without_apt_it_is_said_what_to_install(tmp_path: Path, programs: Path) -> None:
    with pytest.raises(PromtoolMissing, match="Install Prometheus"):
        promtool.install(tmp_path / "promtool")


def test_where_apt_cannot_fetch_it_it_is_said_what_to_install(tmp_path: Path, programs: Path) -> None:
    program(programs / "apt-get", "exit 100")
    program(programs / "dpkg-deb")
    with pytest.raises(PromtoolMissing, match=r"could not be fetched.*Install Prometheus"):
        promtool.install(tmp_path / "promtool")
    assert not (tmp_path / "promtool").exists()
