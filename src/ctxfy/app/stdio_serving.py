"""
Serving a folder over standard input and output: the same prompts and checks, no key.
"""

import asyncio
import sys
import time
from functools import partial
from threading import Event

from ctxfy import __version__
from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.adapters.mcp_prompts.listeners import PromptListeners
from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
from ctxfy.adapters.mcp_prompts.reloader import Reloader
from ctxfy.adapters.mcp_prompts.server import McpPrompts, build_mcp_server
from ctxfy.adapters.monitoring.null_metrics import NullMetrics
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.adapters.monitoring.structured_logger import StructuredLogger
from ctxfy.app.background import running
from ctxfy.app.config import Settings
from ctxfy.app.loading import load_functions, make_validator
from ctxfy.app.log_output import open_log
from ctxfy.app.prompt_check import load_checked
from ctxfy.core.models.auth_models import KeyId, Principal, Scope


LOCAL_USER = Principal(key_id=KeyId("local"), user_id="local", scope=Scope.ADMIN)
"""
Whoever started the program: who may read the folder may use what is in it.
"""


def serve_stdio(settings: Settings) -> None:
    """
    Serve until standard input ends.

    Raises:
        CatalogError: The folder holds mistakes.
    """
    open_log(settings, sys.stderr)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    # Nobody is named in these lines: there is one user, and it is the one who reads them.
    logging = StructuredLogger(user_id_form="clear", pseudonym=str)
    metrics, tracer = NullMetrics(), NullTracer()
    ending, listeners = Event(), PromptListeners()
    functions = load_functions(settings.prompts.modules, settings.llm.timeout_seconds)
    load = partial(load_checked, settings, functions=functions, ending=ending)
    catalog = MemoryCatalog(await asyncio.to_thread(load))
    service = PromptService(
        catalog,
        make_validator(
            settings.limits.argument_bytes,
            settings.limits.arguments_bytes,
            settings.limits.argument_count,
        ),
        logging=logging,
        metrics=metrics,
        tracer=tracer,
        monotonic=time.perf_counter,
        default_model=settings.llm.default_model,
    )
    reloader = Reloader(
        catalog, load, on_change=listeners.tell_changed, logging=logging, metrics=metrics
    )
    prompts = McpPrompts(service, service, lambda: LOCAL_USER, functions)
    server = build_mcp_server(
        prompts, version=__version__, auth=None, annotate=logging.annotate, tracer=tracer
    )
    listeners.serve_on(server, prompts.may_read)
    folder = settings.prompts.folder
    async with running(reloader.follow(folder) if settings.prompts.watch else None):
        await server.run_stdio_async(show_banner=False)
        ending.set()
