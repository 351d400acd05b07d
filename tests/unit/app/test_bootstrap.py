"""
What is made before anything can be wired.
"""

from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import SecretStr

from ctxfy.adapters.container.secrets import ServerSecrets
from ctxfy.app.audit_settings import AuditSettings
from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.bootstrap import audit_chain, make_storage
from ctxfy.app.config import ServerSettings, Settings
from ctxfy.app.own_secrets import pseudonymizer, server_secrets
from ctxfy.app.places import key_file, left_spools, spool_file
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.exceptions import ConfigurationError


PEPPER, MASTER = bytes(range(32)), bytes(range(32, 64))
OWN = ServerSecrets(pepper=PEPPER, master_key=MASTER)


def _secret(raw: bytes) -> SecretStr:
    return SecretStr(b64encode(raw).decode())


def _url(url: str) -> Settings:
    return Settings(storage=StorageSettings(url=url))


def test_secrets_that_are_set_need_no_file(tmp_path: Path) -> None:
    """
    With both in the settings, nothing is written.
    """
    auth = AuthSettings(pepper=_secret(PEPPER), master_key=_secret(MASTER))
    assert server_secrets(Settings(auth=auth)) == OWN
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_not_set_comes_from_the_file(tmp_path: Path) -> None:
    """
    A setting goes before the file, each for itself.
    """
    kept = server_secrets(Settings())
    assert (tmp_path / "var" / "ctxfy.keys").is_file()
    mixed = server_secrets(Settings(auth=AuthSettings(pepper=_secret(PEPPER))))
    assert (mixed.pepper, mixed.master_key) == (PEPPER, kept.master_key)


@pytest.mark.parametrize("name", ["pepper", "master_key"])
@pytest.mark.parametrize("raw", [b"", b"short", bytes(32)], ids=repr)
def test_a_setting_that_protects_nothing_stops_the_start(name: str, raw: bytes) -> None:
    """
    The sentence names the variable, and no file is made to stand in for it.
    """
    settings = Settings(auth=AuthSettings.model_validate({name: _secret(raw)}))
    with pytest.raises(ConfigurationError, match=f"^CTXFY_AUTH__{name.upper()} is no secret"):
        server_secrets(settings)
    assert not Path("var").exists()


OTHER = bytes(range(64, 96))


def _auth(**settings: object) -> Settings:
    secrets = {"pepper": _secret(PEPPER), "master_key": _secret(MASTER)}
    return Settings(auth=AuthSettings.model_validate(secrets | settings))


@pytest.mark.parametrize("between", [",", "\n", " , \n", " "])
def test_several_peppers_may_be_set(between: str) -> None:
    """
    The one in use under its number, the others under theirs.
    """
    others = between.join(f"{number}:{b64encode(OTHER).decode()}" for number in (1, 7))
    own = server_secrets(_auth(pepper_id=2, other_peppers=SecretStr(others)))
    assert (own.pepper_id, own.peppers) == (2, {1: OTHER, 7: OTHER, 2: PEPPER})


def test_a_pepper_in_the_file_may_have_others_in_the_settings(tmp_path: Path) -> None:
    """
    The file's number stands; a number for it among the settings would be another's.
    """
    kept = server_secrets(Settings())
    others = SecretStr(f"7:{b64encode(OTHER).decode()}")
    own = server_secrets(Settings(auth=AuthSettings(other_peppers=others)))
    assert own.peppers == {1: kept.pepper, 7: OTHER}
    with pytest.raises(ConfigurationError, match="which is not set"):
        server_secrets(Settings(auth=AuthSettings(pepper_id=2)))
    assert (tmp_path / "var").is_dir()


GOOD = b64encode(OTHER).decode()


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (GOOD, "not NUMBER:BASE64"),
        (f"0:{GOOD}", "not NUMBER:BASE64"),
        (f"10000:{GOOD}", "not NUMBER:BASE64"),
        (f"-1:{GOOD}", "not NUMBER:BASE64"),
        ("1:", "not NUMBER:BASE64"),
        ("1:§§§§", "is not base64"),
        (f"1:{b64encode(b'short').decode()}", "is no secret"),
        (f"1:{GOOD},1:{GOOD}", "names the number 1"),
        (f"2:{GOOD}", "names the number 2"),
        (",".join(f"{number}:{GOOD}" for number in range(10, 27)), "more than 16"),
    ],
)
def test_peppers_that_cannot_be_are_refused(others: str, sentence: str) -> None:
    """
    In one sentence that names the setting and quotes nothing of what may be a secret.
    """
    with pytest.raises(ConfigurationError) as caught:
        server_secrets(_auth(pepper_id=2, other_peppers=SecretStr(others)))
    assert sentence in str(caught.value)
    assert "CTXFY_AUTH__OTHER_PEPPERS" in str(caught.value)
    assert GOOD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///var/ctxfy.db", "var/ctxfy.keys"),
        ("sqlite:////data/prompts.sqlite", "/data/prompts.keys"),
        ("sqlite:///bare", "bare.keys"),
    ],
)
def test_the_key_file_lies_beside_the_database(url: str, place: str) -> None:
    """
    They are one without the other no good, so they are kept together.
    """
    assert key_file(_url(url)) == Path(place)


def test_the_key_file_may_be_named() -> None:
    """
    Then the database's place does not matter.
    """
    settings = Settings(auth=AuthSettings(key_file=Path("/keys/mine")))
    assert key_file(settings) == Path("/keys/mine")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "sqlite:///",
        "sqlite://host/x.db",
        "mysql://ann:hunter2@db/ctxfy",
    ],
)
def test_a_url_of_another_kind_leaves_no_file(url: str, tmp_path: Path) -> None:
    """
    It is refused before a key file is made of it, without the password that may be in it.
    """
    with pytest.raises(ConfigurationError) as caught:
        server_secrets(_url(url))
    assert str(caught.value) == (
        "The storage URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["sqlite:///x.db?mode=ro", "sqlite:///:memory:"])
def test_a_url_that_no_server_can_keep_keys_in_is_refused(url: str) -> None:
    """
    A database in memory would forget every key, and options would change what is promised of it.
    """
    with pytest.raises(ConfigurationError, match="must be sqlite:///PATH"):
        make_storage(_url(url), OWN)


def test_making_storage_touches_nothing(tmp_path: Path) -> None:
    """
    The disk is first touched by what is asked of it.
    """
    make_storage(_url(f"sqlite:///{tmp_path}/var/x.db"), OWN)
    assert list(tmp_path.iterdir()) == []


def test_people_get_stable_names_in_logs() -> None:
    """
    The same for the same person and secret, another for any other, and nothing to read in it.
    """
    name_of = pseudonymizer(OWN)
    assert name_of("ann") == pseudonymizer(OWN)("ann")
    assert name_of("ann").startswith("u_")
    other = ServerSecrets(pepper=PEPPER, master_key=PEPPER)
    names = {name_of("ann"), name_of("bob"), name_of("ann "), pseudonymizer(other)("ann")}
    assert len(names) == 4
    assert not any("ann" in name for name in names)


def test_several_master_keys_may_be_set() -> None:
    """
    As with peppers: the one in use under its number, the others under theirs.
    """
    own = server_secrets(_auth(master_key_id=3, other_master_keys=SecretStr(f"1:{GOOD}")))
    assert (own.master_key_id, own.master_keys) == (3, {1: OTHER, 3: MASTER})
    with pytest.raises(ConfigurationError, match="OTHER_MASTER_KEYS names the number 3"):
        server_secrets(_auth(master_key_id=3, other_master_keys=SecretStr(f"3:{GOOD}")))
    with pytest.raises(ConfigurationError, match="MASTER_KEY_ID is the number of CTXFY_AUTH__M"):
        server_secrets(Settings(auth=AuthSettings(master_key_id=2)))
    long = b64encode(OTHER * 2).decode()
    own = server_secrets(_auth(other_master_keys=SecretStr(f"7:{long}")))
    with pytest.raises(ConfigurationError, match="Master key 7 must have 32 bytes"):
        make_storage(Settings(), own)


@pytest.mark.parametrize(
    ("url", "chain", "names"),
    [
        ("sqlite:///var/ctxfy.db", None, ["main", "main", "main"]),
        ("sqlite:///var/ctxfy.db", "east", ["east", "east", "east"]),
        ("postgresql://host/ctxfy", "east", ["east", "east", "east-2"]),
    ],
)
def test_workers_write_chains_of_their_own_where_none_must_wait(
    tmp_path: Path, url: str, chain: str | None, names: list[str]
) -> None:
    """
    A process alone, and the first of several, go on with the same one.
    """
    settings = Settings(storage=StorageSettings(url=url), audit=AuditSettings(chain=chain))
    places = [None, *(WorkerPlace(number=each, count=2, folder=tmp_path) for each in (1, 2))]
    assert [audit_chain(settings, place) for place in places] == names


def test_what_waits_of_workers_that_there_are_no_more_is_found(tmp_path: Path) -> None:
    """
    Each worker has a file of its own, and those beyond the count belong to nobody.
    """
    settings = Settings(
        server=ServerSettings(workers=2),
        storage=StorageSettings(url=f"sqlite:///{tmp_path}/ctxfy.db"),
    )
    places = [WorkerPlace(number=each, count=4, folder=tmp_path) for each in (1, 2, 3, 4)]
    files = [spool_file(settings, place) for place in places]
    for file in (*files, files[3].with_name(f"{files[3].name}.damaged")):
        file.touch()
    assert [file.name for file in files[:2]] == ["ctxfy.spool", "ctxfy.spool-2"]
    assert left_spools(settings) == files[2:]
