"""
The inner parts put together: logging, the driven adapters, and the shells on them.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

from ctxfy import __version__
from ctxfy.adapters.audit.audit_service import AuditService
from ctxfy.adapters.audit.privacy_service import PrivacyService
from ctxfy.adapters.audit.refusal_fold import RefusalFold
from ctxfy.adapters.audit.retention_service import RetentionService
from ctxfy.adapters.audit.trail_verification import TrailVerification
from ctxfy.adapters.audit.trail_watch import TrailWatch
from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.key_cache import KeyCache
from ctxfy.adapters.auth.key_usage import KeyUsage
from ctxfy.adapters.auth.key_watch import KeyWatch
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.adapters.container.secrets import ServerSecrets
from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.adapters.mcp_prompts.listeners import PromptListeners
from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
from ctxfy.adapters.mcp_prompts.reloader import Reloader
from ctxfy.adapters.monitoring.level_service import LevelService
from ctxfy.adapters.monitoring.log_levels import FLOORS
from ctxfy.adapters.monitoring.log_queue import LineQueue
from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics, new_registry
from ctxfy.adapters.monitoring.metrics_endpoint import metrics_endpoint
from ctxfy.adapters.monitoring.structured_logger import StructuredLogger
from ctxfy.adapters.monitoring.worker_figures import shown_together
from ctxfy.app import routes
from ctxfy.app.bootstrap import Storage, make_storage
from ctxfy.app.config import Settings
from ctxfy.app.first_key import announce_first_key
from ctxfy.app.limits import Limiting, make_limiting
from ctxfy.app.loading import load_functions, make_loader, make_validator, utc_now
from ctxfy.app.log_output import open_log
from ctxfy.app.own_secrets import (
    pseudonymizer,
    server_secrets,
    subject_pseudonymizer,
    token_pseudonymizer,
)
from ctxfy.app.prompt_check import load_checked, load_unchecked
from ctxfy.app.shared_reload import SharedReload
from ctxfy.app.sizes import process_sizes
from ctxfy.app.stored_keys import static_keys
from ctxfy.app.token_issuer import Issuer
from ctxfy.app.tracing import Tracing, make_tracing
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.models.auth_models import RoutePolicy
from ctxfy.core.models.session_models import SessionLifetimes
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.ports.prompt_ports import (
    ArgumentValidatorPort,
    CatalogSnapshot,
    PromptCommandPort,
    PromptQueryPort,
)
from ctxfy.core.use_cases.log_level_use_cases import ROOT


if TYPE_CHECKING:
    from ctxfy.app.team import Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """
    Everything that was made, by the port it is used through; tests replace single nodes.
    """

    settings: Settings
    team: "Team | None"
    policies: tuple[RoutePolicy, ...]
    logging: LoggingPort
    log_queue: LineQueue
    log_levels: LevelService
    metrics: MetricsPort
    request_counts: Callable[[Sequence[str]], Sequence[float]]
    tracing: Tracing
    scrape: routes.Handler
    storage: Storage
    static: StaticKeys
    keys: ApiKeyService
    key_watch: KeyWatch
    usage: KeyUsage
    sessions: SessionService
    limiting: Limiting
    issuer: Issuer | None
    catalog: MemoryCatalog
    prompt_commands: PromptCommandPort
    prompt_queries: PromptQueryPort
    validator: ArgumentValidatorPort
    reloader: Reloader
    shared_reload: SharedReload | None
    listeners: PromptListeners
    audit: AuditService
    verification: TrailVerification | None
    fold: RefusalFold
    privacy: PrivacyService
    retention: RetentionService
    draining: Event
    announce: Callable[[Settings, str], None]


def wire(
    settings: Settings,
    snapshot: CatalogSnapshot | None,
    *,
    own: ServerSecrets | None = None,
    place: WorkerPlace | None = None,
) -> Wiring:
    """
    Make the inner parts: logging, the driven adapters, and the shells on them.

    Args:
        settings: All that can be set.
        snapshot: Prompts that were loaded and tested already; else they are loaded here.
        own: Secrets in place of the server's, for whoever opens no store.
        place: Among the workers that serve together; None for one that serves alone.
    """
    own = own or server_secrets(settings)
    team = None if place is None else _join(place)
    log_queue, log_levels = open_log(settings, sys.stdout, place)
    logging = StructuredLogger(user_id_form=settings.logging.user_id, pseudonym=pseudonymizer(own))
    registry = new_registry()
    policies = routes.route_policies(
        public_metrics=settings.monitoring.public_metrics,
        docs=settings.docs.enabled,
        tokens=settings.jwt.issuer is not None,
    )
    metrics = PrometheusMetrics(
        registry,
        endpoints=[policy.path for policy in policies],
        version=__version__,
        shares_counts=team is not None,
    )
    shown = registry
    if team is not None:
        shown = shown_together(registry, metrics.ways, board=team.board, counts=team.counts)
    watch = TrailWatch(logging=logging, metrics=metrics, logged=settings.audit.log)
    tracing = make_tracing(settings.monitoring, logging=logging, metrics=metrics)
    storage = make_storage(
        settings,
        own,
        watcher=watch,
        tracer=tracing.tracer if tracing.export else None,
        place=place,
    )
    usage = KeyUsage(
        storage.usage, keep_days=settings.auth.usage_days, now=utc_now, logging=logging
    )
    static = static_keys(settings)
    keys = ApiKeyService(
        storage.keys,
        storage.material,
        now=utc_now,
        monotonic=time.monotonic,
        logging=logging,
        cache=KeyCache(
            size=process_sizes(workers=settings.server.workers).cached_keys,
            max_stale=settings.auth.max_stale,
        ),
        usage=usage,
        static=static,
    )
    fold = RefusalFold(utc_now)
    is_first = place is None or place.is_first
    audit = AuditService(
        storage.trail, storage.proofs, fold, now=utc_now, logging=logging, signs=is_first
    )
    hours = settings.audit.verify_hours
    verification = TrailVerification(
        storage.proofs, every=timedelta(hours=hours), now=utc_now, logging=logging, metrics=metrics
    )
    metrics.watch_audit_trail(audit.state)
    metrics.watch_key_cache(keys.cache_lookups)
    metrics.watch_log_lines(log_queue.dropped)
    metrics.watch_storage_connections(lambda: storage.database.connections)
    if team is not None:
        metrics.watch_workers(team.probe.alive)
    sessions = SessionService(
        storage.sessions,
        keys,
        storage.session_material,
        lifetimes=SessionLifetimes(
            idle=timedelta(minutes=settings.auth.session_idle_minutes),
            absolute=timedelta(hours=settings.auth.session_hours),
        ),
        now=utc_now,
        static=static,
        logging=logging,
    )
    validator = make_validator(
        settings.limits.argument_bytes,
        settings.limits.arguments_bytes,
        settings.limits.argument_count,
    )
    catalog = MemoryCatalog(snapshot or _load(settings, validator))
    listeners, draining = PromptListeners(), Event()
    reloader = Reloader(
        catalog,
        lambda: load_checked(
            settings, functions=catalog.snapshot().functions.values(), ending=draining
        ),
        on_change=listeners.tell_changed,
        logging=logging,
        metrics=metrics,
        load_known=lambda: load_unchecked(settings, catalog.snapshot().functions.values()),
        announce=team.announcement.write if team else lambda _snapshot: None,
    )
    prompts = PromptService(
        catalog,
        validator,
        logging=logging,
        metrics=metrics,
        tracer=tracing.tracer,
        monotonic=time.perf_counter,
        default_model=settings.llm.default_model,
    )
    return Wiring(
        settings=settings,
        team=team,
        policies=policies,
        logging=logging,
        log_queue=log_queue,
        log_levels=LevelService(
            {**settings.logging.levels, ROOT: settings.logging.level},
            log_levels.apply,
            floors=FLOORS,
            trail=storage.trail,
            logging=logging,
            now=utc_now,
            shared=team.levels if team else None,
        ),
        metrics=metrics,
        request_counts=metrics.request_counts,
        tracing=tracing,
        scrape=metrics_endpoint(shown),
        storage=storage,
        static=static,
        keys=keys,
        usage=usage,
        key_watch=KeyWatch(
            storage.keys,
            warning=timedelta(days=settings.auth.expiry_warning_days),
            now=utc_now,
            logging=logging,
            static=static,
            metrics=metrics,
        ),
        sessions=sessions,
        limiting=make_limiting(
            settings.limits,
            subject_pseudonymizer(own),
            logging=logging,
            metrics=metrics,
            place=place,
        ),
        issuer=_issuer(settings, storage, own, logging),
        catalog=catalog,
        prompt_commands=prompts,
        prompt_queries=prompts,
        validator=validator,
        reloader=reloader,
        shared_reload=SharedReload(
            reloader, catalog, team.announcement, team.board, logging=logging
        )
        if team
        else None,
        listeners=listeners,
        audit=audit,
        verification=verification if hours else None,
        fold=fold,
        retention=RetentionService(storage.retention, storage.trail, now=utc_now, logging=logging),
        privacy=PrivacyService(
            storage.people,
            storage.events,
            storage.trail,
            now=utc_now,
            forget=keys.forget,
            has_other_admin=static.has_admin,
        ),
        draining=draining,
        announce=announce_first_key,
    )


def _join(place: WorkerPlace) -> "Team":
    from ctxfy.app.team import join_team

    return join_team(place)


def _issuer(
    settings: Settings, storage: Storage, own: ServerSecrets, logging: LoggingPort
) -> Issuer | None:
    if settings.jwt.issuer is None:
        return None
    from ctxfy.app.tokens import make_issuer

    return make_issuer(settings, storage, token_pseudonymizer(own), logging=logging)


def _load(settings: Settings, validator: ArgumentValidatorPort) -> CatalogSnapshot:
    modules = settings.prompts.modules
    functions = load_functions(modules, settings.llm.timeout_seconds)
    folder = settings.prompts.folder
    return make_loader(folder, validator, functions, may_be_empty=bool(modules)).load()
