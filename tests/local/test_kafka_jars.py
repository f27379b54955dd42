"""Only the jars that were reviewed are ever run."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

import pytest

from senconet.local import kafka_jars
from senconet.local.kafka_jars import Jar, JarsMissing, JarTampered

PATH = PurePosixPath("org/example/thing/1.0/thing-1.0.jar")
CONTENT = b"what was reviewed"
JAR = Jar(PATH, hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / PATH
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    return tmp_path


def test_the_installed_jars_are_the_committed_ones():
    entries = kafka_jars.class_path().split(":")
    assert len(entries) == len(kafka_jars.jars()) == len(set(entries))
    assert any(entry.endswith("/kafka_2.13-4.3.1.jar") for entry in entries)


def test_an_unchanged_jar_is_used(folder: Path):
    assert kafka_jars.class_path(folder, [JAR]) == str(folder / PATH)


def test_a_tampered_jar_is_refused_and_named(folder: Path):
    (folder / PATH).write_bytes(CONTENT + b", and a little more")
    with pytest.raises(JarTampered, match=r"thing-1\.0\.jar is not the jar that was reviewed"):
        kafka_jars.class_path(folder, [JAR])


def test_a_missing_jar_tells_what_to_do(folder: Path):
    (folder / PATH).unlink()
    with pytest.raises(JarsMissing, match="make install"):
        kafka_jars.class_path(folder, [JAR])


def test_what_is_installed_is_not_fetched_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Jar, "artifact", lambda *_: pytest.fail("fetched"))
    told: list[str] = []
    kafka_jars.install(folder, [JAR], told.append)
    assert told == ["thing-1.0.jar"]


def test_a_download_that_is_not_what_was_reviewed_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    class Forged:
        def resolve(self) -> None:
            (folder / PATH).write_bytes(b"something else")

    (folder / PATH).write_bytes(b"half a downl")
    monkeypatch.setattr(Jar, "artifact", lambda *_: Forged())
    with pytest.raises(JarTampered):
        kafka_jars.install(folder, [JAR], lambda _: None)


def test_the_list_survives_its_own_format():
    text = kafka_jars.render(kafka_jars.jars())
    assert text == Path(kafka_jars.__file__).with_name(kafka_jars.LIST_NAME).read_text("utf-8")


def test_a_path_names_its_artifact(tmp_path: Path):
    context = kafka_jars.MavenContext(repo_cache=tmp_path)
    assert JAR.artifact(context).cached_path == tmp_path / PATH
