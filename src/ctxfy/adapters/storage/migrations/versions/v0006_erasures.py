"""
The erasures that are carried out.
"""

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make their table.
    """
    op.create_table(
        "erasures",
        sa.Column("at", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("marks", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("at", "marks", name="pk_erasures"),
    )


def downgrade() -> None:
    """
    Drop it; the file beside the database goes on telling of them.
    """
    op.drop_table("erasures")
