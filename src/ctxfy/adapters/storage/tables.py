"""
The tables, as SQLAlchemy Core sees them; `migrations` makes them.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """
    A moment, kept as whole microseconds since 1970: exact, ordered, and the same everywhere.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> int | None:
        """
        Write a moment.

        Raises:
            ValueError: The time has no zone, so it is no moment.
        """
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("A time without a zone cannot be stored.")
        return microseconds(value)

    def process_result_value(
        self,
        value: int | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """
        Read a moment, in UTC.
        """
        return None if value is None else moment(value)


def microseconds(at: datetime) -> int:
    """
    Whole microseconds since 1970.
    """
    return (at - _EPOCH) // _MICROSECOND


def moment(at_us: int) -> datetime:
    """
    The moment so many microseconds after 1970, UTC.
    """
    return _EPOCH + at_us * _MICROSECOND


# Without names for constraints, later migrations could not drop or change them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

people = Table(
    "people",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("lookup", LargeBinary(32), nullable=False, unique=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("master_id", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("pepper_id", Integer, nullable=False),
    Column("person_id", ForeignKey("people.person_id"), index=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("prompts", Text, nullable=False),
    Column("rate_requests", Integer),
    Column("rate_seconds", Integer),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("old_digest", String(64)),
    Column("old_pepper_id", Integer),
    Column("old_expires_at", UtcTime),
    Column("networks", Text),
)

replays = Table(
    "replays",
    metadata,
    Column("lookup", LargeBinary(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("master_id", Integer, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
"""
What came of rotations under an idempotency key, for the next few minutes; sealed.
"""

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("key_id", ForeignKey("api_keys.key_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("idle_expires_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

epochs = Table(
    "epochs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text),
    Column("key_id", Text),
    Column("person_id", Text, index=True),
    Column("subject_id", Text, index=True),
    Column("target", Text),
    Column("seal", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
"""
No foreign keys: what an event tells of must be able to go without it.
"""

audit_chains = Table(
    "audit_chains",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("base_seq", BigInteger, nullable=False),
    Column("base_hash", LargeBinary, nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
    Column("master_id", Integer, nullable=False),
    Column("spool_mark", Text),
)
"""
The head of each chain, and the base: the last event that retention took away.
"""

audit_months = Table(
    "audit_months",
    metadata,
    Column("month", Text, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("master_id", Integer, nullable=False),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("at_us", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("at", UtcTime, primary_key=True, autoincrement=False),
    Column("marks", LargeBinary, primary_key=True),
)
"""
The erasures that are carried out here: each entry of the ledger, its marks one after the other.
"""

key_usage = Table(
    "key_usage",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("refusals", BigInteger, nullable=False),
    Column("bytes_in", BigInteger, nullable=False),
    Column("bytes_out", BigInteger, nullable=False),
    Column("render_us", BigInteger, nullable=False),
    Index("ix_key_usage_key_id", "key_id"),
)
"""
Figures by key and day (days since 1970, UTC). No foreign key: a static key has no row anywhere.
"""

schema_floor = Table("schema_floor", metadata, Column("revision", Text, primary_key=True))
"""
One row: the oldest revision whose versions may serve on the tables as they are now.
"""
