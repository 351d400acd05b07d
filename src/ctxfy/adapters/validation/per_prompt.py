"""
What is made of each prompt once, and goes with it.
"""

import weakref
from collections.abc import Callable

from ctxfy.core.models.prompt_models import PromptTemplate


class PerPrompt[T]:
    """
    Makes something of each prompt when it is first asked for.

    A prompt is known by its identity, which costs nothing to compare. Once a reload has replaced
    it and nobody holds it any more, what was made of it is gone too.

    Args:
        make: Makes it; what is made may not hold the prompt itself.
    """

    def __init__(self, make: Callable[[PromptTemplate], T]) -> None:
        self._make = make
        self._made: dict[int, tuple[T, weakref.ref[PromptTemplate]]] = {}

    def __len__(self) -> int:
        return len(self._made)

    def of(self, template: PromptTemplate) -> T:
        """
        Give what was made of a prompt.
        """
        found = self._made.get(id(template))
        return self._add(template) if found is None else found[0]

    def _add(self, template: PromptTemplate) -> T:
        key = id(template)
        made = self._make(template)
        self._made[key] = made, weakref.ref(template, lambda _: self._made.pop(key, None))
        return made
