"""
The one way to execute a prompt, and the tests that prompt files bring along.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ctxfy.adapters.mcp_prompts.catalog import CatalogProbe, MemoryCatalog
from ctxfy.adapters.mcp_prompts.example_renderer import ExampleRenderer
from ctxfy.adapters.mcp_prompts.loader import FolderLoader
from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
from ctxfy.adapters.mcp_prompts.prompt_tests import run_prompt_tests
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.adapters.monitoring.null_metrics import NullMetrics
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.exceptions import InvalidArgumentsError, PromptNotFoundError, RenderError
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.prompt_models import PromptRequest
from tests.builders import NOW, load, make_principal, texts_of, write_files
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.unit.adapters.mcp_prompts.function_kit import TEAM, functions_of


FILES = {
    "a.prompt.md": "---\nversion: 1\n---\nOld",
    "a2.prompt.md": "---\nname: a\nversion: 2\nmodel: m\narguments:\n"
    "  x: {enum: [u, v], required: true}\n"
    "metrics: {count_by: [x]}\n---\nNew {{ x }}{% if x == 'v' %}{{ x.y }}{% endif %}",
    "b.prompt.md": "---\nscope: admin\n---\nSecret",
}


@dataclass(slots=True)
class NotingMetrics(NullMetrics):
    """
    Notes what was counted.
    """

    notes: list[object] = field(default_factory=list[object])

    def record_prompt_execution(
        self,
        template_id: str,
        latency_ms: float,
        success: bool,
        *,
        version: str = "",
        model: str | None = None,
        outcome: str = "",
    ) -> None:
        """
        Note an execution.
        """
        self.notes.append((template_id, version, model, outcome, success))


@pytest.fixture
def metrics() -> NotingMetrics:
    """
    Metrics to look at.
    """
    return NotingMetrics()


@pytest.fixture
def service(tmp_path: Path, metrics: NotingMetrics) -> PromptService:
    """
    A service over three small prompts.
    """
    return PromptService(
        MemoryCatalog(load(write_files(tmp_path, FILES))),
        SchemaValidator(),
        logging=NullLogging(),
        metrics=metrics,
        tracer=NullTracer(),
        monotonic=lambda: 0.0,
        default_model="d",
    )


async def test_execute(service: PromptService, metrics: NotingMetrics) -> None:
    """
    The highest version is rendered, with its provenance, and counted.
    """
    request = PromptRequest(name="a", arguments={"x": "u"})
    rendered = await service.execute(request, make_principal())
    assert texts_of(rendered.messages) == ["New u"]
    assert (rendered.template.version, rendered.model) == ("2", "m")
    assert metrics.notes == [("a", "2", "m", "ok", True)]


async def test_pinned_version(service: PromptService, metrics: NotingMetrics) -> None:
    """
    An older version is rendered when it is named, and counted under the default model.
    """
    request = PromptRequest(name="a", arguments={}, version="1")
    assert texts_of((await service.execute(request, make_principal())).messages) == ["Old"]
    assert metrics.notes == [("a", "1", "d", "ok", True)]


async def test_invalid_and_failed(service: PromptService, metrics: NotingMetrics) -> None:
    """
    Wrong arguments and failing templates are raised as such, and counted as such.
    """
    with pytest.raises(InvalidArgumentsError, match="'x' must be one of: u, v"):
        await service.execute(PromptRequest(name="a", arguments={"x": "q"}), make_principal())
    with pytest.raises(RenderError, match="its template failed") as caught:
        await service.execute(PromptRequest(name="a", arguments={"x": "v"}), make_principal())
    assert caught.value.place == "a2.prompt.md:9"
    assert metrics.notes == [("a", "2", "m", "invalid", False), ("a", "2", "m", "failed", False)]


@pytest.mark.parametrize("name", ["b", "gone"])
async def test_invisible(service: PromptService, metrics: NotingMetrics, name: str) -> None:
    """
    What a key may not use is answered like what does not exist, at every door, and not counted.
    """
    who = make_principal()
    for ask in (service.get_prompt, lambda name, who: service.complete(name, "x", "", who)):
        with pytest.raises(PromptNotFoundError) as caught:
            ask(name, who)
        assert str(caught.value).startswith(f"Unknown prompt: '{name}'")
    with pytest.raises(PromptNotFoundError):
        await service.execute(PromptRequest(name=name, arguments={}), who)
    assert metrics.notes == []
    assert service.list_versions(name, who) == ()


def test_queries(service: PromptService) -> None:
    """
    Lists, versions and completions hold what the caller may use.
    """
    who = make_principal()
    assert [item.name for item in service.list_prompts(who)] == ["a"]
    assert len(service.list_prompts(make_principal(Scope.ADMIN))) == 2
    assert [item.version for item in service.list_versions("a", who)] == ["2", "1"]
    assert service.get_prompt("a", who, "1").version == "1"
    assert service.complete("a", "x", "", who) == ("u", "v")


async def test_catalog(tmp_path: Path) -> None:
    """
    A replaced catalog serves from then on, and what was taken before stays as it was.
    """
    first = load(write_files(tmp_path, FILES))
    catalog = MemoryCatalog(first)
    taken = catalog.snapshot()
    write_files(tmp_path, {"c.prompt.md": "---\nversion: 1\n---\nMore"})
    catalog.replace(load(tmp_path))
    assert (len(taken.catalog), len(catalog.snapshot().catalog)) == (2, 3)
    assert (await CatalogProbe(catalog).check()).figures["prompts"] == 3


def test_prompt_tests(tmp_path: Path) -> None:
    """
    A failing test of a prompt file is told with its file, line, name and reason.
    """
    tests = (
        "tests:\n  - {arguments: {x: u}, expect: {contains: [u]}}\n"
        "  - {name: n, arguments: {x: u}, expect: {contains: [q]}}\n"
        "  - {arguments: {x: q}, expect: {}}\n"
        "  - {arguments: {x: u}, error: {code: missing}}\n"
        "  - {arguments: {x: v}, expect: {}}\n"
    )
    text = FILES["a2.prompt.md"].replace("---\nNew", f"{tests}---\nNew")
    snapshot = load(write_files(tmp_path, {"a.prompt.md": text}))
    places: list[str] = []
    report = run_prompt_tests(snapshot, SchemaValidator(), places.append)
    assert places == [f"a.prompt.md:{line}" for line in range(9, 14)]
    assert report.count == 5
    failure = (
        "Prompt 'a' could not be rendered: its template failed (an undefined value). "
        "`x.y` is undefined (at a.prompt.md:15)"
    )
    assert [str(problem) for problem in report.problems] == [
        "a.prompt.md:10: test 'n' failed: expected the text 'q'",
        "a.prompt.md:11: the test failed: Argument 'x' must be one of: u, v.",
        "a.prompt.md:12: the test failed: expected the error missing, got none",
        f"a.prompt.md:13: the test failed: {failure}",
    ]


def catalog_with_functions(folder: Path, seconds: float) -> MemoryCatalog:
    """
    Prompts of a module, each call of which may take so long, beside the three small ones.
    """
    loader = FolderLoader(
        write_files(folder / "prompts", FILES),
        engine=MiniJinjaEngine(),
        validator=SchemaValidator(),
        now=lambda: NOW,
        functions=functions_of(folder, TEAM, seconds=seconds).values(),
    )
    return MemoryCatalog(loader.load())


def service_over(
    catalog: MemoryCatalog, metrics: NotingMetrics
) -> tuple[PromptService, RecordingLogging]:
    """
    A service, and what it logs.
    """
    logging = RecordingLogging()
    service = PromptService(
        catalog,
        SchemaValidator(),
        logging=logging,
        metrics=metrics,
        tracer=NullTracer(),
        monotonic=lambda: 0.0,
        default_model="d",
    )
    return service, logging


@pytest.fixture
def function_service(
    tmp_path: Path, metrics: NotingMetrics
) -> tuple[PromptService, RecordingLogging]:
    """
    A service over functions that have all the time they need, and what it logs.
    """
    return service_over(catalog_with_functions(tmp_path, seconds=60), metrics)


async def test_a_function_is_executed_like_a_file(
    function_service: tuple[PromptService, RecordingLogging], metrics: NotingMetrics
) -> None:
    """
    Counted under its version and model, with its provenance and what it says of its answer.
    """
    service, _ = function_service
    request = PromptRequest(name="plan", arguments={"person": "Ada"})
    rendered = await service.execute(request, make_principal())
    assert (rendered.description, dict(rendered.meta)) == ("A plan for Ada", {"by": "hand"})
    assert (rendered.template.version, rendered.model) == ("2.0", "some-model")
    assert metrics.notes == [("plan", "2.0", "some-model", "ok", True)]
    assert service.complete("plan", "style", "b", make_principal()) == ("busy",)


async def test_what_a_function_refuses_is_told_with_all_else(
    function_service: tuple[PromptService, RecordingLogging], metrics: NotingMetrics
) -> None:
    """
    In the order of the arguments, and nothing is called.
    """
    service, logging = function_service
    wrong = {"start": "soon", "days": "0", "zzz": "1"}
    with pytest.raises(InvalidArgumentsError) as caught:
        await service.execute(PromptRequest(name="plan", arguments=wrong), make_principal())
    found = [(error.field, str(error.code)) for error in caught.value.result.errors]
    assert found == [
        ("person", "missing"),
        ("days", "out_of_range"),
        ("start", "wrong_type"),
        ("zzz", "unknown"),
    ]
    assert metrics.notes == [("plan", "2.0", "some-model", "invalid", False)]
    assert logging.errors == []


async def test_a_failed_function_is_logged_with_its_exception(
    function_service: tuple[PromptService, RecordingLogging], metrics: NotingMetrics
) -> None:
    """
    And with the prompt it is of; the request's line has the reason.
    """
    service, logging = function_service
    with pytest.raises(RenderError, match="its function failed"):
        await service.execute(PromptRequest(name="fail", arguments={"word": "w"}), make_principal())
    ((_, error, context),) = logging.errors
    assert (type(error), context["prompt"]) == (RuntimeError, "fail")
    assert logging.facts["render_failure"] == "function"
    assert metrics.notes == [("fail", "1", "d", "failed", False)]


async def test_a_function_that_is_too_slow_has_a_reason_and_no_stack(
    tmp_path: Path, metrics: NotingMetrics
) -> None:
    """
    It counts as failed; there is no exception that would tell more.
    """
    service, logging = service_over(catalog_with_functions(tmp_path, seconds=0.01), metrics)
    with pytest.raises(RenderError, match=r"took longer than 0\.01 seconds"):
        await service.execute(PromptRequest(name="sleep_async", arguments={}), make_principal())
    assert logging.facts["render_failure"] == "time"
    assert logging.errors == []
    assert metrics.notes == [("sleep_async", "1", "d", "failed", False)]


def test_examples_of_functions_are_not_made(tmp_path: Path) -> None:
    """
    A document must not call what may do more than make text.
    """
    catalog = catalog_with_functions(tmp_path, seconds=60)
    template = catalog.snapshot().catalog.find("who")
    assert template is not None
    assert ExampleRenderer(catalog, SchemaValidator(), None).execution(template, {}) is None
