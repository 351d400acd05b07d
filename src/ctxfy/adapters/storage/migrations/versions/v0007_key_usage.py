"""
What keys were used for, by day.
"""

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the table.
    """
    figures = ("requests", "refusals", "bytes_in", "bytes_out", "render_us")
    op.create_table(
        "key_usage",
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("key_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in figures),
        sa.PrimaryKeyConstraint("day", "key_id", name="pk_key_usage"),
    )
    op.create_index("ix_key_usage_key_id", "key_usage", ["key_id"])


def downgrade() -> None:
    """
    Drop it: the figures are lost.
    """
    op.drop_table("key_usage")
