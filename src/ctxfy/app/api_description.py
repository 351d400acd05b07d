"""
The generator of the OpenAPI document, put together from everything that answers requests.
"""

from functools import partial
from importlib.resources import files
from secrets import token_bytes

import orjson

from ctxfy import __version__
from ctxfy.adapters.api_docs.fixed_paths import Surface
from ctxfy.adapters.api_docs.openapi_generator import DocumentHead, OpenApiGenerator
from ctxfy.adapters.api_docs.operations import ErrorKind
from ctxfy.adapters.api_docs.prompt_markdown import PromptPages
from ctxfy.adapters.auth.cookies import SESSION_COOKIE
from ctxfy.adapters.container.secrets import ServerSecrets
from ctxfy.adapters.mcp_prompts.example_renderer import ExampleRenderer
from ctxfy.adapters.storage.envelope import KEY_BYTES
from ctxfy.app.config import Settings
from ctxfy.app.first_key import base_url
from ctxfy.app.http_errors import OUTCOMES, ProblemData
from ctxfy.app.wiring import Wiring, wire
from ctxfy.core.models.auth_models import KeyId, Principal, Scope
from ctxfy.core.models.monitoring_models import LogLevel


EVERYTHING = Principal(key_id=KeyId(""), user_id="", scope=Scope.ADMIN)
"""
Sees every prompt.
"""


def make_generator(wiring: Wiring, server_url: str = ".") -> OpenApiGenerator:
    """
    Make the generator; what costs time is made when it is first asked for a document.

    Args:
        wiring: What the server is made of.
        server_url: Where clients find the server, if the settings do not say it. A dot is the
            place that the document itself was read from.
    """
    settings = wiring.settings
    return OpenApiGenerator(
        DocumentHead(
            title=settings.docs.title,
            version=__version__,
            server_url=settings.server.public_url or server_url,
        ),
        partial(_surface, wiring),
        wiring.prompt_queries.list_prompts,
        wiring.validator,
        _renderer(wiring).execution,
    )


def make_pages(wiring: Wiring) -> PromptPages:
    """
    Make what writes the pages of prompts in Markdown.
    """
    return PromptPages(wiring.validator, _renderer(wiring).execution)


def describe_here(settings: Settings) -> str:
    """
    Write the document of a server with these settings, all prompts in it. No store is opened.

    Raises:
        CatalogError: The prompts hold mistakes.
    """
    document = make_generator(wire_here(settings), base_url(settings)).document(EVERYTHING)
    return orjson.dumps(orjson.loads(document.content), option=orjson.OPT_INDENT_2).decode()


def wire_here(settings: Settings) -> Wiring:
    """
    Put a server with these settings together to look at its prompts; no store is opened.

    Raises:
        CatalogError: The prompts hold mistakes.
    """
    quiet = settings.logging.model_copy(update={"level": LogLevel.CRITICAL})
    # For this once: what is sealed with them is thrown away with them.
    own = ServerSecrets(pepper=token_bytes(KEY_BYTES), master_key=token_bytes(KEY_BYTES))
    return wire(settings.model_copy(update={"logging": quiet}), None, own=own)


def _renderer(wiring: Wiring) -> ExampleRenderer:
    return ExampleRenderer(wiring.catalog, wiring.validator, wiring.settings.llm.default_model)


def _surface(wiring: Wiring) -> Surface:
    from ctxfy.app.operations import operations
    from ctxfy.app.rest import describe_rest, rest_handlers

    return Surface(
        policies=wiring.policies,
        operations=operations(docs=wiring.settings.docs.enabled, tokens=wiring.issuer is not None),
        rest=describe_rest(rest_handlers(wiring)),
        errors={
            kind: ErrorKind(
                status=outcome.status.value, title=outcome.status.phrase, rpc=outcome.rpc
            )
            for kind, outcome in OUTCOMES.items()
        },
        problem=ProblemData,
        session_cookie=SESSION_COOKIE,
        answers=orjson.loads((files("ctxfy.app") / "answers.json").read_bytes()),
    )
