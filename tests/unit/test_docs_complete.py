"""
The documentation has everything the code has, and its links lead somewhere.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # only basedpyright has stubs for it
import pytest
from cyclopts import App

from ctxfy.adapters.mcp_prompts.prompt_file import is_prompt_file, split_front_matter
from ctxfy.adapters.mcp_prompts.yaml_source import read_yaml
from ctxfy.app import cli
from ctxfy.app.config import setting_names
from ctxfy.app.routes import route_policies
from ctxfy.core.models.auth_models import DenialReason
from ctxfy.core.models.validation_models import ErrorCode
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS
from scripts import reference


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
SECURITY_PAGES = (
    "explanation/threat-model.md",
    "reference/owasp-api-top-10.md",
    "reference/nist-csf.md",
)
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = sorted(
    page
    for folder in (ROOT, ROOT / "prompts", ROOT / "changelog.d", *DOCS.rglob(""))
    for page in folder.glob("*.md")
)
PROMPT_FILES = sorted(path for path in (ROOT / "prompts").rglob("*") if is_prompt_file(path.name))
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```+|~~~+).*?^\1\s*$", re.DOTALL | re.MULTILINE)


def text_of(page: str) -> str:
    """
    Read a page of the reference.
    """
    return (REFERENCE / page).read_text(encoding="utf-8")


def first_cells(page: str) -> set[str]:
    """
    List what stands between backquotes in the first cells of a page's tables.
    """
    rows = re.findall(r"^\| (.*?) \|", text_of(page), re.MULTILINE)
    return {word for cell in rows for word in re.findall(r"`([^`]+)`", cell)}


def commands_of(app: App, path: tuple[str, ...] = ("ctxfy",)) -> Iterator[tuple[str, App]]:
    """
    List the commands that do something, with the words to call them by.
    """
    for name in app:
        if name.startswith("-"):
            continue
        command = app[name]
        if command.default_command is None:
            yield from commands_of(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def short_name(path: Path) -> str:
    """
    Name a file in the output of pytest.
    """
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("path", "text"), list(reference.fresh_files()), ids=lambda each: each[:40]
)
def test_generated_files_are_up_to_date(path: str, text: str) -> None:
    """
    What scripts/reference.py writes is what stands in the files; run it if this fails.
    """
    assert (ROOT / path).read_text(encoding="utf-8") == text


def test_every_setting_is_documented() -> None:
    """
    Each environment variable has a row in the reference and a line in .env.example.
    """
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(setting_names()) <= first_cells("configuration.md")
    assert set(setting_names()) == set(re.findall(r"^#(CTXFY_\w+)=", example, re.MULTILINE))


def test_every_metric_is_documented() -> None:
    """
    Each metric that is exported has a row, and so has each of its labels.
    """
    metrics = reference.own_metrics()
    assert {name for name, *_ in metrics} <= first_cells("metrics.md")
    for _, _, labels, _ in metrics:
        assert all(f"`{label}`" in text_of("metrics.md") for label in labels)


def test_every_error_is_documented() -> None:
    """
    Each class of the tree has a row with its code.
    """
    assert {kind.code for kind in reference.error_kinds()} <= first_cells("errors.md")


def test_every_port_is_documented() -> None:
    """
    Each port of the core has a row with all its methods, and so has each setting of an address.
    """
    found = {kind for _, kind in reference.ports()}
    assert len(found) > 20
    page = text_of("ports.md")
    for kind in found:
        assert kind.__name__ in first_cells("ports.md")
        assert all(f"`{name}`" in page for name in vars(kind) if not name.startswith("_"))
    addresses = {name for name in setting_names() if re.search("(_PORT|_URL)$", name)}
    assert addresses <= set(re.findall(r"`(CTXFY_\w+)`", page))


def test_every_mistake_in_arguments_is_documented() -> None:
    """
    The codes of mistakes stand with the prompt file, where authors look for them.
    """
    assert all(f"`{code}`" in text_of("prompt-file.md") for code in ErrorCode)


def test_every_reason_to_refuse_is_documented() -> None:
    """
    Each reason of a denial is told as a label, and in the guide for those who meet it.
    """
    guide = (DOCS / "how-to" / "troubleshoot.md").read_text(encoding="utf-8")
    of_credentials = set(DenialReason) - {DenialReason.SCOPE, DenialReason.NARROWED}
    assert all(f"`{reason}`" in text_of("metrics.md") for reason in DenialReason)
    assert all(f"`{reason}`" in guide for reason in of_credentials)


def test_every_required_log_field_is_documented() -> None:
    """
    The fields that every line holds stand in the reference, in their order.
    """
    rows = re.findall(r"^\| `(\w+)`", text_of("log-fields.md"), re.MULTILINE)
    assert tuple(rows[: len(REQUIRED_LOG_FIELDS)]) == REQUIRED_LOG_FIELDS


def test_every_command_is_documented() -> None:
    """
    Each command has a section with all its options, and each section a command.
    """
    commands = dict(commands_of(cli.app))
    sections = re.split(r"^## ", text_of("cli.md"), flags=re.MULTILINE)[1:]
    told = {section.partition("\n")[0]: section for section in sections}
    assert told.keys() == commands.keys()
    for name, command in commands.items():
        for option in options_of(command):
            assert f"`{option}`" in told[name], f"{name} {option}"


def options_of(command: App) -> set[str]:
    """
    List the long options of a command that cannot be given by position.
    """
    return {
        name
        for argument in command.assemble_argument_collection()
        for name in argument.names
        if name.startswith("--") and argument.field_info.is_keyword_only
    }


@pytest.mark.parametrize("public", [True, False])
def test_every_route_is_documented(public: bool) -> None:
    """
    Each path of the table of routes is in the reference, however metrics are set.
    """
    policies = route_policies(public_metrics=public, tokens=True)
    assert all(f"`{policy.path}`" in text_of("http.md") for policy in policies)


def known_tests() -> set[str]:
    """
    Name every test function and every file of tests.
    """
    files = list((ROOT / "tests").rglob("test_*.py"))
    functions = {
        name
        for file in files
        for name in re.findall(
            r"^ *(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    return functions | {file.name.removesuffix(".py") for file in files}


@pytest.mark.parametrize("page", SECURITY_PAGES)
def test_every_test_that_a_page_about_security_names_is_there(page: str) -> None:
    """
    A defence is shown by a test that can be run, and every row of a table of risks has one.
    """
    text = (DOCS / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named
    assert named <= known_tests()
    rows = re.findall(r"^\| (?:B[0-9]|API[0-9]+) .*$", text, re.MULTILINE)
    assert [row for row in rows if "`test_" not in row] == []


def test_the_pages_about_security_have_every_risk() -> None:
    """
    Ten of OWASP, six functions of NIST, and each letter of STRIDE at the border to strangers.
    """
    model, owasp, nist = ((DOCS / page).read_text(encoding="utf-8") for page in SECURITY_PAGES)
    found = re.findall(r"^\| (API[0-9]+) ", owasp, re.MULTILINE)
    assert found == [f"API{number}" for number in range(1, 11)]
    functions = re.findall(r"^## (\w+)$", nist, re.MULTILINE)
    assert functions == ["Govern", "Identify", "Protect", "Detect", "Respond", "Recover"]
    assert set(re.findall(r"^\| B1 \| ([STRIDE]) ", model, re.MULTILINE)) == set("STRIDE")


def test_every_decision_is_in_the_index() -> None:
    """
    The index names every record once, and the numbers have no gap.
    """
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([0-9]{4}-[a-z0-9-]+\.md)\)", index)
    assert linked == [path.name for path in DECISIONS]
    assert [int(name[:4]) for name in linked] == list(range(1, len(linked) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=short_name)
def test_a_decision_has_its_parts(path: Path) -> None:
    """
    A record says its status, what was decided and why, what else there was, and what holds it.
    """
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    wanted = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
    assert text.startswith(f"# {path.name[:4]}. ")
    assert "\nStatus: " in text
    assert headings == wanted


@pytest.mark.parametrize("page", PAGES, ids=short_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """
    A link without a scheme names a file that is there.
    """
    links = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    relative = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in relative if link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("path", PROMPT_FILES, ids=short_name)
def test_every_prompt_is_in_the_table_of_its_folder(path: Path) -> None:
    """
    Whoever opens the folder of prompts reads what each is for.
    """
    text = path.read_text(encoding="utf-8")
    keys = split_front_matter(text)[0] if path.suffix == ".md" else text
    data: Any = read_yaml(keys).data
    name = data.get("name", path.name.partition(".")[0])
    assert f"\n| `{name}` |" in (ROOT / "prompts" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PROMPT_FILES, ids=short_name)
def test_the_schema_takes_every_prompt(path: Path) -> None:
    """
    The JSON Schema for editors finds nothing wrong in the prompts that are served here.
    """
    text = path.read_text(encoding="utf-8")
    keys = split_front_matter(text)[0] if path.suffix == ".md" else text
    data: Any = read_yaml(keys).data
    assert list(schema_validator().iter_errors(data)) == []


@pytest.mark.parametrize(
    "keys",
    [
        {"descripton": "a typing error"},
        {"arguments": {"a-name": {}}},
        {"arguments": {"name": {"type": "text"}}},
        {"scope": "everything"},
        {"name": "has blanks"},
        {"messages": []},
    ],
)
def test_the_schema_refuses_mistakes(keys: dict[str, Any]) -> None:
    """
    An editor underlines what the loader would refuse.
    """
    assert not schema_validator().is_valid(keys)


def schema_validator() -> jsonschema.Draft202012Validator:
    """
    Read the published schema.
    """
    schema = json.loads((ROOT / reference.SCHEMA_FILE).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
