"""
Metrics of prompts: which are served, what became of executions, and what their authors count.
"""

from collections.abc import Mapping
from datetime import datetime

from ctxfy.adapters.monitoring.metric_factory import MetricFactory
from ctxfy.adapters.monitoring.worker_figures import Together


RELOADS_IN_SERVICE = frozenset({"changed", "unchanged"})
"""
Outcomes after which what is served is what the folder holds.
"""


class PromptMetrics:
    """
    The catalog and its use.

    Attributes:
        validation_failures: By prompt and code.
    """

    def __init__(self, make: MetricFactory) -> None:
        self._make_catalog(make)
        self._executions = make.loop_counter(
            "ctxfy_prompt_executions", "Prompts executed", "prompt", "version", "model", "outcome"
        )
        self._execution_seconds = make.loop_times(
            "ctxfy_prompt_execution_duration_seconds", "Time to execute a prompt", "prompt"
        )
        self.validation_failures = make.counter(
            "ctxfy_prompt_validation_failures", "Mistakes in arguments", "prompt", "code"
        )
        self._counts = make.counter(
            "ctxfy_prompt_counts",
            "Executions by the enum arguments that the prompt's author named",
            "prompt",
            "argument",
            "value",
        )
        self._business = make.counter(
            "ctxfy_business_events",
            "What prompt functions count, by itself and by each label",
            "event",
            "label",
            "value",
        )

    def record_execution(
        self, prompt: str, seconds: float, *, version: str, model: str | None, outcome: str
    ) -> None:
        """
        Count one execution.
        """
        self._executions.of(prompt, version, model, outcome).inc()
        self._execution_seconds.of(prompt).observe(seconds)

    def record_count(self, prompt: str, labels: Mapping[str, str]) -> None:
        """
        Count by enum arguments; each argument is a count of its own.
        """
        for argument, value in labels.items():
            self._counts.of(prompt, argument, value).inc()

    def record_business_event(self, event: str, amount: float, labels: Mapping[str, str]) -> None:
        """
        Count once by itself and once by each label.
        """
        if amount > 0:
            for label, value in ((None, None), *labels.items()):
                self._business.of(event, label, value).inc(amount)

    def record_catalog(self, prompts: int, revision: str, loaded_at: datetime) -> None:
        """
        Set what is served, and since when; the revision before is forgotten.
        """
        self._loaded.set(loaded_at.timestamp())
        self._newest.set(1)
        self._prompts.set(prompts)
        self._catalog.info({"revision": revision})

    def record_reload(self, outcome: str) -> None:
        """
        Count an attempt to reload the prompts.
        """
        self._reloads.of(outcome).inc()
        self._newest.set(outcome in RELOADS_IN_SERVICE)

    def _make_catalog(self, make: MetricFactory) -> None:
        self._prompts = make.gauge(
            "ctxfy_catalog_prompts", "Prompts served", together=Together.LEAST
        )
        self._catalog = make.info("ctxfy_catalog", "The catalog served")
        self._loaded = make.gauge(
            "ctxfy_catalog_loaded_timestamp_seconds",
            "When the prompts served were loaded",
            together=Together.LEAST,
        )
        self._newest = make.gauge(
            "ctxfy_catalog_is_newest",
            "1 while the prompts served are those of the folder, 0 after a change that is refused",
            together=Together.LEAST,
        )
        self._reloads = make.counter(
            "ctxfy_catalog_reloads", "Attempts to reload the prompts", "outcome"
        )
        for outcome in (*RELOADS_IN_SERVICE, "refused", "failed"):
            self._reloads.of(outcome)  # from the start, so that the first is an increase
