"""`python -m senconet.local.install`: fetch what the engines need, so that starting them needs no network."""

from __future__ import annotations

import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from senconet.local import kafka_jars
from senconet.local.kafka import KafkaServer
from senconet.local.kafka_config import KafkaSecrets, KafkaSettings, new_cluster_id
from senconet.local.ports import reserved_ports

# Writing the archive makes the broker's end much longer than usual.
_ARCHIVE_SECONDS: Final = 120.0


def main(
    lock: Annotated[bool, typer.Option("--lock", help="Write the list of jars afresh instead.")] = False,
) -> None:
    """Install Kafka's jars beside this environment's packages, each checked against its committed SHA-256."""
    folder = kafka_jars.default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if lock:
        target = Path(__file__).with_name(kafka_jars.LIST_NAME)
        target.write_text(kafka_jars.render(kafka_jars.resolve(folder)), "utf-8")
    _download(folder)
    if not kafka_jars.archive().exists():
        with Console().status("Preparing Kafka's classes (once, about 15 s)"):
            prepare_classes(kafka_jars.archive())


def _download(folder: Path) -> None:
    wanted = kafka_jars.jars()
    columns = (*Progress.get_default_columns()[:3], TimeElapsedColumn(), TextColumn("{task.fields[jar]}"))
    with Progress(*columns) as progress:
        task = progress.add_task("Kafka's jars", total=len(wanted), jar="")
        kafka_jars.install(folder, wanted, lambda name: progress.update(task, advance=1, jar=name))


def prepare_classes(archive: Path) -> None:
    """Run a broker once in a folder of its own and keep the classes that it loaded.

    Only for speed: a broker starts without the archive too, and Java ignores one that does not fit.
    """
    draft = archive.with_suffix(".new")
    with (
        TemporaryDirectory(prefix="senconet-") as folder,
        reserved_ports([None, None]) as (port, controller_port),
    ):
        passwords = KafkaSecrets(*(secrets.token_urlsafe(24) for _ in range(3)))
        settings = KafkaSettings(new_cluster_id(), f"{folder}/data", port, controller_port, passwords)
        broker = KafkaServer(Path(folder), settings, options=(f"-XX:AOTCacheOutput={draft}",))
        try:
            broker.start()
        finally:
            broker.stop(patience=_ARCHIVE_SECONDS)
    if draft.exists():
        draft.replace(archive)


if __name__ == "__main__":
    typer.run(main)
