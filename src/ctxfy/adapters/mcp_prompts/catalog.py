"""
The prompts in service: PromptCatalogPort over one reference that is replaced whole.
"""

from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.ports.prompt_ports import CatalogSnapshot
from ctxfy.core.use_cases.validation_use_cases import plural


class MemoryCatalog:
    """
    Holds the current snapshot. Replacing it is one assignment; readers keep what they took.

    Attributes:
        problems: What kept the newest state of the folder from being served; empty if nothing.
    """

    def __init__(self, snapshot: CatalogSnapshot) -> None:
        self._snapshot = snapshot
        self.problems: tuple[PromptProblem, ...] = ()

    def snapshot(self) -> CatalogSnapshot:
        """
        The set being served now. A request takes it once and keeps to it.
        """
        return self._snapshot

    def replace(self, snapshot: CatalogSnapshot) -> None:
        """
        Serve another set from now on.
        """
        self._snapshot = snapshot
        self.mend()

    def note(self, problems: tuple[PromptProblem, ...]) -> None:
        """
        Remember that the folder holds mistakes, and the old set is served on.
        """
        self.problems = problems

    def mend(self) -> None:
        """
        Remember that the folder is as good as what is served.
        """
        self.problems = ()


class CatalogProbe:
    """
    Tells which prompts are served, and warns if they are not the newest: HealthProbePort.
    """

    def __init__(self, catalog: MemoryCatalog) -> None:
        self._catalog = catalog

    async def check(self) -> CheckResult:
        """
        Look at the set in service.
        """
        snapshot, problems = self._catalog.snapshot(), self._catalog.problems
        served = f"Served: {plural(len(snapshot.catalog), 'prompt')}"
        mistakes = plural(len(problems), "problem")
        return CheckResult(
            name="prompts",
            status=HealthStatus.WARN if problems else HealthStatus.PASS,
            detail=f"{served}; the folder has changed since, and holds {mistakes}: {problems[0]}"
            if problems
            else served,
            figures={
                "prompts": len(snapshot.catalog),
                "revision": snapshot.catalog.revision,
                "loaded_at": snapshot.loaded_at.isoformat(timespec="seconds"),
            },
        )
