"""
All prompts that somebody sees, as lists in Markdown: `/llms.txt`, and the index of an export.
"""

from collections.abc import Callable, Iterable, Sequence

from ctxfy.adapters.api_docs.markdown_text import code, one_line, plain, table
from ctxfy.core.models.prompt_models import PromptTemplate


type Address = Callable[[PromptTemplate], str]
"""
Where the page of a prompt is.
"""

_HOW = (
    "Each page says what a prompt is for, which arguments it takes, and how it is called. A client "
    "of the Model Context Protocol finds the prompts at {mcp}; a program executes one by POST to "
    "{execute}. Both send an API key as `Authorization: Bearer`."
)


def llms_text(title: str, prompts: Sequence[PromptTemplate], *, address: str, root: str) -> str:
    """
    Write the list for language models, in the form of llmstxt.org.

    Args:
        title: Of the list.
        prompts: What the reader may use.
        address: Of the server, without a slash at the end.
        root: What stands before links; empty if they are relative to the list's own place.
    """
    how = _HOW.format(mcp=code(f"{address}/mcp"), execute=code("/prompts/NAME/execute"))
    links = (_link(item, f"{root}docs/prompts/{item.name}.md") for item in prompts)
    parts = [
        f"# {plain(title)}",
        f"> {_count(prompts)} for the key that asks.",
        how,
        "## Prompts",
        "\n".join(links),
        "## Optional",
        f"- [OpenAPI 3.0.3]({root}openapi.json): every route, and each prompt with its schema",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def index_page(title: str, prompts: Sequence[PromptTemplate], *, address: Address) -> str:
    """
    Write the first page of an export: all prompts in a table, then by tag and by owner.
    """
    rows = [
        (
            f"[{plain(item.title or item.name)}]({address(item)})",
            code(item.name),
            plain(item.description),
            plain(item.version),
            plain(item.owner),
        )
        for item in prompts
    ]
    parts = [f"# {plain(title)}", f"{_count(prompts)}."]
    if rows:
        parts.append(table(("prompt", "name", "what it is for", "version", "owner"), rows))
    parts += _groups("By tag", ((tag, item) for item in prompts for tag in item.tags), address)
    parts += _groups("By owner", ((item.owner, item) for item in prompts if item.owner), address)
    return "\n\n".join(parts) + "\n"


def _link(item: PromptTemplate, address: str) -> str:
    told = one_line(item.description)
    return f"- [{plain(item.title or item.name)}]({address})" + (f": {plain(told)}" if told else "")


def _groups(
    heading: str, members: Iterable[tuple[str, PromptTemplate]], address: Address
) -> list[str]:
    groups: dict[str, list[PromptTemplate]] = {}
    for name, item in members:
        groups.setdefault(name, []).append(item)
    if not groups:
        return []
    lines = [
        f"- {plain(name)}: "
        + ", ".join(f"[{plain(item.name)}]({address(item)})" for item in groups[name])
        for name in sorted(groups, key=lambda each: (each.casefold(), each))
    ]
    return [f"## {heading}", "\n".join(lines)]


def _count(prompts: Sequence[PromptTemplate]) -> str:
    return "One prompt" if len(prompts) == 1 else f"{len(prompts)} prompts"
