"""
Which older versions may serve on the tables, for those to read.
"""

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the table; `migrate` writes its row after the last step.
    """
    op.create_table(
        "schema_floor",
        sa.Column("revision", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_floor"),
    )


def downgrade() -> None:
    """
    Drop it: older versions do not look.
    """
    op.drop_table("schema_floor")
