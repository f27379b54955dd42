"""`python -m senconet.local.promtool`: fetch Prometheus's promtool, with which tests check and run the alert rules.

One that is installed already is used. Else it comes from Debian's package `prometheus`: apt checks that against the
archive's signature, and all that it writes lies in a folder that is removed, so that nothing of the machine changes
and no rights are needed. The package is not pinned: Debian keeps no version but its newest.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

NAME: Final = "promtool"
_PACKAGE: Final = "prometheus"
_SECONDS: Final = 300.0


class PromtoolMissing(RuntimeError):
    """It is not here and cannot be fetched; the message says what to do."""


def default_path() -> Path:
    """Beside the programs of this Python environment: it is made and removed with them."""
    return Path(sys.prefix) / "bin" / NAME


def install(target: Path) -> None:
    """Put promtool at `target`, unless it is there. Raises PromtoolMissing."""
    if target.exists():
        return
    target.unlink(missing_ok=True)  # a link to what is gone
    if found := shutil.which(NAME):
        target.symlink_to(found)
    elif shutil.which("apt-get") and shutil.which("dpkg-deb"):
        _fetch(target)
    else:
        raise PromtoolMissing(_advice("is not installed, and apt, by which it would be fetched, is not here"))


def _fetch(target: Path) -> None:
    with TemporaryDirectory(prefix="senconet-") as name:
        folder = Path(name)
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        own = (f"Dir::State::lists={folder}/lists", f"Dir::Cache={folder}/cache", "APT::Sandbox::User=root")
        apt = ("apt-get", "--quiet=2", *(word for option in own for word in ("--option", option)))
        try:
            _run(*apt, "update", folder=folder)
            _run(*apt, "download", _PACKAGE, folder=folder)
            (package,) = folder.glob("*.deb")
            _run("dpkg-deb", "--extract", str(package), "unpacked", folder=folder)
            shutil.move(folder / "unpacked" / "usr" / "bin" / NAME, target)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise PromtoolMissing(_advice(f"could not be fetched ({error})")) from error


def _run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)


def _advice(what: str) -> str:
    return f"{NAME} {what}. Install Prometheus ({_PACKAGE} in Debian and Homebrew), so that {NAME} is in PATH."


if __name__ == "__main__":
    try:
        install(default_path())
    except PromtoolMissing as missing:
        sys.exit(str(missing))
