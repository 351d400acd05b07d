"""
What ContextForge is compared on is what the others are asked for, and as safe as they are.
"""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.contextforge import LOCKED, locked_version, prompt, settings
from benchmarks.prompt_calls import prompt_text


def made() -> dict[str, str]:
    """
    Make the settings with secrets that tell each other apart.
    """
    numbers = count()
    return settings(Path("/somewhere/gateway.db"), lambda: f"secret {next(numbers)}")


@given(st.text())
def test_the_prompt_says_what_the_others_say(code: str) -> None:
    """
    With a value put in, the template is the text that every server is held to.
    """
    template = str(prompt()["template"])

    assert template.replace("{{ code | safe }}", code) == prompt_text(0, code)


def test_it_asks_for_a_token_and_keeps_what_it_keeps_in_the_folder() -> None:
    """
    Nobody is let in without a token, in production, and its database lies where it was told.
    """
    found = made()

    assert found["AUTH_REQUIRED"] == found["MCP_REQUIRE_AUTH"] == "true"
    assert found["ENVIRONMENT"] == "production"
    assert found["DATABASE_URL"] == "sqlite:////somewhere/gateway.db"


def test_no_secret_is_used_for_two_things() -> None:
    """
    Each secret is made by itself.
    """
    kept = [value for value in made().values() if value.startswith("secret ")]

    assert len(kept) == len(set(kept)) == 5


def test_the_version_is_the_locked_one() -> None:
    """
    The version that the table names is read from the lock, with or without a hash behind it.
    """
    assert locked_version("mcp==2.3.0\nmcp-contextforge-gateway==1.2.3 \\\n    --hash=x") == "1.2.3"
    assert locked_version(LOCKED.read_text(encoding="utf-8"))


def test_a_lock_without_it_is_refused() -> None:
    """
    What depends on it, or is named like it, is no version of it.
    """
    with pytest.raises(ValueError, match="no version"):
        locked_version("# via mcp-contextforge-gateway==1.2.3\nmcp==2.3.0")
