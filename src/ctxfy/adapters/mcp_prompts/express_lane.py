"""
The express lane: answers the usual requests over MCP by itself, and leaves the rest to FastMCP.

It answers only what is proven well formed (`lane_requests`), through the same prompt service, and
writes what FastMCP would have written. An error that is not proven the same stays FastMCP's.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.mcp_prompts.known_clients import KnownClients
from ctxfy.adapters.mcp_prompts.lane_requests import LaneRequest, RequestReader
from ctxfy.adapters.mcp_prompts.prompt_lists import PromptLists
from ctxfy.adapters.mcp_prompts.rendered_answers import RenderedAnswers
from ctxfy.adapters.mcp_prompts.result_forms import ResultForms
from ctxfy.adapters.mcp_prompts.rpc_facts import EXPRESS, Annotate, error_facts
from ctxfy.adapters.mcp_prompts.server import McpPrompts
from ctxfy.adapters.mcp_prompts.wire_forms import wire_error
from ctxfy.adapters.mcp_prompts.wires import Answer
from ctxfy.core.exceptions import CtxfyError, PromptNotFoundError
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.prompt_models import PromptRequest
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.monitoring_ports import TracerPort


class ExpressLane:
    """
    Answers a request over MCP, or hands it to FastMCP.

    Args:
        app: FastMCP's application.
        prompts: What both serve, and to whom.
        forms: Writes results as FastMCP does.
        lists: The answers to `prompts/list`.
        annotate: Is told what each request was.
        tracer: Is told where its time goes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        prompts: McpPrompts,
        forms: ResultForms,
        lists: PromptLists,
        annotate: Annotate,
        tracer: TracerPort,
    ) -> None:
        self._app = app
        self._prompts = prompts
        self._forms = forms
        self._lists = lists
        self._annotate = annotate
        self._tracer = tracer
        self._execute = tracer.traced(Step.RPC, prompts.commands.execute)
        self._reader = RequestReader(KnownClients())
        self._renderings = RenderedAnswers(forms)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request; the body of it has been read whole by the gate.
        """
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        message = await receive()
        request = self._read(scope, message)
        answer = None if request is None else await self._answer(request)
        if answer is None:
            await self._app(scope, _from_here(message, receive), send)
            return
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        )
        await send({"type": "http.response.body", "body": answer.body})

    def _read(self, scope: Scope, message: Message) -> LaneRequest | None:
        if message["type"] != "http.request" or message.get("more_body", False):
            return None
        return self._reader.read(scope["headers"], message.get("body", b""))

    async def _answer(self, request: LaneRequest) -> Answer | None:
        principal = self._prompts.current_principal()
        if principal is None:
            return None
        match request.method:
            case "prompts/get":
                return await self._get(request, principal)
            case "completion/complete":
                return self._complete(request, principal)
            case _:
                return self._told(request, principal)

    async def _get(self, request: LaneRequest, principal: Principal) -> Answer | None:
        name = request.params["name"]
        try:
            template = self._prompts.queries.get_prompt(name, principal)
        except PromptNotFoundError:
            return None
        if template.is_function:
            return None
        wanted = PromptRequest(
            name=name, arguments=request.params.get("arguments") or {}, version=template.version
        )
        self._note(request)
        try:
            rendered = await self._execute(wanted, principal)
        except CtxfyError as error:
            return self._refusal(request, error)
        return request.wire.answer(request.id, self._renderings.pieces(request.wire, rendered))

    def _refusal(self, request: LaneRequest, refused: CtxfyError) -> Answer:
        error = wire_error(refused)
        self._annotate(**error_facts(error))
        told = error.error
        said = {"code": told.code, "message": told.message, "data": told.data}
        return request.wire.error(request.id, told.code, said)

    def _complete(self, request: LaneRequest, principal: Principal) -> Answer | None:
        argument = request.params["argument"]
        try:
            offers = self._prompts.queries.complete(
                request.params["ref"]["name"], argument["name"], argument["value"], principal
            )
        except PromptNotFoundError:
            return None
        self._note(request)
        with self._tracer.span(Step.RPC):
            result = self._forms.completion(request.wire, offers)
        return request.wire.answer(request.id, (result,))

    def _told(self, request: LaneRequest, principal: Principal) -> Answer:
        self._note(request)
        with self._tracer.span(Step.RPC):
            match request.method:
                case "prompts/list":
                    result = self._lists.written(request.wire, principal)
                case "initialize":
                    result = self._forms.handshake(request.params["protocolVersion"])
                case "server/discover":
                    result = self._forms.discovery
                case _:
                    result = b"{}"
        return request.wire.answer(request.id, (result,))

    def _note(self, request: LaneRequest) -> None:
        self._annotate(lane=EXPRESS, rpc_method=request.method, **request.facts)
        if (meta := request.params.get("_meta")) and "traceparent" in meta:
            self._tracer.continue_trace(meta["traceparent"], meta.get("tracestate"))


def _from_here(message: Message, receive: Receive) -> Receive:
    """
    Give a message that was taken once more, and then what comes after it.
    """
    waiting = [message]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
