"""
The handlers of /prompts: the third door to the prompt service.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ctxfy.adapters.mcp_prompts.prompt_fields import (
    ExecutionData,
    PromptPageData,
    ReloadData,
    plain_prompt,
    plain_prompt_in_full,
    plain_rendering,
)
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.prompt_models import PromptRequest, PromptTemplate
from ctxfy.core.ports.prompt_ports import (
    ArgumentValidatorPort,
    CatalogCommandPort,
    PromptCommandPort,
    PromptQueryPort,
)
from ctxfy.core.use_cases.paging_use_cases import page_of
from ctxfy.core.use_cases.prompt_use_cases import filter_prompts


MAX_TEXT = 500


class ExecuteBody(BaseModel):
    """
    The arguments of one execution, as JSON values or as texts; and perhaps a version.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    arguments: dict[str, JsonValue] = Field(default={}, description="By name.")
    version: str | None = Field(default=None, description="The highest if null.")


class PromptListQuery(BaseModel):
    """
    Which prompts to list.
    """

    model_config = ConfigDict(extra="forbid")

    tag: str | None = Field(default=None, max_length=MAX_TEXT)
    owner: str | None = Field(default=None, max_length=MAX_TEXT)
    q: str | None = Field(
        default=None, max_length=MAX_TEXT, description="Words, each of which must occur."
    )
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=MAX_TEXT)


class PromptQuery(BaseModel):
    """
    Which version to show.
    """

    model_config = ConfigDict(extra="forbid")

    version: str | None = Field(default=None, max_length=MAX_TEXT)


type PromptName = Annotated[str, Path(description="The name of a prompt.")]


class PromptRoutes:
    """
    Prompts over REST.

    Args:
        catalog: Takes another set into service.
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        commands: PromptCommandPort,
        queries: PromptQueryPort,
        validator: ArgumentValidatorPort,
        catalog: CatalogCommandPort,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._commands = commands
        self._queries = queries
        self._validator = validator
        self._catalog = catalog
        self._monotonic = monotonic

    async def list_prompts(
        self, request: Request, query: Annotated[PromptListQuery, Query()]
    ) -> Response:
        """
        List the prompts the caller may use, by name.
        """
        principal = _principal(request)
        visible = self._queries.list_prompts(principal)
        found = filter_prompts(visible, tag=query.tag, text=query.q, owner=query.owner)
        page, cursor = page_of(found, place=_place, cursor=query.cursor, limit=query.limit)
        prompts = [
            plain_prompt(item, self._queries.list_versions(item.name, principal)) for item in page
        ]
        found_page: PromptPageData = {"prompts": prompts, "next_cursor": cursor}
        return JSONResponse(found_page)

    async def show(
        self, request: Request, name: PromptName, query: Annotated[PromptQuery, Query()]
    ) -> Response:
        """
        Show all there is to know of one prompt, but not its text.
        """
        principal = _principal(request)
        template = self._queries.get_prompt(name, principal, query.version)
        versions = self._queries.list_versions(name, principal)
        schema = self._validator.json_schema(template)
        return JSONResponse(plain_prompt_in_full(template, versions, schema))

    async def execute(self, request: Request, name: PromptName, body: ExecuteBody) -> Response:
        """
        Render a prompt.
        """
        started = self._monotonic()
        wish = PromptRequest(name=name, arguments=body.arguments, version=body.version)
        rendered = await self._commands.execute(wish, _principal(request))
        elapsed_ms = (self._monotonic() - started) * 1000
        done: ExecutionData = {
            "request_id": request.scope["state"]["request_id"],
            **plain_rendering(rendered),
            "execution_time_ms": round(elapsed_ms, 3),
        }
        return JSONResponse(done)

    async def reload(self) -> Response:
        """
        Serve what the folder holds now, and say what is different.
        """
        change = await self._catalog.reload()
        told: ReloadData = {
            "revision": change.revision,
            "added": list(change.added),
            "changed": list(change.changed),
            "removed": list(change.removed),
        }
        return JSONResponse(told)


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["state"]["principal"]
    return principal


def _place(template: PromptTemplate) -> str:
    return template.name
