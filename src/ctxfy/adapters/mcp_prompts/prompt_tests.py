"""
The tests inside prompt files, run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ctxfy.core.exceptions import RenderError
from ctxfy.core.models.prompt_models import PromptProblem, PromptTemplate, PromptTest
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort, CatalogSnapshot
from ctxfy.core.use_cases.prompt_use_cases import assess_refusal, assess_rendering
from ctxfy.core.use_cases.validation_use_cases import thaw


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """
    How many tests ran, and what failed.
    """

    count: int
    problems: tuple[PromptProblem, ...]


def run_prompt_tests(
    snapshot: CatalogSnapshot,
    validator: ArgumentValidatorPort,
    announce: Callable[[str], None] = lambda _place: None,
) -> TestReport:
    """
    Run every test of every prompt. `announce` is told the place of each before it starts.
    """
    problems: list[PromptProblem] = []
    count = 0
    for template in snapshot.catalog.templates:
        for test in template.tests:
            count += 1
            announce(f"{template.source}:{test.line}")
            problems += (
                PromptProblem(
                    path=template.source,
                    line=test.line,
                    message=f"test {test.name!r} failed: {complaint}"
                    if test.name
                    else f"the test failed: {complaint}",
                )
                for complaint in _run(snapshot, validator, template, test)
            )
    return TestReport(count=count, problems=tuple(problems))


def _run(
    snapshot: CatalogSnapshot,
    validator: ArgumentValidatorPort,
    template: PromptTemplate,
    test: PromptTest,
) -> tuple[str, ...]:
    raw = {name: thaw(value) for name, value in test.arguments.items()}
    outcome = validator.validate(template, raw)
    if test.error is not None:
        return assess_refusal(test.error, outcome.result)
    if not outcome.result.is_valid:
        return tuple(error.message for error in outcome.result.errors)
    try:
        messages = snapshot.compiled[template.name, template.version].render(outcome.values)
    except RenderError as error:
        return (error.for_author(),)
    return assess_rendering(test.expect, messages) if test.expect else ()
