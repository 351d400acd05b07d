"""
Assignments by which the type checkers prove that adapters and fakes conform to their ports.

Checked by mypy and basedpyright, never run.
"""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from ctxfy.adapters.audit.audit_probe import AuditProbe
    from ctxfy.adapters.audit.trail_watch import TrailWatch
    from ctxfy.adapters.auth.api_key_service import ApiKeyService
    from ctxfy.adapters.auth.issuer_keys import IssuerKeys
    from ctxfy.adapters.auth.key_material import HmacKeyMaterial
    from ctxfy.adapters.auth.key_usage import KeyUsage
    from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter, NoRateLimiter
    from ctxfy.adapters.auth.valkey_rate_limiter import SharedLimitsProbe, ValkeyRateLimiter
    from ctxfy.adapters.container.key_set_file import KeySetFile
    from ctxfy.adapters.mcp_prompts.catalog import CatalogProbe, MemoryCatalog
    from ctxfy.adapters.mcp_prompts.function_prompts import ModuleFunction
    from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
    from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine, MiniJinjaPrompt
    from ctxfy.adapters.monitoring.judged_probe import JudgedProbe
    from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics
    from ctxfy.adapters.monitoring.null_logging import NullLogging
    from ctxfy.adapters.monitoring.null_metrics import NullMetrics
    from ctxfy.adapters.monitoring.null_tracer import NullTracer
    from ctxfy.adapters.monitoring.structured_logger import StructuredLogger
    from ctxfy.adapters.monitoring.tracer import Tracer
    from ctxfy.adapters.remote_server.key_set import RemoteKeySet
    from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
    from ctxfy.adapters.storage.audit_proofs import AuditProofs
    from ctxfy.adapters.storage.audit_reader import AuditReader
    from ctxfy.adapters.storage.audit_trail import AuditTrail
    from ctxfy.adapters.storage.null_watcher import NullAuditWatcher
    from ctxfy.adapters.storage.person_directory import SqlPersonDirectory
    from ctxfy.adapters.storage.person_store import SqlPersonStore
    from ctxfy.adapters.storage.retention import Retention
    from ctxfy.adapters.storage.session_store import SqlSessionStore
    from ctxfy.adapters.storage.storage_probe import StorageProbe
    from ctxfy.adapters.storage.usage_store import SqlUsageStore
    from ctxfy.adapters.validation.schema_validator import SchemaValidator
    from ctxfy.core.ports.audit_ports import (
        AuditProofPort,
        AuditQueryPort,
        AuditWatcherPort,
        AuditWriterPort,
        PersonStorePort,
        RetentionPort,
    )
    from ctxfy.core.ports.auth_ports import (
        ApiKeyStorePort,
        AuthCommandPort,
        AuthQueryPort,
        KeyMaterialPort,
        KeySetSourcePort,
        PersonDirectoryPort,
        RateLimiterPort,
        SessionStorePort,
    )
    from ctxfy.core.ports.monitoring_ports import (
        HealthProbePort,
        LoggingPort,
        MetricsPort,
        TracerPort,
    )
    from ctxfy.core.ports.prompt_ports import (
        ArgumentValidatorPort,
        CompiledPromptPort,
        PromptCatalogPort,
        PromptCommandPort,
        PromptFunctionPort,
        PromptQueryPort,
        TemplateEnginePort,
    )
    from ctxfy.core.ports.usage_ports import KeyUsagePort, UsageStorePort
    from tests.fakes.audit_fakes import (
        FakeAuditQuery,
        FakeAuditTrail,
        FakeAuditWatcher,
        FakePersonStore,
    )
    from tests.fakes.auth_fakes import (
        FakeApiKeyStore,
        FakeKeySetSource,
        FakePersonDirectory,
        FakeSessionStore,
    )
    from tests.fakes.usage_fakes import FakeUsageStore

    def prompts(
        service: PromptService,
        validator: SchemaValidator,
        engine: MiniJinjaEngine,
        prompt: MiniJinjaPrompt,
        function: ModuleFunction,
        catalog: MemoryCatalog,
    ) -> None:
        """
        Prove what the ports about prompts are implemented by.
        """
        _command: PromptCommandPort = service
        _query: PromptQueryPort = service
        _validator: ArgumentValidatorPort = validator
        _engine: TemplateEnginePort = engine
        _function: PromptFunctionPort = function
        _prompt: CompiledPromptPort = prompt
        _catalog: PromptCatalogPort = catalog

    def keys(
        service: ApiKeyService,
        material: HmacKeyMaterial,
        store: SqlApiKeyStore,
        fake: FakeApiKeyStore,
    ) -> None:
        """
        Prove what the ports about keys are implemented by.
        """
        _command: AuthCommandPort = service
        _query: AuthQueryPort = service
        _material: KeyMaterialPort = material
        _stores: list[ApiKeyStorePort] = [store, fake]

    def tokens(
        remote: RemoteKeySet,
        file: KeySetFile,
        fake_source: FakeKeySetSource,
        people: SqlPersonDirectory,
        fake_people: FakePersonDirectory,
        keys: IssuerKeys,
    ) -> None:
        """
        Prove what the ports about tokens are implemented by.
        """
        _sources: list[KeySetSourcePort] = [remote, file, fake_source]
        _directories: list[PersonDirectoryPort] = [people, fake_people]
        _probe: HealthProbePort = keys

    def usage(store: SqlUsageStore, fake: FakeUsageStore, counter: KeyUsage) -> None:
        """
        Prove what the ports about usage are implemented by.
        """
        _stores: list[UsageStorePort] = [store, fake]
        _counter: KeyUsagePort = counter

    def sessions(store: SqlSessionStore, fake: FakeSessionStore) -> None:
        """
        Prove what the port about sessions is implemented by.
        """
        _stores: list[SessionStorePort] = [store, fake]

    def audit(
        trail: AuditTrail,
        fake: FakeAuditTrail,
        reader: AuditReader,
        fake_query: FakeAuditQuery,
        proofs: AuditProofs,
    ) -> None:
        """
        Prove what the ports about the audit trail are implemented by.
        """
        _trails: list[AuditWriterPort] = [trail, fake]
        _queries: list[AuditQueryPort] = [reader, fake_query]
        _proof: AuditProofPort = proofs

    def people(store: SqlPersonStore, fake: FakePersonStore) -> None:
        """
        Prove what the port about people is implemented by.
        """
        _stores: list[PersonStorePort] = [store, fake]

    def retention(pruning: Retention) -> None:
        """
        Prove what the port about periods is implemented by.
        """
        _retention: RetentionPort = pruning

    def audit_watching(
        watch: TrailWatch, no_watch: NullAuditWatcher, fake: FakeAuditWatcher, probe: AuditProbe
    ) -> None:
        """
        Prove what the port about watching the audit trail is implemented by.
        """
        _watchers: list[AuditWatcherPort] = [watch, no_watch, fake]
        _probe: HealthProbePort = probe

    def limits(
        memory: MemoryRateLimiter,
        none: NoRateLimiter,
        shared: ValkeyRateLimiter,
        probe: SharedLimitsProbe,
    ) -> None:
        """
        Prove what the port about limits is implemented by.
        """
        _limiters: list[RateLimiterPort] = [memory, none, shared]
        _probe: HealthProbePort = probe

    def monitoring(
        logger: StructuredLogger,
        no_logger: NullLogging,
        metrics: PrometheusMetrics,
        no_metrics: NullMetrics,
        storage: StorageProbe,
        catalog: CatalogProbe,
        judged: JudgedProbe,
    ) -> None:
        """
        Prove what the ports about monitoring are implemented by.
        """
        _loggers: list[LoggingPort] = [logger, no_logger]
        _metrics: list[MetricsPort] = [metrics, no_metrics]
        _probes: list[HealthProbePort] = [storage, catalog, judged]

    def traces(tracer: Tracer, no_tracer: NullTracer) -> None:
        """
        Prove what the port about traces is implemented by.
        """
        _tracers: list[TracerPort] = [tracer, no_tracer]
