"""
`ctxfy config`: what is set and by whom, and the schema of fastmcp.json.
"""

import json

from ctxfy.app.config_report import fastmcp_schema
from tests.integration.app.cli_kit import Shell


def test_config_show_tells_every_setting_and_its_source(ctxfy: Shell) -> None:
    """
    As `serve` with the same options would have it; secrets never show.
    """
    ctxfy.set("CTXFY_AUTH__PEPPER", "hunter2")
    ctxfy.set("CTXFY_SERVER__PORT", "9001")
    (ctxfy.folder / "other.json").write_text('{"ctxfy": {"llm": {"default_model": "some-model"}}}')
    options = ("config", "show", "--config", "other.json", "--host", "::1", "--log-level", "debug")
    shown = ctxfy(*options)
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.out.splitlines()}
    assert lines["server.host"] == '"::1"  [command line]'
    assert lines["server.port"] == "9001  [environment: CTXFY_SERVER__PORT]"
    assert lines["logging.level"] == '"DEBUG"  [command line]'
    assert lines["auth.pepper"] == '"[redacted]"  [environment: CTXFY_AUTH__PEPPER]'
    assert lines["llm.default_model"] == '"some-model"  [other.json: ctxfy.llm.default_model]'
    assert lines["auth.key_file"] == "not set  [default]"
    told = {item["name"]: item for item in ctxfy(*options, "--json").json()}
    assert told.keys() == lines.keys()
    assert told["server.port"] == {
        "name": "server.port",
        "variable": "CTXFY_SERVER__PORT",
        "value": 9001,
        "source": "environment",
        "place": "CTXFY_SERVER__PORT",
    }
    assert "hunter2" not in shown.out + json.dumps(told)


def test_a_wrong_file_stops_every_command(ctxfy: Shell) -> None:
    """
    With one sentence that names the file and the place in it.
    """
    (ctxfy.folder / "fastmcp.json").write_text('{"ctxfy": {"server": {"prot": 1}}}')
    for words in (("config", "show"), ("check",), ("keys", "list"), ("serve", "--port", "0")):
        assert ctxfy.fails(*words) == (
            "fastmcp.json: ctxfy.server.prot is not known; did you mean 'port'?"
        )


def test_config_schema_writes_the_schema(ctxfy: Shell) -> None:
    """
    The same that lies in the package, for editors.
    """
    assert ctxfy("config", "schema").json() == fastmcp_schema()
