"""
The audit trail: events in chains, the keys of months, checkpoints.
"""

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the tables of the trail.
    """
    _create_events()
    op.create_table(
        "audit_chains",
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("base_seq", sa.BigInteger, nullable=False),
        sa.Column("base_hash", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.Column("master_id", sa.Integer, nullable=False),
        sa.Column("spool_mark", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_chains"),
    )
    op.create_table(
        "audit_months",
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("master_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_audit_months"),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("at_us", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("at_us", name="pk_audit_checkpoints"),
    )


def downgrade() -> None:
    """
    Drop them.
    """
    for table in ("audit_checkpoints", "audit_months", "audit_chains", "audit_events"):
        op.drop_table(table)


def _create_events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=True),
        sa.Column("key_id", sa.Text, nullable=True),
        sa.Column("person_id", sa.Text, nullable=True),
        sa.Column("subject_id", sa.Text, nullable=True),
        sa.Column("target", sa.Text, nullable=True),
        sa.Column("seal", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name="pk_audit_events"),
    )
    for column in ("at_us", "person_id", "subject_id"):
        op.create_index(f"ix_audit_events_{column}", "audit_events", [column])
