"""
The rules for scanners, as they stand in the guide: they find keys, and no near misses.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key
from ctxfy.core.use_cases.leak_use_cases import KEY_PATTERN, find_keys
from tests.strategies import KEY_IDS, SECRETS


GUIDE = (Path(__file__).parents[2] / "docs/how-to/report-a-leak.md").read_text(encoding="utf-8")
KEY = compose_key(KeyId("0123456789ab"), b"s" * 32)
# What re has and RE2 or Hyperscan has not: look-around, back-references, possessive repetition.
NOT_EVERYWHERE = re.compile(r"\(\?[=!<>]|\\[1-9]|[+*?}]\+")

AROUND = ["{}", "KEY={}", '"{}"', "Bearer {}\r\n", "token%3D{}&x", "_{}_", "//u:{}@host", "my{}."]
NEAR_MISSES = [
    KEY[:-1],
    KEY + "0",
    KEY.replace("ctxfy_", "ctxfy-"),
    KEY.replace("ctxfy_", "CTXFY_"),
    KEY[:10] + "é" + KEY[11:],
    KEY[:30] + "\N{ARABIC-INDIC DIGIT ONE}" + KEY[31:],
    KEY[:30] + "-" + KEY[31:],
    KEY[:18] + KEY[19:],
    "ctxfy_<id>_<secret><checksum>",
]


def rules() -> Iterator[tuple[str, re.Pattern[str], int]]:
    """
    Read the rules out of the guide: a name, the expression, and the group that is the key.
    """
    (text,) = re.findall(r"```text\n(.*)\n```", GUIDE)
    yield "generic", re.compile(text + "(?![0-9A-Za-z])"), 0
    (toml,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    (rule,) = tomllib.loads(toml)["rules"]
    assert all(word in KEY for word in rule["keywords"])
    yield "gitleaks", re.compile(rule["regex"]), rule["secretGroup"]
    fields = dict(re.findall(r"^\| (.* secret|Secret format) \| `(.*)` \|$", GUIDE, re.MULTILINE))
    parts = {
        name: value.replace(r"\|", "|").replace(r"\z", r"\Z") for name, value in fields.items()
    }
    whole = f"(?:{parts['Before secret']})({parts['Secret format']})(?:{parts['After secret']})"
    yield "github", re.compile(whole), 1
    (grep,) = re.findall(r"grep -E '(.*)'", GUIDE)
    yield "hook", re.compile(grep + "(?![0-9A-Za-z])"), 0


RULES = {name: (pattern, group) for name, pattern, group in rules()}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("around", AROUND)
def test_a_rule_finds_a_key_wherever_it_stands(name: str, around: str) -> None:
    """
    Exactly the key, and nothing of what is around it.
    """
    pattern, group = RULES[name]
    found = pattern.search(around.format(KEY))
    assert found is not None
    assert found[group] == KEY


@pytest.mark.parametrize("name", RULES)
@given(key_id=KEY_IDS, secret=SECRETS)
def test_a_rule_finds_every_key(name: str, key_id: KeyId, secret: bytes) -> None:
    """
    Whatever its id and its secret are.
    """
    pattern, group = RULES[name]
    found = pattern.search(f"x = {compose_key(key_id, secret)}\n")
    assert found is not None
    assert found[group] == compose_key(key_id, secret)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_rule_leaves_near_misses_alone(name: str, miss: str) -> None:
    """
    As the server does, but for the checksum.
    """
    pattern, _ = RULES[name]
    assert pattern.search(miss + "\n") is None
    assert find_keys(miss) == ()


def test_the_rules_are_all_one() -> None:
    """
    The expression is the server's own, in what all engines know.
    """
    assert GUIDE.count(KEY_PATTERN) == 4
    (toml,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    (rule,) = tomllib.loads(toml)["rules"]
    assert not NOT_EVERYWHERE.search(rule["regex"])
    assert not NOT_EVERYWHERE.search(KEY_PATTERN)
