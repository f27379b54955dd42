"""Bring a service's database up to date, or write the migration that its tables need."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.resources import files

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, create_engine
from sqlmodel import SQLModel


def migrate(service: str, url: str) -> None:
    """Run the migrations of a service that its database has not seen."""
    engine = create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        command.upgrade(_config(service, connection), "head")
        connection.commit()
    engine.dispose()


def revise(service: str, url: str, message: str) -> None:
    """Write the next migration of a service: what its tables have and the database at `url` lacks."""
    engine = create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        command.revision(_config(service, connection), message, autogenerate=True, rev_id=_next(service))
    engine.dispose()


def differences(service: str, url: str) -> Sequence[object]:
    """What the tables of a service and its database do not have in common."""
    engine = create_engine(url, hide_parameters=True)
    with engine.connect() as connection:
        found: Sequence[object] = compare_metadata(MigrationContext.configure(connection), _metadata(service))
    engine.dispose()
    return found


def _config(service: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("shared") / "migrations"))
    config.set_main_option("version_locations", _scripts(service))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, metadata=_metadata(service))
    return config


def _scripts(service: str) -> str:
    return str(files(f"services.{service}") / "migrations")


def _next(service: str) -> str:
    scripts = [path for path in (files(f"services.{service}") / "migrations").iterdir() if path.name[0].isdigit()]
    return f"{len(scripts) + 1:04d}"


def _metadata(service: str) -> MetaData:
    """The tables of one service alone: several services share a process in tests, never a database."""
    tables: Sequence[type[SQLModel]] = importlib.import_module(f"services.{service}.tables").TABLES
    metadata = MetaData()
    for model in tables:
        SQLModel.metadata.tables[str(model.__tablename__)].to_metadata(metadata)
    return metadata
