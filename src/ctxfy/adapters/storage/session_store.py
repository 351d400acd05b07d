"""
Browser sessions in the database (SessionStorePort).
"""

from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.tables import sessions
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.session_models import Session, TokenDigest


class SqlSessionStore:
    """
    Keeps sessions under the digests of their tokens.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def open(self, session: Session, *, keep: int) -> None:
        """
        Keep a new session, and at most `keep` of its key; remove what is over.
        """

        def act(connection: Connection) -> None:
            over = or_(
                sessions.c.idle_expires_at <= session.created_at,
                sessions.c.expires_at <= session.created_at,
            )
            connection.execute(delete(sessions).where(over))
            of_key = sessions.c.key_id == session.key_id
            newest = (
                select(sessions.c.token_digest)
                .where(of_key)
                .order_by(sessions.c.created_at.desc(), sessions.c.token_digest)
                .limit(keep - 1)
            )
            surplus = sessions.c.token_digest.not_in(newest)
            connection.execute(delete(sessions).where(of_key, surplus))
            connection.execute(insert(sessions).values(_row_of(session)))

        await self._database.write(act)

    async def find(self, token_digest: TokenDigest) -> Session | None:
        """
        Look a session up, live or not.
        """
        statement = select(sessions).where(sessions.c.token_digest == token_digest)
        row = await self._database.read(
            lambda connection: connection.execute(statement).mappings().first()
        )
        return None if row is None else session_of(row)

    async def touch(self, session: Session) -> None:
        """
        Note when a session was last seen and when it ends.
        """
        statement = (
            update(sessions)
            .where(sessions.c.token_digest == session.token_digest)
            .values(last_seen_at=session.last_seen_at, idle_expires_at=session.idle_expires_at)
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def close(self, token_digest: TokenDigest) -> None:
        """
        End a session. Idempotent.
        """
        statement = delete(sessions).where(sessions.c.token_digest == token_digest)
        await self._database.write(lambda connection: connection.execute(statement))


def _row_of(session: Session) -> dict[str, object]:
    return {
        "token_digest": session.token_digest,
        "key_id": session.key_id,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
    }


def session_of(row: RowMapping) -> Session:
    """
    Read a session.
    """
    return Session(
        token_digest=TokenDigest(row[sessions.c.token_digest]),
        key_id=KeyId(row[sessions.c.key_id]),
        created_at=row[sessions.c.created_at],
        last_seen_at=row[sessions.c.last_seen_at],
        idle_expires_at=row[sessions.c.idle_expires_at],
        expires_at=row[sessions.c.expires_at],
    )
