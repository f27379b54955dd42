"""Credentials that a local system keeps for its partners' side, so that one machine can play every part.

In production a partner keeps its own; here they lie in one file that only its owner can read.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from senconet.local.files import private_folder, write_private
from senconet.local.home import Home


class PartnerCredential(BaseModel):
    """What a partner logs in with: its Kafka user's password, and its bearer token for HTTP."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    password: str = Field(repr=False)
    token: str = Field(repr=False)


class Credentials(BaseModel):
    """The credentials of all partners of this machine, and of a national reader."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    partners: Mapping[str, PartnerCredential] = Field(default_factory=dict)
    reader_token: str | None = Field(default=None, repr=False)

    def partner(self, code: str) -> PartnerCredential:
        """A partner's credential. Raises KeyError."""
        return self.partners[code]

    def plus(self, code: str, credential: PartnerCredential) -> Credentials:
        """With one more partner."""
        return self.model_copy(update={"partners": {**self.partners, code: credential}})


def load(home: Home) -> Credentials:
    """What is kept in a home; nothing before the first partner."""
    try:
        return Credentials.model_validate_json((home.path / "credentials.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return Credentials()


def save(home: Home, credentials: Credentials) -> None:
    """Keep them, for the owner of the home alone."""
    private_folder(home.path)
    write_private(home.path / "credentials.json", credentials.model_dump_json(indent=2))
