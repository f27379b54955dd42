"""Whom to run PostgreSQL as: it refuses root, so there it runs as `nobody`, with as little as it needs."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ACCOUNT: Final = "nobody"
# For setpriv: pass closed folders. The last word makes access(2), by which PostgreSQL looks for its own programs,
# count the capability as open(2) does.
PASSAGE: Final = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup")
# The bits of CAP_DAC_OVERRIDE and of CAP_SETPCAP, by which it is handed on, in the kernel's sets.
_NEEDED: Final = 1 << 1 | 1 << 8
_STATUS: Final = Path("/proc/self/status")
_REFUSAL: Final = "PostgreSQL does not run as root"
_ADVICE: Final = (
    "Run senconet as an ordinary user, or keep the project and SENCONET_HOME in folders that others may "
    "enter, or name a PostgreSQL server of your own with SENCONET_POSTGRES."
)


class Unsuitable(RuntimeError):
    """There is no user whom PostgreSQL accepts and who may reach its files; the message says what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """Who runs a program: the words to put before its command, and the owner that its files need, if any."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def own(self, *paths: Path) -> None:
        """Hand files over to this user."""
        if self.owner is not None:
            for path in paths:
                os.chown(path, *self.owner)


def user_for(program: Path, folder: Path) -> User:
    """The user for a program that keeps its data in `folder`: the caller, or if that is root, `nobody`.

    Under a folder that is closed to others (a home with mode 0700), `nobody` gets the one capability to pass.
    """
    if os.geteuid() != 0:
        return User()
    setpriv, account = shutil.which("setpriv"), _account()
    if setpriv is None:
        raise Unsuitable(f"{_REFUSAL}, and setpriv (util-linux) is not installed. {_ADVICE}")
    closed = [*closed_to_others(program), *closed_to_others(folder.parent)]
    if closed and not may_grant_passage(_STATUS.read_text()):
        raise Unsuitable(f"{_REFUSAL}, and the user {_ACCOUNT} may not enter {closed[0]}. {_ADVICE}")
    identity = (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    return User((setpriv, *identity, *(PASSAGE if closed else ()), "--"), (account.pw_uid, account.pw_gid))


def closed_to_others(path: Path) -> Iterator[Path]:
    """The path and those above it that users other than the owner may not enter or run."""
    resolved = path.resolve()
    for step in (resolved, *resolved.parents):
        if not step.stat().st_mode & stat.S_IXOTH:
            yield step


def may_grant_passage(status: str) -> bool:
    """Whether a process may hand on what PASSAGE needs, by the text of its /proc/self/status."""
    bounding = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bounding is not None and int(bounding.group(1), 16) & _NEEDED == _NEEDED


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise Unsuitable(f"{_REFUSAL}, and there is no user {_ACCOUNT}. {_ADVICE}") from None
