"""
The old secret of a key that was rotated, and what came of rotations a moment ago.
"""

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make room for a second secret.
    """
    op.add_column("api_keys", sa.Column("old_digest", sa.String(64), nullable=True))
    op.add_column("api_keys", sa.Column("old_pepper_id", sa.Integer, nullable=True))
    op.add_column("api_keys", sa.Column("old_expires_at", sa.BigInteger, nullable=True))
    op.create_table(
        "replays",
        sa.Column("lookup", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("master_id", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lookup", name="pk_replays"),
    )


def downgrade() -> None:
    """
    Take it away: old secrets are good no longer.
    """
    op.drop_table("replays")
    for column in ("old_expires_at", "old_pepper_id", "old_digest"):
        op.drop_column("api_keys", column)
