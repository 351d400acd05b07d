"""
The networks that keys are bound to.
"""

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make room for them; keys that are there are bound to none.
    """
    op.add_column("api_keys", sa.Column("networks", sa.Text, nullable=True))


def downgrade() -> None:
    """
    Take them away. A key that was bound must not become good everywhere by that: it is disabled.
    """
    op.execute(
        "UPDATE api_keys SET status = 'disabled' WHERE networks IS NOT NULL AND status = 'active'"
    )
    op.execute("UPDATE epochs SET value = value + 1 WHERE name = 'api_keys'")
    op.drop_column("api_keys", "networks")
