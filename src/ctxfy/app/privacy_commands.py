"""
`ctxfy privacy`: works on the store directly, whether a server runs or not.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.audit_models import COMMAND_LINE
from ctxfy.core.use_cases.validation_use_cases import plural


if TYPE_CHECKING:
    from ctxfy.adapters.audit.privacy_service import PrivacyService
    from ctxfy.core.models.person_models import Erasure

app = App(name="privacy", help="Show people what is held about them, and forget them.")

type User = Annotated[str, Parameter(help="The name the keys of the person are for.")]


@app.command
def export(user: User, /) -> None:
    """
    Write everything held about a person to standard output, as JSON. It is an event too.
    """

    async def act(privacy: "PrivacyService") -> None:
        async for piece in await privacy.export(user, actor=COMMAND_LINE):
            sys.stdout.write(piece)

    _run(act)


@app.command
def erase(
    user: User,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """
    Make a person unreadable for good, revoke their keys and end their sessions.
    """
    if not yes:
        _ask(user)

    async def act(privacy: "PrivacyService") -> "Erasure":
        return await privacy.erase(user, actor=COMMAND_LINE)

    erased = _run(act)
    if as_json:
        from ctxfy.adapters.audit.person_fields import plain_erasure

        write_json(plain_erasure(erased))
        return
    keys, sessions = plural(erased.keys, "key"), plural(erased.sessions, "session")
    print(f"Erased; the records name {erased.person_id}. Ended: {keys}, {sessions}.")


def _ask(user: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "An erasure cannot be taken back, and there is nobody here to ask; give --yes."
        )
    answer = input(f"Erase {user} for good? This cannot be taken back. Write the name again: ")
    if answer != user:
        raise ConfigurationError("That is not the name; nothing was erased.")


def _run[T](act: Callable[["PrivacyService"], Awaitable[T]]) -> T:
    from ctxfy.adapters.audit.privacy_service import PrivacyService
    from ctxfy.app.bootstrap import opened_storage
    from ctxfy.app.loading import utc_now
    from ctxfy.app.stored_keys import static_keys

    async def run() -> T:
        settings = load_settings()
        static = static_keys(settings)
        async with opened_storage(settings, create=False) as storage:
            return await act(
                PrivacyService(
                    storage.people,
                    storage.events,
                    storage.trail,
                    now=utc_now,
                    has_other_admin=static.has_admin,
                )
            )

    return asyncio.run(run())
