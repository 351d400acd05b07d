"""
Which texts include which: over the facts of all texts of one prompt, by template name.
"""

from collections.abc import Iterable, Iterator, Mapping

from ctxfy.adapters.mcp_prompts.template_scan import TemplateFacts


def name_of(path: str) -> str:
    """
    Name the template of an included file; the ending keeps it from being auto-escaped.
    """
    return f"{path}.txt"


def circular_includes(texts: Mapping[str, TemplateFacts]) -> Iterator[tuple[str, int, str]]:
    """
    Find includes that lead back to where they stand: the text, the line, the path.
    """
    for name, facts in texts.items():
        for include in facts.includes:
            if name in _reachable([name_of(include.path)], texts):
                yield name, include.line, include.path


def repeated_includes(texts: Mapping[str, TemplateFacts]) -> frozenset[str]:
    """
    Find the texts that a loop or macro includes, itself or through other files.
    """
    starts = [
        name_of(include.path)
        for facts in texts.values()
        for include in facts.includes
        if include.repeated
    ]
    return _reachable(starts, texts)


def _reachable(starts: Iterable[str], texts: Mapping[str, TemplateFacts]) -> frozenset[str]:
    found = set[str]()
    waiting = [name for name in starts if name in texts]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [
                name_of(each.path) for each in texts[name].includes if name_of(each.path) in texts
            ]
    return frozenset(found)
