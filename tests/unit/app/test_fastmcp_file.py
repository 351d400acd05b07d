"""
fastmcp.json: what is taken from it, and what is said about what cannot be.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # only basedpyright has stubs for it
import pytest
from fastmcp.utilities.mcp_server_config import MCPServerConfig
from fastmcp.utilities.mcp_server_config.v1.environments.uv import UVEnvironment
from fastmcp.utilities.mcp_server_config.v1.mcp_server_config import Deployment
from fastmcp.utilities.mcp_server_config.v1.sources.filesystem import FileSystemSource
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ctxfy.app.config import (
    Settings,
    load_settings,
    read_layers,
    setting_names,
    setting_sections,
    settings_from,
)
from ctxfy.app.config_report import effective_settings, fastmcp_schema
from ctxfy.app.fastmcp_file import (
    REFUSED,
    DeploymentPart,
    EnvironmentPart,
    FastMcpFile,
    SourcePart,
    read_fastmcp_file,
)
from ctxfy.app.setting_sources import Origin, settings_in
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import LogLevel


ROOT_FILE = Path(__file__).parents[3] / "fastmcp.json"
SECRETS = {
    (section, name)
    for section, name in settings_in(setting_sections())
    if "SecretStr" in str(setting_sections()[section].model_fields[name].annotation)
}


def _write(content: object, name: str = "fastmcp.json") -> Path:
    path = Path(name)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def _refusal(content: object) -> str:
    _write(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_settings_come_from_the_file_of_the_working_directory() -> None:
    """
    Ours under "ctxfy", and FastMCP's words for three of them.
    """
    _write(
        {
            "$schema": "https://example.com/schema.json",
            "source": {"path": "server.py", "entrypoint": "server"},
            "environment": {"python": "3.13", "dependencies": ["ctxfy"]},
            "deployment": {
                "transport": "http",
                "host": "0.0.0.0",  # noqa: S104 - nothing listens in this test
                "port": 9000,
                "path": "/mcp/",
                "log_level": "DEBUG",
            },
            "ctxfy": {
                "server": {"allowed_hosts": ["a.example", "b.example"]},
                "prompts": {"folder": "texts", "watch": False},
                "storage": {"lock_seconds": 2},
            },
        }
    )
    settings = load_settings()
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9000)  # noqa: S104
    assert settings.server.allowed_hosts == ("a.example", "b.example")
    assert (settings.prompts.folder, settings.prompts.watch) == (Path("texts"), False)
    assert (settings.logging.level, settings.storage.lock_seconds) == (LogLevel.DEBUG, 2.0)


def test_the_file_is_weaker_than_all_but_the_default(
    secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Secret files, the environment and the command line win, setting by setting; each is told.
    """
    _write({"ctxfy": {"server": {"port": 1, "host": "file.example", "shutdown_seconds": 7}}})
    secrets_folder.mkdir()
    (secrets_folder / "ctxfy_server__port").write_text("2")
    (secrets_folder / "ctxfy_server__max_body_bytes").write_text("2048")
    monkeypatch.setenv("CTXFY_SERVER__HOST", "env.example")
    layers = read_layers({"server": {"port": 4}})
    settings = settings_from(layers)
    told = {item.name: item for item in effective_settings(settings, layers)}
    assert [
        (told[name].value, str(told[name].origin), told[name].place)
        for name in (
            "server.port",
            "server.host",
            "server.max_body_bytes",
            "server.shutdown_seconds",
            "server.allowed_hosts",
        )
    ] == [
        (4, "command line", ""),
        ("env.example", "environment", "CTXFY_SERVER__HOST"),
        (2048, "secret file", str(secrets_folder / "ctxfy_server__max_body_bytes")),
        (7, "fastmcp.json", "fastmcp.json: ctxfy.server.shutdown_seconds"),
        ([], "default", ""),
    ]
    assert len(told) == len(setting_names())


def test_secrets_are_masked_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Passwords in addresses too; where a secret comes from is told all the same.
    """
    monkeypatch.setenv("CTXFY_AUTH__PEPPER", "hunter2")
    monkeypatch.setenv("CTXFY_STORAGE__URL", "postgresql://ann:hunter2@db.example/ctxfy")
    layers = read_layers()
    told = {item.name: item for item in effective_settings(settings_from(layers), layers)}
    assert "hunter2" not in repr(told) + repr(layers)
    assert told["auth.pepper"].origin is Origin.ENVIRONMENT
    assert told["storage.url"].value == "postgresql://ann@db.example/ctxfy"
    assert told["auth.master_key"].value is None


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    By an argument, or by CTXFY_CONFIG; then nobody looks at the one of the working directory.
    """
    _write("not JSON at all")
    _write({"ctxfy": {"server": {"port": 5}}}, "five.json")
    _write({"deployment": {"port": 6}}, "six.json")
    monkeypatch.setenv("CTXFY_CONFIG", "five.json")
    assert load_settings().server.port == 5
    assert load_settings(file=Path("six.json")).server.port == 6
    monkeypatch.setenv("CTXFY_CONFIG", "seven.json")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value) == "seven.json cannot be read: No such file or directory."


@pytest.mark.parametrize(
    "content",
    [
        {"source": {"path": "server.py"}, "deployment": {"port": 1, "transport": "stdio"}},
        {"mcpServers": {"other": {"url": "http://127.0.0.1:1/mcp"}}},
        {},
    ],
)
def test_another_server_s_file_is_left_alone(content: dict[str, Any]) -> None:
    """
    Whoever tries ctxfy in a FastMCP project finds its port untouched, unless they name the file.
    """
    _write(content)
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"ctxfy": {"servr": {}}}, "ctxfy.servr is not known; did you mean 'server'?"),
        (
            {"ctxfy": {"server": {"prot": 1}}},
            "ctxfy.server.prot is not known; did you mean 'port'?",
        ),
        ({"ctxfy": {}, "deploymnt": {}}, "deploymnt is not known; did you mean 'deployment'?"),
        (
            {"ctxfy": {}, "deployment": {"prot": 1}},
            "deployment.prot is not known; did you mean 'port'?",
        ),
        (
            {"ctxfy": {}, "source": {"path": "x", "xyz": 1}},
            "source.xyz is not known; there are: type, path, entrypoint.",
        ),
        (
            {"ctxfy": {}, "environment": {"pyhton": "3"}},
            "environment.pyhton is not known; did you mean 'python'?",
        ),
        ({"ctxfy": {}, "source": {}}, "source.path: field required."),
        ({"ctxfy": []}, "ctxfy: input should be an object."),
        ({"ctxfy": {"server": 1}}, "ctxfy.server: input should be an object."),
        (
            {"ctxfy": {"server": {"port": "8000"}}},
            "ctxfy.server.port: input should be a valid integer.",
        ),
        (
            {"ctxfy": {"server": {"port": True}}},
            "ctxfy.server.port: input should be a valid integer.",
        ),
        (
            {"ctxfy": {"server": {"port": 70_000}}},
            "ctxfy.server.port: input should be less than or equal to 65535.",
        ),
        (
            {"ctxfy": {"server": {"allowed_hosts": "a, b"}}},
            "ctxfy.server.allowed_hosts must be a list of texts.",
        ),
        (
            {"ctxfy": {"server": {"allowed_hosts": [1]}}},
            "ctxfy.server.allowed_hosts.0: input should be a valid string.",
        ),
        (
            {"ctxfy": {"prompts": {"watch": "yes"}}},
            "ctxfy.prompts.watch: input should be a valid boolean.",
        ),
        (
            {"ctxfy": {"logging": {"level": "LOUD"}}},
            (
                "ctxfy.logging.level: input should be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or "
                "'CRITICAL'."
            ),
        ),
        (
            {"ctxfy": {"limits": {"key_rate": "many"}}},
            (
                "ctxfy.limits.key_rate: 'many' is no rate; write for example 600/minute (second, "
                "minute, hour, day)."
            ),
        ),
        (
            {"ctxfy": {}, "deployment": {"path": "/prompts"}},
            "deployment.path: input should be '/mcp' or '/mcp/'.",
        ),
        (
            {"ctxfy": {}, "deployment": {"transport": "stdio"}},
            "deployment.transport: input should be 'http' or 'streamable-http'.",
        ),
        (
            {"ctxfy": {}, "deployment": {"cwd": "/srv"}},
            "deployment.cwd is not taken by ctxfy; start ctxfy in that folder.",
        ),
        (
            {"ctxfy": {}, "deployment": {"env": {"A": "1"}}},
            (
                "deployment.env is not taken by ctxfy; put settings under 'ctxfy', and secrets "
                "into files or the environment."
            ),
        ),
        (
            {"ctxfy": {}, "deployment": {"args": ["-v"]}},
            "deployment.args is not taken by ctxfy; put settings under 'ctxfy'.",
        ),
        (
            {"ctxfy": {"server": {"port": 1}}, "deployment": {"port": 1}},
            "ctxfy.server.port and deployment.port are the same setting; keep one of them.",
        ),
        (
            {"ctxfy": {"auth": {"pepper": "hunter2"}}},
            (
                "ctxfy.auth.pepper holds a secret, and this file is one for git; set "
                "CTXFY_AUTH__PEPPER, or put it into /run/secrets/ctxfy_auth__pepper."
            ),
        ),
        (
            {"ctxfy": {"storage": {"url": "postgresql://ann:hunter2@db/x"}}},
            (
                "ctxfy.storage.url holds a secret, and this file is one for git; set "
                "CTXFY_STORAGE__URL, or put it into /run/secrets/ctxfy_storage__url."
            ),
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_place(content: dict[str, Any], sentence: str) -> None:
    """
    File, JSON path, and the nearest right name or the remedy; never a value that is a secret.
    """
    told = _refusal(content)
    assert told == f"fastmcp.json: {sentence}"
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"ctxfy": {\n  "server": {,}}}', "line 2, column 14 is not JSON ("),
        ("", "line 1, column 1 is not JSON ("),
        ('{"ctxfy": {"server": {"port": NaN}}}', "NaN is no JSON."),
        ('{"ctxfy": {"server": {}, "server": {}}}', "the key 'server' comes twice in one object."),
        ("[" * 200_000, "it is nested too deeply."),
        ('{"ctxfy": {"server": {"port": ' + "1" * 5_000 + "}}}", "Exceeds the limit"),
    ],
)
def test_a_file_that_is_no_json_stops_the_start(text: str, reason: str) -> None:
    """
    With line and column where there are.
    """
    assert _refusal(text).startswith(f"fastmcp.json cannot be read: {reason}")


def test_other_files_stop_the_start_too() -> None:
    """
    A list, one that is not UTF-8, a folder, and one that is too large.
    """
    assert _refusal([1]) == "fastmcp.json must hold a JSON object."
    Path("fastmcp.json").write_bytes(b'{"ctxfy": "\xff"}')
    with pytest.raises(ConfigurationError, match="it is not text in UTF-8"):
        load_settings()
    Path("fastmcp.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(ConfigurationError, match="is larger than 1000000 bytes"):
        load_settings()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_settings(file=Path())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_value_ends_in_anything_but_a_sentence(value: object) -> None:
    """
    Whatever stands where, it is taken or told.
    """
    told = 0
    for content in (
        value,
        {"ctxfy": value},
        {"ctxfy": {"server": value}},
        {"ctxfy": {"server": {"port": value}, "cors": {"origins": value}}},
        {"ctxfy": {}, "deployment": value},
        {"ctxfy": {}, "deployment": {"env": value, "host": value}},
    ):
        path = _write(content)
        try:
            read_fastmcp_file(path, setting_sections(), is_asked_for=True)
        except ConfigurationError as error:
            told += "fastmcp.json" in str(error)
    assert told >= 2


def test_every_setting_but_secrets_can_be_in_the_file() -> None:
    """
    With its default, which the schema allows; the schema knows no setting that there is not.
    """
    schema = fastmcp_schema()
    known = {
        (section, name)
        for section, part in schema["properties"]["ctxfy"]["properties"].items()
        for name in schema["$defs"][part["$ref"].rpartition("/")[2]]["properties"]
    }
    assert known == set(settings_in(setting_sections())) - SECRETS
    defaults = Settings().model_dump(mode="json")
    content = {
        "ctxfy": {
            section: {name: defaults[section][name] for place, name in known if place == section}
            for section in defaults
        }
    }
    jsonschema.Draft202012Validator(schema).validate(content)
    _write(content)
    assert load_settings() == Settings()


def test_fastmcp_s_fields_are_all_accounted_for() -> None:
    """
    Each field of FastMCP's models is taken, checked or refused; a new one makes this fail.
    """
    assert _keys(FastMcpFile) - {"ctxfy"} == _keys(MCPServerConfig)
    assert _keys(SourcePart) == _keys(FileSystemSource)
    assert _keys(EnvironmentPart) == _keys(UVEnvironment)
    assert _keys(DeploymentPart) | set(REFUSED) == _keys(Deployment)


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_the_file_of_this_project_serves_its_prompts() -> None:
    """
    FastMCP and ctxfy both read it, and its schema finds nothing wrong.
    """
    content = json.loads(ROOT_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(fastmcp_schema()).validate(content)
    assert load_settings(file=ROOT_FILE) == Settings()
    theirs = MCPServerConfig.from_file(ROOT_FILE)
    assert (ROOT_FILE.parent / theirs.source.path).is_file()
    assert theirs.deployment.transport == "http"
