"""`secrets`, `kafka-files`, `provision`: what engines need that others run, in containers or elsewhere."""

from __future__ import annotations

import os
import secrets as random
from pathlib import Path
from typing import Annotated, Final

import typer

from senconet.cli.common import console, fail, home, told
from senconet.cli.system import step
from senconet.local.files import private_folder, write_private
from senconet.local.home import CLUSTER_ID, Secrets, given_secrets
from senconet.local.kafka_config import (
    BROKER,
    CONTAINER_DATA,
    KafkaSecrets,
    KafkaSettings,
    container_files,
    new_cluster_id,
)
from senconet.local.programme import Programme
from senconet.local.system import LocalSystem
from senconet.migrate import migrate
from shared.topics import OPERATOR

GRAFANA: Final = "GRAFANA_PASSWORD"
_CLIENTS_PORT: Final = 9092
_CONTROLLERS_PORT: Final = 9093


@told
def secrets(
    file: Annotated[Path, typer.Argument(help="The file of variables to write; it must not be there yet.")],
) -> None:
    """Make the passwords of a system in containers, and write them into a file that only you can read."""
    if file.exists():
        fail(f"{file} is there already. Data that were made with its passwords cannot be entered with others.")
    variables = {
        CLUSTER_ID: new_cluster_id(),
        GRAFANA: random.token_urlsafe(24),
        **Secrets().completed().variables(),
    }
    write_private(file, "".join(f"{name}={value}\n" for name, value in variables.items()))
    console.print(f"{len(variables)} secrets written to {file}. Keep it out of version control.")


@told
def kafka_files(
    folder: Annotated[Path, typer.Argument(help="Where to write them; they are read from the same path.")],
    advertised: Annotated[str, typer.Option(help="The name by which clients reach the broker.")],
) -> None:
    """Write what makes a container of apache/kafka a node with our users and rights: it runs FOLDER/start.sh."""
    passwords, cluster_id = given_secrets(os.environ).kafka, os.environ.get(CLUSTER_ID)
    if not cluster_id or not {OPERATOR, BROKER, "controller"} <= passwords.keys():
        fail("The environment lacks the passwords of Kafka: `senconet secrets FILE` makes them.")
    settings = KafkaSettings(
        cluster_id=cluster_id,
        data=CONTAINER_DATA,
        port=_CLIENTS_PORT,
        controller_port=_CONTROLLERS_PORT,
        secrets=KafkaSecrets.of(passwords),
        bind="0.0.0.0",
        advertised=advertised,
    )
    private_folder(folder)
    for name, text in container_files(settings, str(folder)).items():
        write_private(folder / name, text)


@told
def provision(
    synthetic: Annotated[bool, typer.Option(help="Also the partners and reference data of `senconet up`.")] = False,
) -> None:
    """Bring topics, users, rights, databases and their tables on engines that run up to date; nothing is removed."""
    if synthetic:
        Programme(home(), on_step=step).provision()
    else:
        LocalSystem(home(), migrate=migrate, on_step=step).prepare()
