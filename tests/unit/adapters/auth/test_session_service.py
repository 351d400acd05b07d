"""
The service around sessions: what it keeps, when it writes, and whom it recognizes.
"""

from datetime import timedelta

from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import DenialReason, Granted, KeyId, KeyStatus
from ctxfy.core.use_cases.session_use_cases import MAX_SESSIONS_PER_KEY
from tests.builders import told
from tests.fakes.auth_fakes import FakeSessionStore
from tests.unit.adapters.auth.gate_kit import LIFETIMES
from tests.unit.adapters.auth.service_kit import Bench, outcome


class Desk(Bench):
    """
    A service of keys, and one of sessions beside it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept = FakeSessionStore()
        self.sessions = SessionService(
            self.kept,
            self.keys,
            SessionMaterial(b"p" * 32, self.random_bytes),
            lifetimes=LIFETIMES,
            now=lambda: self.now,
            logging=self.logging,
        )

    async def opened(self) -> tuple[str, KeyId]:
        """
        Open a session of a new key.
        """
        _, key_id = await self.created()
        return (await self.sessions.open(key_id)).token, key_id


async def test_only_a_digest_is_kept() -> None:
    """
    What the store is given holds neither the token nor the CSRF token, and shows no digest.
    """
    desk = Desk()
    _, key_id = await desk.created()
    opened = await desk.sessions.open(key_id)
    (session,) = desk.kept.sessions.values()
    assert session.token_digest == desk.sessions.digest(opened.token)
    told = f"{session}{opened}{[getattr(session, name) for name in session.__slots__]}"
    assert opened.token not in told
    assert opened.csrf_token not in told
    assert session.token_digest not in repr(session)


async def test_each_log_in_has_a_token_of_its_own() -> None:
    """
    Two sessions of one key live side by side, and the proof of one is none for the other.
    """
    desk = Desk()
    _, key_id = await desk.created()
    one, other = [await desk.sessions.open(key_id) for _ in range(2)]
    assert one.token != other.token
    for opened in (one, other):
        assert isinstance(await desk.sessions.authenticate(opened.token), Granted)
    assert desk.sessions.csrf_matches(one.token, one.csrf_token)
    assert not desk.sessions.csrf_matches(one.token, other.csrf_token)
    assert one.seconds == 12 * 3600


async def test_a_token_is_long_and_needs_no_quoting() -> None:
    """
    It holds 256 bits in letters, digits, dashes and underscores.
    """
    token = SessionMaterial(b"p" * 32, lambda count: b"\xff" * count).new_token()
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()


async def test_the_principal_is_made_from_the_key() -> None:
    """
    It is the same as if the key itself had come, and the key's use is noted.
    """
    desk = Desk()
    key, key_id = await desk.created()
    opened = await desk.sessions.open(key_id)
    by_session = await desk.sessions.authenticate(opened.token)
    assert by_session == await desk.keys.authenticate(key)
    desk.now += timedelta(minutes=1)
    await desk.sessions.authenticate(opened.token)
    await desk.keys.flush()
    assert desk.store.keys[key_id].last_used_at == desk.now


async def test_a_revocation_ends_the_sessions_of_a_key_at_the_next_poll() -> None:
    """
    It is noticed like that of the key, by the same poll; other keys' sessions go on.
    """
    desk = Desk()
    token, key_id = await desk.opened()
    other, _ = await desk.opened()
    await desk.keys.poll()
    await desk.sessions.authenticate(token)
    await desk.store.set_status(key_id, KeyStatus.REVOKED, told(desk.now))
    await desk.keys.poll()
    assert outcome(await desk.sessions.authenticate(token)) is DenialReason.REVOKED
    assert outcome(await desk.sessions.authenticate(other)) is None


async def test_a_key_that_is_gone_takes_its_sessions_with_it() -> None:
    """
    A session of a key that the store no longer has is refused.
    """
    desk = Desk()
    token, key_id = await desk.opened()
    desk.keys.forget()
    del desk.store.keys[key_id]
    assert outcome(await desk.sessions.authenticate(token)) is DenialReason.UNKNOWN


async def test_a_session_in_use_goes_on() -> None:
    """
    Used every twenty minutes, it outlives its idle life; then left alone, it does not.
    """
    desk = Desk()
    token, _ = await desk.opened()
    for _ in range(6):
        desk.now += timedelta(minutes=20)
        assert outcome(await desk.sessions.authenticate(token)) is None
    desk.now += timedelta(minutes=30)
    assert outcome(await desk.sessions.authenticate(token)) is DenialReason.SESSION


async def test_uses_close_together_are_one_write() -> None:
    """
    Within half a minute nothing is written, so that a page with many parts costs nothing.
    """
    desk = Desk()
    token, _ = await desk.opened()
    desk.kept.write_outage = UnavailableError("storage", "it is read-only.")
    desk.now += timedelta(seconds=29)
    assert outcome(await desk.sessions.authenticate(token)) is None
    assert desk.logging.errors == []


async def test_a_use_that_cannot_be_noted_is_served() -> None:
    """
    The store can be read and not written: the request goes on, and the log tells of it.
    """
    desk = Desk()
    token, _ = await desk.opened()
    desk.kept.write_outage = UnavailableError("storage", "it is read-only.")
    desk.now += timedelta(minutes=5)
    assert outcome(await desk.sessions.authenticate(token)) is None
    assert len(desk.logging.errors) == 1


async def test_a_closed_session_is_over_at_once() -> None:
    """
    Nothing of a session is cached; the key and its other sessions go on.
    """
    desk = Desk()
    key, key_id = await desk.created()
    one, other = [(await desk.sessions.open(key_id)).token for _ in range(2)]
    await desk.sessions.authenticate(one)
    await desk.sessions.close(desk.sessions.digest(one))
    assert outcome(await desk.sessions.authenticate(one)) is DenialReason.SESSION
    assert outcome(await desk.sessions.authenticate(other)) is None
    assert outcome(await desk.keys.authenticate(key)) is None


async def test_a_key_has_a_bounded_number_of_sessions() -> None:
    """
    However often somebody logs in, the store grows no further.
    """
    desk = Desk()
    _, key_id = await desk.created()
    tokens = []
    for _ in range(MAX_SESSIONS_PER_KEY + 5):
        desk.now += timedelta(seconds=1)
        tokens.append((await desk.sessions.open(key_id)).token)
    assert len(desk.kept.sessions) == MAX_SESSIONS_PER_KEY
    assert outcome(await desk.sessions.authenticate(tokens[-1])) is None
