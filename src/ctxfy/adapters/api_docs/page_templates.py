"""
The pages as text: MiniJinja's templates of this package, with auto-escaping on.

Everything that is put in is escaped, whoever wrote it; only the addresses made here are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from minijinja import Environment, safe

from ctxfy.adapters.api_docs.page_assets import asset_name
from ctxfy.core.models.auth_models import Principal, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """
    Who looks at a page, as far as pages differ by it.

    Attributes:
        is_admin: Whether the pages for keys and the audit trail are theirs too.
    """

    name: str
    scope: str
    is_admin: bool


def reader_of(principal: Principal) -> Reader:
    """
    Say who is looking.
    """
    return Reader(
        name=principal.user_id,
        scope=principal.scope,
        is_admin=principal.scope is Scope.ADMIN and not principal.is_narrowed,
    )


class PageTemplates:
    """
    Writes pages.

    Args:
        title: What the server is called.
    """

    def __init__(self, title: str) -> None:
        self._title = title

    def write(
        self, name: str, *, depth: int, reader: Reader | None, values: Mapping[str, object]
    ) -> bytes:
        """
        Write a page.

        Args:
            name: Of the template, without its ending.
            depth: How many slashes its path has after the first: addresses on it are relative.
            reader: None if nobody is known.
            values: What the template asks for.
        """
        text = _environment().render_template(
            f"{name}.html",
            page=name,
            root=safe("../" * depth),
            site=self._title,
            reader=reader,
            **values,
        )
        return text.encode()


@cache
def _environment() -> Environment:
    folder = files("ctxfy.adapters.api_docs") / "pages"
    # By their ending they are HTML, and so escaped. A name that nobody gave is a mistake of ours.
    return Environment(
        templates={item.name: item.read_text(encoding="utf-8") for item in folder.iterdir()},
        globals={"asset": asset_name},
        undefined_behavior="strict",
        trim_blocks=True,
        lstrip_blocks=True,
    )
