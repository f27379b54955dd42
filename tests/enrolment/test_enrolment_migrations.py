"""A database of an earlier version is brought up to date, and nothing of its identities is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text

from senconet.migrate import _config, differences, migrate

BEFORE = """
    INSERT INTO identity (registration_id, partner, partner_ref, cohort_code, trainee_id, setting_urn, source,
                          event_id, live, withheld)
    VALUES ('r1', 'ash', 'A-1', 'c1', 't1', 'SY1', '/partners/ash/mis', 'e:1', true,
            '{"/partners/ash/mis e:2": "health_or_pregnancy", "/partners/lead/desk e/3": "bereavement"}'),
           ('r2', 'ash', 'A-1', 'c1', 't2', 'SY1', '/partners/ash/mis', 'e:4', false, '{}')
"""


@pytest.fixture
def address(fresh_databases: Callable[[], Mapping[str, str]]) -> str:
    """Enrolment's database as its first version made it, with a live registration and one taken back."""
    url = fresh_databases()["enrolment"]
    engine = create_engine(url)
    with engine.connect() as connection:
        command.upgrade(_config("enrolment", connection), "0001")
        connection.execute(text(BEFORE))
        connection.commit()
    engine.dispose()
    return url


def rows(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """What a statement finds."""
    return [tuple(row) for row in connection.execute(text(statement))]


def test_identities_keep_their_claims_and_reasons_come_into_a_table_of_their_own(address: str) -> None:
    migrate("enrolment", address)
    assert differences("enrolment", address) == []
    engine = create_engine(address)
    with engine.connect() as connection:
        identities = "SELECT event_id, registration_id, partner_ref, trainee_id, live FROM identity ORDER BY event_id"
        assert rows(connection, identities) == [("e:1", "r1", "A-1", "t1", True), ("e:4", "r2", "A-1", "t2", False)]
        assert rows(connection, "SELECT * FROM withheld ORDER BY event_id") == [
            ("/partners/lead/desk", "e/3", "r1", "bereavement"),
            ("/partners/ash/mis", "e:2", "r1", "health_or_pregnancy"),
        ]
    engine.dispose()
