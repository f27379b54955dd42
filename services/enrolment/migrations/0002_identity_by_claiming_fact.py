"""Identity by the facts that claim references; withheld reasons in a table of their own."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The old column held all reasons of a registration, each under source and id with a space between.
TAKEN_OUT = """
    INSERT INTO withheld (source, event_id, registration_id, reason)
    SELECT split_part(held.key, ' ', 1), split_part(held.key, ' ', 2), identity.registration_id, held.value
    FROM identity, jsonb_each_text(identity.withheld) AS held
"""


def upgrade() -> None:
    op.create_table(
        "withheld",
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("event_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("registration_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("source", "event_id"),
    )
    op.create_index("withheld_of_registration", "withheld", ["registration_id"], unique=False)
    op.execute(TAKEN_OUT)
    op.drop_column("identity", "withheld")
    op.drop_constraint("identity_pkey", "identity", type_="primary")
    op.create_primary_key("identity_pkey", "identity", ["source", "event_id"])
    op.create_index("identity_of_registration", "identity", ["registration_id"], unique=False)
