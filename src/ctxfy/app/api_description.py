"""
The generator of the OpenAPI document, put together from everything that answers requests.
"""

from functools import partial

from ctxfy import __version__
from ctxfy.adapters.api_docs.fixed_paths import Surface
from ctxfy.adapters.api_docs.openapi_generator import DocumentHead, OpenApiGenerator
from ctxfy.adapters.api_docs.operations import ErrorKind
from ctxfy.adapters.auth.cookies import SESSION_COOKIE
from ctxfy.adapters.mcp_prompts.example_renderer import ExampleRenderer
from ctxfy.app.http_errors import OUTCOMES, ProblemData
from ctxfy.app.operations import operations
from ctxfy.app.wiring import Wiring
from ctxfy.core.models.auth_models import KeyId, Principal, Scope


EVERYTHING = Principal(key_id=KeyId(""), user_id="", scope=Scope.ADMIN)
"""
Who sees all prompts: whoever can read the folder.
"""


def make_generator(wiring: Wiring) -> OpenApiGenerator:
    """
    Make the generator; what costs time is made when it is first asked for a document.
    """
    settings = wiring.settings
    render = ExampleRenderer(wiring.catalog, wiring.validator, settings.llm.default_model)
    return OpenApiGenerator(
        DocumentHead(
            title=settings.docs.title,
            version=__version__,
            server_url=settings.server.public_url or ".",
        ),
        partial(_surface, wiring),
        wiring.prompt_queries,
        wiring.validator,
        render.execution,
    )


def _surface(wiring: Wiring) -> Surface:
    from ctxfy.app.rest import describe_rest, rest_handlers

    return Surface(
        policies=wiring.policies,
        operations=operations(docs=wiring.settings.docs.enabled),
        rest=describe_rest(rest_handlers(wiring)),
        errors={
            kind: ErrorKind(
                status=outcome.status.value, title=outcome.status.phrase, rpc=outcome.rpc
            )
            for kind, outcome in OUTCOMES.items()
        },
        problem=ProblemData,
        session_cookie=SESSION_COOKIE,
    )
