"""
Settings: where they come from, which one wins, and what is said about a wrong one.
"""

import ast
import pickle
from pathlib import Path

import pytest
from pydantic import SecretStr

import ctxfy
from ctxfy.app.config import (
    Settings,
    decode_secret,
    load_settings,
    setting_names,
)
from ctxfy.app.setting_sources import variable_name
from ctxfy.app.static_key_settings import StaticKey
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import LogLevel


SOURCE = Path(ctxfy.__file__).parent
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}

# Values other than the defaults, and what they become; of newer settings see `_sample`.
VALUES: dict[str, tuple[str, object]] = {
    "CTXFY_SERVER__HOST": ("::1", "::1"),
    "CTXFY_SERVER__PORT": ("9001", 9001),
    "CTXFY_SERVER__ALLOWED_HOSTS": ("a.example, *.b.example,,", ("a.example", "*.b.example")),
    "CTXFY_SERVER__MAX_BODY_BYTES": ("2048", 2048),
    "CTXFY_SERVER__SHUTDOWN_SECONDS": ("9", 9),
    "CTXFY_CORS__ORIGINS": ("https://a.example", ("https://a.example",)),
    "CTXFY_LOGGING__FORMAT": ("console", "console"),
    "CTXFY_LOGGING__LEVEL": ("debug", LogLevel.DEBUG),
    "CTXFY_LOGGING__LEVELS": (
        "ctxfy.audit=debug, uvicorn=warning",
        {"ctxfy.audit": LogLevel.DEBUG, "uvicorn": LogLevel.WARNING},
    ),
    "CTXFY_LOGGING__SHAPE": ("ecs", "ecs"),
    "CTXFY_LOGGING__USER_ID": ("clear", "clear"),
    "CTXFY_LOGGING__FILE": ("/var/log/ctxfy.log", Path("/var/log/ctxfy.log")),
    "CTXFY_LOGGING__FILE_MB": ("10", 10),
    "CTXFY_LOGGING__FILE_COUNT": ("3", 3),
    "CTXFY_AUTH__BOOTSTRAP_KEY": ("a secret", SecretStr("a secret")),
    "CTXFY_AUTH__BOOTSTRAP_USER": ("ops", "ops"),
    "CTXFY_AUTH__PEPPER": ("cGVwcGVy", SecretStr("cGVwcGVy")),
    "CTXFY_AUTH__PEPPER_ID": ("7", 7),
    "CTXFY_AUTH__STATIC_KEYS": (
        '[{"key_id": "static000000", "digest": "' + "d" * 64 + '", "user_id": "ci"}]',
        (StaticKey(key_id="static000000", digest="d" * 64, user_id="ci"),),
    ),
    "CTXFY_AUTH__OTHER_PEPPERS": ("7:cGVwcGVy", SecretStr("7:cGVwcGVy")),
    "CTXFY_AUTH__MASTER_KEY": ("bWFzdGVy", SecretStr("bWFzdGVy")),
    "CTXFY_AUTH__KEY_FILE": ("/keys/ctxfy", Path("/keys/ctxfy")),
    "CTXFY_AUTH__MAX_STALE": ("60", 60),
    "CTXFY_STORAGE__POOL_SIZE": ("9", 9),
    "CTXFY_PROMPTS__CHECK_MEMORY_MB": ("128", 128),
    "CTXFY_SERVER__TRUSTED_PROXIES": ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "CTXFY_LIMITS__KEY_RATE": ("9/day", "9/day"),
    "CTXFY_LIMITS__USER_RATE": ("9/hour", "9/hour"),
    "CTXFY_LIMITS__FAILURE_RATE": ("9/minute", "9/minute"),
    "CTXFY_LIMITS__KEY_BYTES_PER_MINUTE": ("9", 9),
    "CTXFY_LIMITS__KEY_REQUESTS_AT_ONCE": ("9", 9),
    "CTXFY_LIMITS__URL": ("valkey://h/0", SecretStr("valkey://h/0")),
    "CTXFY_JWT__ISSUER": ("https://i/", "https://i/"),
    "CTXFY_JWT__JWKS_URL": ("https://i/keys", "https://i/keys"),
    "CTXFY_JWT__JWKS_FILE": ("/keys.json", Path("/keys.json")),
    "CTXFY_JWT__ALGORITHMS": ("ES256, Ed25519", ("ES256", "Ed25519")),
    "CTXFY_JWT__USER_CLAIM": ("email", "email"),
    "CTXFY_JWT__SCOPE_CLAIM": ("roles", "roles"),
    "CTXFY_JWT__PROMPTS_CLAIM": ("prompts", "prompts"),
    "CTXFY_LIMITS__ARGUMENT_BYTES": ("10", 10),
    "CTXFY_LIMITS__ARGUMENTS_BYTES": ("20", 20),
    "CTXFY_MONITORING__PUBLIC_METRICS": ("true", True),
    "CTXFY_MONITORING__TRACES_URL": ("https://c.example:4318", "https://c.example:4318"),
    "CTXFY_MONITORING__TRACES_RATIO": ("0.1", 0.1),
    "CTXFY_MONITORING__TRACES_SERVICE": ("prompts", "prompts"),
    "CTXFY_MONITORING__TRACES_HEADERS": ("x-key=abc", SecretStr("x-key=abc")),
    "CTXFY_MONITORING__TRACES_CA": ("/tls/ca.crt", Path("/tls/ca.crt")),
    "CTXFY_MONITORING__TRACES_CERTIFICATE": ("/tls/tls.crt", Path("/tls/tls.crt")),
    "CTXFY_MONITORING__TRACES_KEY": ("/tls/tls.key", Path("/tls/tls.key")),
    "CTXFY_LLM__DEFAULT_MODEL": ("some-model", "some-model"),
    "CTXFY_PROMPTS__FOLDER": ("/prompts", Path("/prompts")),
    "CTXFY_PROMPTS__CHECK_SECONDS": ("7", 7),
    "CTXFY_AUDIT__DURABILITY": ("relaxed", "relaxed"),
    "CTXFY_AUDIT__RETENTION_DAYS": ("7", 7),
    "CTXFY_AUDIT__CHAIN": ("pod-1", "pod-1"),
    "CTXFY_AUDIT__SPOOL_FILE": ("/data/spool", Path("/data/spool")),
    "CTXFY_AUDIT__SPOOL_MB": ("7", 7),
    "CTXFY_AUDIT__LOG": ("off", "off"),
    "CTXFY_AUTH__MASTER_KEY_ID": ("2", 2),
    "CTXFY_AUTH__OTHER_MASTER_KEYS": ("1:abc", SecretStr("1:abc")),
    "CTXFY_PRIVACY__ENDED_KEY_DAYS": ("7", 7),
    "CTXFY_PRIVACY__ERASURE_DAYS": ("7", 7),
    "CTXFY_PRIVACY__LEDGER_FILE": ("x/ctxfy.erasures", Path("x/ctxfy.erasures")),
    "CTXFY_STORAGE__URL": ("sqlite:////data/x.db", "sqlite:////data/x.db"),
    "CTXFY_STORAGE__MIGRATE": ("check", "check"),
    "CTXFY_STORAGE__PASSWORD": ("hunter2", SecretStr("hunter2")),
    "CTXFY_TLS__CERTIFICATE": ("/tls/tls.crt", Path("/tls/tls.crt")),
    "CTXFY_TLS__KEY": ("/tls/tls.key", Path("/tls/tls.key")),
    "CTXFY_STORAGE__LOCK_SECONDS": ("0.5", 0.5),
    "CTXFY_STORAGE__TLS": ("verify", "verify"),
    "CTXFY_STORAGE__TLS_CA": ("/ca.pem", Path("/ca.pem")),
    "CTXFY_SERVER__PUBLIC_URL": ("https://a.example/ctxfy", "https://a.example/ctxfy"),
    "CTXFY_DOCS__TITLE": ("Our prompts", "Our prompts"),
}


def _value(settings: Settings, variable: str) -> object:
    section, _, name = variable.removeprefix("CTXFY_").lower().partition("__")
    value: object = getattr(getattr(settings, section), name)
    return value


def _sample(variable: str) -> tuple[str, tuple[str, object]]:
    if variable in VALUES:
        return variable, VALUES[variable]
    default = _value(Settings(), variable)
    match default:
        case bool():
            return variable, (str(not default), not default)
        case int() | float():
            return variable, (str(default + 1), default + 1)
        case tuple():
            return variable, ("a.example, b.example", ("a.example", "b.example"))
        case Path():
            return variable, ("/elsewhere", Path("/elsewhere"))
        case _:
            pytest.fail(f"add a value of {variable} to the table above")


def _secret(folder: Path, name: str, content: str | bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _refusal() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_every_setting_is_tried_here() -> None:
    """
    The table above names settings that there are; for others a value is made by their type.
    """
    assert set(VALUES) <= set(setting_names())
    assert {variable for variable, _ in map(_sample, setting_names())} == set(setting_names())


@pytest.mark.parametrize("variable", setting_names())
def test_each_setting_comes_from_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    By its name in capitals or in small letters; an empty one counts as not set.
    """
    _, (text, expected) = _sample(variable)
    default = _value(load_settings(), variable)
    monkeypatch.setenv(variable, "")
    assert _value(load_settings(), variable) == default != expected
    monkeypatch.setenv(variable, text)
    assert _value(load_settings(), variable) == expected
    monkeypatch.delenv(variable)
    monkeypatch.setenv(variable.lower(), text)
    assert _value(load_settings(), variable) == expected


@pytest.mark.parametrize("variable", setting_names())
def test_each_setting_comes_from_a_secret_file(variable: str, secrets_folder: Path) -> None:
    """
    A file named like the variable holds its value, white space around it left out.
    """
    _, (text, expected) = _sample(variable)
    _secret(secrets_folder, variable.lower(), f" {text}\n")
    assert _value(load_settings(), variable) == expected


def test_the_nearest_source_wins(secrets_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Command line over environment over file over default, setting by setting.
    """
    _secret(secrets_folder, "ctxfy_server__port", "1")
    _secret(secrets_folder, "ctxfy_server__host", "file.example")
    assert load_settings().server.port == 1
    monkeypatch.setenv("CTXFY_SERVER__PORT", "2")
    assert load_settings().server.port == 2
    server = load_settings({"server": {"port": 3}}).server
    assert (server.port, server.host, server.shutdown_seconds) == (3, "file.example", 5)


@pytest.mark.parametrize(
    "name",
    [
        "CTXFY_PORT",
        "CTXFY_SERVICE_HOST",
        "CTXFY_PORT_8000_TCP",
        "CTXFY_SERVER",
        "CTXFY_STORAGE",
        "CTXFY_AUTH",
        "CTXFY_SERVER_PORT",
        "MY_CTXFY_SERVER__PORT",
    ],
)
def test_names_without_two_underscores_are_nobody_s_setting(
    name: str, secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What Kubernetes injects for a Service called ctxfy changes nothing, JSON for a section neither.
    """
    default = load_settings()
    _secret(secrets_folder, name.lower(), '{"port": 1}')
    for text in ("tcp://10.0.0.1:80", '{"port": 1}', '{"url": "sqlite:///other.db"}', "{"):
        monkeypatch.setenv(name, text)
        assert load_settings() == default


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CTXFY_SERVER__PROT", "did you mean CTXFY_SERVER__PORT?"),
        ("CTXFY_SERVR__PORT", "did you mean CTXFY_SERVER__PORT?"),
        ("ctxfy_storage__uri", "did you mean CTXFY_STORAGE__URL?"),
        ("CTXFY_SERVER__PORT__X", "did you mean CTXFY_SERVER__PORT?"),
        ("CTXFY__SERVER__PORT", "did you mean CTXFY_SERVER__PORT?"),
        ("CTXFY_CORS_ORIGINS__", "did you mean CTXFY_CORS__ORIGINS?"),
    ],
)
def test_an_unknown_name_stops_the_start(
    name: str, hint: str, secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With its name, its place and the nearest right one, in the environment and in files.
    """
    monkeypatch.setenv(name, "1")
    assert _refusal() == f"There is no setting {name} (in the environment); {hint}"
    monkeypatch.delenv(name)
    _secret(secrets_folder, name, "1")
    assert _refusal() == f"There is no setting {name} (in {secrets_folder}); {hint}"


def test_files_of_others_are_left_alone(secrets_folder: Path) -> None:
    """
    Binary files, folders and links of other programs in /run/secrets do no harm.
    """
    _secret(secrets_folder, "tls.key", b"\xff\xfe\x00")
    _secret(secrets_folder, "other__port", "1")
    (secrets_folder / "kubernetes.io").mkdir()
    _secret(secrets_folder / "kubernetes.io", "token", b"\xff")
    (secrets_folder / "dangling").symlink_to("nowhere")
    assert load_settings() == Settings()


def test_a_secret_may_be_a_link(secrets_folder: Path) -> None:
    """
    Kubernetes mounts each secret as a link into a folder that it can swap.
    """
    (secrets_folder / "..data").mkdir(parents=True)
    _secret(secrets_folder / "..data", "ctxfy_server__port", "9")
    (secrets_folder / "ctxfy_server__port").symlink_to("..data/ctxfy_server__port")
    assert load_settings().server.port == 9


def test_a_secret_that_cannot_be_read_stops_the_start(secrets_folder: Path) -> None:
    """
    Not text, a folder, or gone: one sentence with the file's name.
    """
    place = secrets_folder / "ctxfy_auth__pepper"
    _secret(secrets_folder, place.name, b"\xff\xfe")
    assert _refusal() == f"The secret file '{place}' cannot be read: it is not text."
    place.unlink()
    place.mkdir()
    assert _refusal() == f"The secret file '{place}' cannot be read: Is a directory."
    place.rmdir()
    place.symlink_to("nowhere")
    assert _refusal() == f"The secret file '{place}' cannot be read: No such file or directory."


def test_an_empty_secret_is_no_default(secrets_folder: Path) -> None:
    """
    A pepper that came out empty is refused when it is used, not silently replaced by another.
    """
    _secret(secrets_folder, "ctxfy_auth__pepper", "")
    assert load_settings().auth.pepper == SecretStr("")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CTXFY_SERVER__PORT", "eighty"),
        ("CTXFY_SERVER__PORT", "65536"),
        ("CTXFY_SERVER__PORT", "-1"),
        ("CTXFY_SERVER__PORT", "80.5"),
        ("CTXFY_SERVER__MAX_BODY_BYTES", "1023"),
        ("CTXFY_SERVER__SHUTDOWN_SECONDS", "0"),
        ("CTXFY_LOGGING__LEVEL", "loud"),
        ("CTXFY_LOGGING__FORMAT", "xml"),
        ("CTXFY_LOGGING__USER_ID", "yes"),
        ("CTXFY_AUTH__MAX_STALE", "-1"),
        ("CTXFY_SERVER__TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CTXFY_SERVER__TRUSTED_PROXIES", "proxy"),
        ("CTXFY_LIMITS__KEY_RATE", "many"),
        ("CTXFY_LIMITS__KEY_RATE", "0/minute"),
        ("CTXFY_LIMITS__USER_RATE", "many"),
        ("CTXFY_LIMITS__FAILURE_RATE", "none"),
        ("CTXFY_LIMITS__KEY_BYTES_PER_MINUTE", "0"),
        ("CTXFY_LIMITS__REQUESTS_AT_ONCE", "0"),
        ("CTXFY_LIMITS__KEY_REQUESTS_AT_ONCE", "0"),
        ("CTXFY_JWT__JWKS_URL", "http://issuer.example.com/keys"),
        ("CTXFY_JWT__ALGORITHMS", "none"),
        ("CTXFY_JWT__ALGORITHMS", "HS256"),
        ("CTXFY_JWT__ALGORITHMS", "RS256,HS256"),
        ("CTXFY_JWT__MAX_BYTES", "0"),
        ("CTXFY_JWT__LEEWAY_SECONDS", "301"),
        ("CTXFY_LIMITS__URL", "http://host/0"),
        ("CTXFY_LIMITS__URL", "host:6379"),
        ("CTXFY_LIMITS__REPLICAS", "0"),
        ("CTXFY_LIMITS__ARGUMENT_BYTES", "0"),
        ("CTXFY_MONITORING__PUBLIC_METRICS", "maybe"),
        ("CTXFY_PROMPTS__CHECK_MEMORY_MB", "1"),
        ("CTXFY_STORAGE__MIGRATE", "never"),
        ("CTXFY_STORAGE__LOCK_SECONDS", "0"),
        ("CTXFY_STORAGE__LOCK_SECONDS", "nan"),
        ("CTXFY_STORAGE__LOCK_SECONDS", "inf"),
    ],
)
def test_a_bad_value_is_named_in_one_sentence(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The sentence begins with the variable, and holds no traceback and no link.
    """
    monkeypatch.setenv(name, text)
    sentence = _refusal()
    assert sentence.startswith(f"The setting {name} cannot be used: ")
    assert "http" not in sentence


def test_a_bad_value_of_the_command_line_is_named_too() -> None:
    """
    By the setting that the option stands for.
    """
    with pytest.raises(ConfigurationError, match=r"^The setting CTXFY_SERVER__PORT cannot be used"):
        load_settings({"server": {"port": 70_000}})


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Neither in the settings' text form, nor in an error about another setting.
    """
    for name in ("BOOTSTRAP_KEY", "PEPPER", "MASTER_KEY"):
        monkeypatch.setenv(f"CTXFY_AUTH__{name}", "hunter2")
    settings = load_settings()
    assert "hunter2" not in f"{settings!r}{settings}{settings.model_dump()}{settings.auth!r}"
    assert "hunter2" not in settings.model_dump_json()
    monkeypatch.setenv("CTXFY_AUTH__MAX_STALE", "x")
    assert "hunter2" not in _refusal()


def test_settings_do_not_change() -> None:
    """
    They are read once; nobody may turn them under the server.
    """
    settings = load_settings()
    for owner, name in ((settings, "server"), (settings.server, "port")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(owner, name, None)


def test_settings_travel() -> None:
    """
    A worker process can be handed them.
    """
    settings = load_settings({"server": {"port": 1}})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


@pytest.mark.parametrize("text", ["not base64!", "AAA", "é", "AAAA AAAA"])
def test_a_secret_that_is_not_base64_is_refused(text: str) -> None:
    """
    The sentence names the variable and how to make one, never the value.
    """
    with pytest.raises(ConfigurationError) as caught:
        decode_secret("CTXFY_AUTH__PEPPER", SecretStr(text))
    assert str(caught.value).startswith("CTXFY_AUTH__PEPPER is not base64; make one with")
    assert text not in str(caught.value)


def test_a_secret_is_decoded() -> None:
    """
    White space around it does not matter: files end with a line break.
    """
    assert decode_secret("X", SecretStr(" cGVwcGVy\n")) == b"pepper"


def test_variables_are_named_alike() -> None:
    """
    Section and name, in capitals.
    """
    assert variable_name("server", "port") == "CTXFY_SERVER__PORT"


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://ann:hunter2@db:5432/x", "postgresql://ann@db:5432/x", "hunter2"),
        ("postgres://ann:a%40b%2Fc@db/x?host=/run", "postgres://ann@db/x?host=/run", "a@b/c"),
        ("postgresql://ann:a@b:c/d@db/x", "postgresql://ann@db/x", "a@b:c/d"),
        ("postgresql://ann:@db/x", "postgresql://ann@db/x", ""),
        ("postgresql://ann@db/x", "postgresql://ann@db/x", None),
    ],
)
def test_a_password_does_not_stay_in_the_url(
    url: str, shown: str, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is moved to where secrets are masked, even one that is not written as a URL wants it.
    """
    monkeypatch.setenv("CTXFY_STORAGE__URL", url)
    storage = load_settings().storage
    assert storage.url == shown
    assert storage.password == (None if password is None else SecretStr(password))
    assert not password or password not in repr(storage)


def test_a_password_of_its_own_goes_before_the_urls(
    secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A secret file can mend a password without the URL being written anew.
    """
    monkeypatch.setenv("CTXFY_STORAGE__URL", "postgresql://ann:old@db/x")
    _secret(secrets_folder, "ctxfy_storage__password", "new\n")
    assert load_settings().storage.password == SecretStr("new")


def test_nothing_else_reads_the_environment() -> None:
    """
    Every other module is handed what it needs.
    """
    readers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT)
        or (isinstance(node, ast.alias) and node.name in ENVIRONMENT)
    }
    assert readers == {"app/config.py"}
