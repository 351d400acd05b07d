"""
The handlers of /privacy. Who may call them is the gate's business; the table says it.
"""

from typing import Annotated

from fastapi import Path, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from ctxfy.adapters.audit.person_fields import plain_erasure
from ctxfy.adapters.audit.privacy_service import PrivacyService
from ctxfy.core.use_cases.audit_use_cases import actor_of_request


type UserIdPath = Annotated[str, Path(description="The name the keys of the person are for.")]


class PrivacyRoutes:
    """
    What people may ask for, over REST.
    """

    def __init__(self, privacy: PrivacyService) -> None:
        self._privacy = privacy

    async def export(self, request: Request, user_id: UserIdPath) -> Response:
        """
        Give everything that is held about a person: keys, sessions, and every event.
        """
        pieces = await self._privacy.export(user_id, actor=actor_of_request(request.scope["state"]))
        return StreamingResponse(pieces, media_type="application/json")

    async def erase(self, request: Request, user_id: UserIdPath) -> Response:
        """
        Make a person unreadable for good, and end their keys and sessions.
        """
        return JSONResponse(
            plain_erasure(
                await self._privacy.erase(user_id, actor=actor_of_request(request.scope["state"]))
            )
        )
