"""Whose rows a caller may see. Every query whose answer leaves reporting takes a scope first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


class NotPermitted(Exception):
    """The scope does not cover what was asked for."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One partner's own rows, or, without a partner, national figures and no rows."""

    partner: str | None

    @classmethod
    def of_partner(cls, code: str) -> Self:
        """A partner that sees its own trainees."""
        return cls(code)

    @classmethod
    def national_reader(cls) -> Self:
        """Somebody who sees national figures."""
        return cls(None)

    def own_partner(self) -> str:
        """The partner whose rows may be read. Raises NotPermitted for a national reader."""
        if self.partner is None:
            raise NotPermitted
        return self.partner

    def require_national(self) -> None:
        """Raises NotPermitted for a partner."""
        if self.partner is not None:
            raise NotPermitted
