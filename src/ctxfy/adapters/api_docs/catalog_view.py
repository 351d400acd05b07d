"""
What the catalog page shows: a card for each prompt, and what they can be found by.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctxfy.core.models.prompt_models import PromptTemplate
from ctxfy.core.use_cases.prompt_use_cases import filter_prompts


MAX_WISH = 200
"""
Characters of a search that are looked at.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What is looked for; an empty text is no wish.
    """

    text: str = ""
    tag: str = ""
    owner: str = ""


def wish_of(query: Mapping[str, str]) -> Wish:
    """
    Read a wish from an address.
    """
    text, tag, owner = (query.get(name, "")[:MAX_WISH] for name in ("q", "tag", "owner"))
    return Wish(text=text.strip(), tag=tag, owner=owner)


def catalog_view(visible: Sequence[PromptTemplate], wish: Wish) -> dict[str, Any]:
    """
    Lay the catalog out. All prompts are on the page, so that a script can look for others.
    """
    found = filter_prompts(visible, tag=wish.tag or None, text=wish.text, owner=wish.owner or None)
    names = {item.name for item in found}
    return {
        "wish": wish,
        "found": len(found),
        "cards": [
            {
                "name": item.name,
                "title": item.title or item.name,
                "description": item.description,
                "version": item.version,
                "owner": item.owner,
                "tags": item.tags,
                "tags_json": json.dumps(item.tags, ensure_ascii=False),
                "matches": item.name in names,
            }
            for item in visible
        ],
        "tags": sorted({tag for item in visible for tag in item.tags}, key=str.casefold),
        "owners": sorted({item.owner for item in visible if item.owner}, key=str.casefold),
    }
