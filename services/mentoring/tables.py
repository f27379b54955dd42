"""Mentoring's tables: those of every deciding service."""

from __future__ import annotations

from typing import Final

from sqlmodel import SQLModel

from shared.tables import DECIDING

TABLES: Final[tuple[type[SQLModel], ...]] = DECIDING
