"""
The first start.
"""

import io

import pytest
from pydantic import SecretStr

from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.config import DocsSettings, ServerSettings, Settings
from ctxfy.app.first_key import announce_first_key, base_url, ensure_first_key
from ctxfy.core.exceptions import ConfigurationError, InvalidKeyRequestError
from ctxfy.core.models.auth_models import KeyId, Scope
from ctxfy.core.use_cases.auth_use_cases import compose_key, parse_key
from tests.unit.adapters.auth.service_kit import Bench


KEY = compose_key(KeyId("bootstrap000"), b"b" * 32)


def _settings(**auth: object) -> Settings:
    return Settings(auth=AuthSettings.model_validate(auth))


async def test_an_empty_store_gets_a_key_to_show() -> None:
    """
    Once: the second start shows nothing.
    """
    bench = Bench()
    shown = await ensure_first_key(_settings(bootstrap_user="ops"), bench.keys)
    assert shown is not None
    assert parse_key(shown) is not None
    (info,) = bench.store.keys.values()
    assert (info.user_id, info.scope, info.name) == ("ops", Scope.ADMIN, "first key")
    assert await ensure_first_key(_settings(), bench.keys) is None


async def test_a_bootstrap_key_is_used_and_not_shown() -> None:
    """
    Who set it has it; line breaks around it do not matter.
    """
    bench = Bench()
    settings = _settings(bootstrap_key=SecretStr(f" {KEY}\n"))
    assert await ensure_first_key(settings, bench.keys) is None
    assert await bench.keys.validate_api_key(KEY)
    assert await ensure_first_key(settings, bench.keys) is None
    assert len(bench.store.keys) == 1


@pytest.mark.parametrize("text", ["", "admin", KEY[:-1], KEY.lower(), f"Bearer {KEY}"])
async def test_a_bootstrap_key_that_is_none_stops_the_start(text: str) -> None:
    """
    With a sentence that says how to make one and does not quote it; the store stays empty.
    """
    bench = Bench()
    with pytest.raises(ConfigurationError) as caught:
        await ensure_first_key(_settings(bootstrap_key=SecretStr(text)), bench.keys)
    assert str(caught.value).startswith("CTXFY_AUTH__BOOTSTRAP_KEY is malformed; make one with ")
    assert bench.store.keys == {}
    assert not text or text not in str(caught.value)


async def test_the_owner_of_the_first_key_is_checked() -> None:
    """
    A name of white space is nobody's.
    """
    with pytest.raises(InvalidKeyRequestError, match="needs a user"):
        await ensure_first_key(_settings(bootstrap_user="  "), Bench().keys)


def test_the_announcement_can_be_pasted() -> None:
    """
    It holds the addresses, the key, a command for one client and how to get what others want.
    """
    stream = io.StringIO()
    announce_first_key(Settings(), KEY, stream)
    text = stream.getvalue()
    assert "claude mcp add --transport http ctxfy http://127.0.0.1:8000/mcp" in text
    assert f'--header "Authorization: Bearer {KEY}"' in text
    assert "connect cursor --url http://127.0.0.1:8000\n" in text
    assert "in a browser: http://127.0.0.1:8000/docs\n" in text
    bare = io.StringIO()
    announce_first_key(Settings(docs=DocsSettings(enabled=False)), KEY, bare)
    assert "/docs" not in bare.getvalue()


def test_the_announcement_goes_where_logs_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The key is written to standard error, never to standard output, which is collected as a log.
    """
    announce_first_key(Settings(), KEY)
    shown = capsys.readouterr()
    assert (KEY in shown.err, shown.out) == (True, "")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        (".".join("0000"), "http://127.0.0.1:80"),
        ("::", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("prompts.example.com", "http://prompts.example.com:80"),
    ],
)
def test_the_address_shown_can_be_reached(host: str, url: str) -> None:
    """
    Where the server listens on every address, this machine's own is shown.
    """
    assert base_url(Settings(server=ServerSettings(host=host, port=80))) == url
