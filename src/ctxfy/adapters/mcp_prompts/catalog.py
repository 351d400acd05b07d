"""
The prompts in service: PromptCatalogPort over one reference that is replaced whole.
"""

from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.ports.prompt_ports import CatalogSnapshot, PromptCatalogPort
from ctxfy.core.use_cases.validation_use_cases import plural


class MemoryCatalog:
    """
    Holds the current snapshot. Replacing it is one assignment; readers keep what they took.
    """

    def __init__(self, snapshot: CatalogSnapshot) -> None:
        self._snapshot = snapshot

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


class CatalogProbe:
    """
    Tells which prompts are served: HealthProbePort.
    """

    def __init__(self, catalog: PromptCatalogPort) -> None:
        self._catalog = catalog

    async def check(self) -> CheckResult:
        """
        Look at the set in service.
        """
        snapshot = self._catalog.snapshot()
        return CheckResult(
            name="prompts",
            status=HealthStatus.PASS,
            detail=f"Served: {plural(len(snapshot.catalog), 'prompt')}.",
            figures={
                "prompts": len(snapshot.catalog),
                "revision": snapshot.catalog.revision,
                "loaded_at": snapshot.loaded_at.isoformat(timespec="seconds"),
            },
        )
