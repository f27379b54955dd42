"""The settings of a service process, from its environment. Times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

PREFIX = "SENCONET_"


class Settings(BaseModel):
    """What a process needs to know. Every field is the variable of its name in upper case after `SENCONET_`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap: str
    kafka_username: str
    kafka_password: SecretStr
    database_url: SecretStr
    http_host: str = "127.0.0.1"
    http_port: int
    hold_seconds: float = Field(default=72 * 3600, description="How long a record waits for its other half.")
    held_receipt_seconds: float = Field(default=30, description="After how long its sender is told that it waits.")
    sweep_seconds: float = Field(default=1, description="How often holds, queues and gauges are looked after.")
    progress_seconds: float = Field(default=30, description="How often an idle service tells its progress.")
    metadata_seconds: float = Field(default=15, description="After how long a new partner's topic is seen.")
    clock_margin_seconds: float = Field(default=5, description="What the clocks of broker and services may differ.")
    session_seconds: float = Field(default=10, description="After how long a silent instance loses its partitions.")
    publish_timeout_seconds: float = Field(default=10, description="After how long a send counts as failed.")
    batch_records: int = Field(default=1000, description="How many records are judged in one transaction.")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings that an environment gives. Raises SystemExit that names what is missing or not valid."""
        given = {name.removeprefix(PREFIX).lower(): value for name, value in env.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            names = sorted({f"{PREFIX}{first}".upper() for first, *_ in (each["loc"] for each in error.errors())})
            raise SystemExit(f"missing or not valid in the environment: {', '.join(names)}") from None

    @property
    def reading_margin_seconds(self) -> float:
        """By how much the line up to which all has been read lies behind the clock."""
        return self.clock_margin_seconds + self.metadata_seconds
