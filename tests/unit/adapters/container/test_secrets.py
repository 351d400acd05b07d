"""
The key file: made once, read by its owner alone, refused in any other state.
"""

import json
import os
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ctxfy.adapters.container.secrets import (
    ServerSecrets,
    check_secret,
    read_or_create_key_file,
)
from ctxfy.core.exceptions import ConfigurationError


GOOD = bytes(range(32))


def _encoded(secret: bytes) -> str:
    return b64encode(secret).decode()


def _content(**changes: object) -> str:
    return json.dumps({"pepper": _encoded(GOOD), "master_key": _encoded(GOOD)} | changes)


def _file(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "ctxfy.keys"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_or_create_key_file(path, os.urandom)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_a_missing_file_is_made(tmp_path: Path) -> None:
    """
    With two secrets of 32 bytes, for its owner's eyes only, folders included.
    """
    path = tmp_path / "new" / "var" / "ctxfy.keys"
    own = read_or_create_key_file(path, os.urandom)
    assert (len(own.pepper), len(own.master_key)) == (32, 32)
    assert own.pepper != own.master_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["ctxfy.keys"]


def test_a_file_is_read_as_it_was_made(tmp_path: Path) -> None:
    """
    The second start finds what the first one made, and changes nothing.
    """
    path = tmp_path / "ctxfy.keys"
    first = read_or_create_key_file(path, os.urandom)
    before = path.read_bytes()
    assert read_or_create_key_file(path, os.urandom) == first
    assert path.read_bytes() == before


def test_many_that_start_at_once_share_one_file(tmp_path: Path) -> None:
    """
    Sixteen threads find one content, and no half file is left beside it.
    """
    path = tmp_path / "ctxfy.keys"
    start = Barrier(16)

    def begin(_: int) -> ServerSecrets:
        start.wait()
        return read_or_create_key_file(path, os.urandom)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(begin, range(16)))
    assert found == [found[0]] * 16
    assert [each.name for each in tmp_path.iterdir()] == ["ctxfy.keys"]


def test_what_a_killed_start_left_does_not_stop_the_next(tmp_path: Path) -> None:
    """
    In a container every process has the same number: a name made of it is taken after a crash.
    """
    path = tmp_path / "ctxfy.keys"
    for number in (1, os.getpid()):
        (tmp_path / f".ctxfy.keys.{number}").touch()
    assert len(read_or_create_key_file(path, os.urandom).pepper) == 32


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610, 0o601, 0o777], ids=oct)
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    """
    One bit for the group or the world is enough, and the sentence says how to mend it.
    """
    path = _file(tmp_path, _content(), mode)
    assert (
        _refusal(path) == f"The key file '{path}' can be read by others; run: chmod 600 '{path}'."
    )


def test_a_link_is_refused(tmp_path: Path) -> None:
    """
    Who may turn a link may choose our secrets, also one to a good file, or to none.
    """
    (tmp_path / "real").mkdir()
    link = tmp_path / "ctxfy.keys"
    link.symlink_to(_file(tmp_path / "real", _content()))
    assert "is a link" in _refusal(link)
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    assert "is a link" in _refusal(link)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """
    A folder in the file's place is named in the sentence.
    """
    assert f"'{tmp_path}'" in _refusal(tmp_path)


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    """
    The sentence names the setting that helps.
    """
    (tmp_path / "var").touch()
    assert "CTXFY_AUTH__KEY_FILE" in _refusal(tmp_path / "var" / "ctxfy.keys")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "secret",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"pepper": "AAAA"}',
        _content(pepper=None),
        _content(pepper=7),
        _content(pepper=[_encoded(GOOD)]),
        _content(master_key="not base64!"),
        _content(master_key="é"),
        b"\xff\xfe\x00",
        b"\x80" * 100,
        "[" * 60_000,
        _content(about="x" * 70_000)[:-1],
    ],
    ids=lambda content: repr(content[:30]) + str(len(content)),
)
def test_a_file_of_something_else_is_damaged(tmp_path: Path, content: str | bytes) -> None:
    """
    Whatever it holds, it is refused in one sentence that quotes none of it.
    """
    path = _file(tmp_path, content)
    assert _refusal(path) == (
        f"The key file '{path}' is damaged; restore it from a backup of this database."
    )


@pytest.mark.parametrize("name", ["pepper", "master_key"])
@pytest.mark.parametrize(
    "secret", [b"", b"short", bytes(range(31)), bytes(32), b"\xff" * 32, b"a" * 64], ids=repr
)
def test_a_secret_that_protects_nothing_is_refused(
    tmp_path: Path, name: str, secret: bytes
) -> None:
    """
    Too short, or one byte over and over.
    """
    path = _file(tmp_path, _content(**{name: _encoded(secret)}))
    assert "is no secret" in _refusal(path)
    with pytest.raises(ConfigurationError, match=r"^THIS is no secret"):
        check_secret("THIS", secret)


def test_a_long_secret_is_as_good(tmp_path: Path) -> None:
    """
    More than 32 bytes are no fault.
    """
    path = _file(tmp_path, _content(pepper=_encoded(GOOD * 2)))
    assert read_or_create_key_file(path, os.urandom).pepper == GOOD * 2


def test_a_file_may_hold_older_peppers(tmp_path: Path) -> None:
    """
    Each under its number; without numbers the one there is has the first.
    """
    other = GOOD[::-1]
    content = _content(pepper_id=2, other_peppers={"1": _encoded(other)})
    own = read_or_create_key_file(_file(tmp_path, content), os.urandom)
    assert (own.pepper_id, own.peppers) == (2, {1: other, 2: GOOD})
    own = read_or_create_key_file(_file(tmp_path, _content()), os.urandom)
    assert (own.pepper_id, own.peppers) == (1, {1: GOOD})
    assert (own.master_key_id, own.master_keys) == (1, {1: own.master_key})
    content = _content(master_key_id=2, other_master_keys={"1": _encoded(other)})
    own = read_or_create_key_file(_file(tmp_path, content), os.urandom)
    assert own.master_keys == {1: other, 2: own.master_key}


@pytest.mark.parametrize(
    "change",
    [
        {"pepper_id": "x"},
        {"pepper_id": None},
        {"other_peppers": []},
        {"other_peppers": {"one": _encoded(GOOD)}},
        {"other_peppers": {"1": 7}},
        {"other_peppers": {"1": "no base64!"}},
        {"master_key_id": "x"},
        {"other_master_keys": ["x"]},
    ],
    ids=repr,
)
def test_older_peppers_of_another_form_are_damage(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """
    One sentence, as for the rest of the file.
    """
    assert "is damaged" in _refusal(_file(tmp_path, _content(**change)))


def test_an_older_pepper_that_protects_nothing_is_refused(tmp_path: Path) -> None:
    """
    It still opens keys, so it must be as good as any.
    """
    path = _file(tmp_path, _content(pepper_id=2, other_peppers={"1": _encoded(bytes(32))}))
    assert _refusal(path).startswith("The pepper 1 in ")


def test_secrets_do_not_show() -> None:
    """
    Their text form holds none of them.
    """
    own = ServerSecrets(pepper=b"pepper" * 6, master_key=b"master" * 6)
    assert repr(own) == "ServerSecrets()"
