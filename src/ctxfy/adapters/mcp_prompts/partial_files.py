"""
The files that templates include, read at load.
"""

from ctxfy.adapters.mcp_prompts.folder import PromptFolder
from ctxfy.adapters.mcp_prompts.prompt_file import PromptFileError
from ctxfy.adapters.mcp_prompts.template_scan import Include, includes_of
from ctxfy.core.models.prompt_models import Partial, PromptProblem, PromptTemplate, TextContent


class PartialFiles:
    """
    The included files of one load; each is read once, though many templates include it.
    """

    def __init__(self, folder: PromptFolder) -> None:
        self._folder = folder
        self._read: dict[str, tuple[Partial, tuple[Include, ...]]] = {}

    def of(self, template: PromptTemplate) -> tuple[tuple[Partial, ...], list[PromptProblem]]:
        """
        Read every file the template includes, and what those include.
        """
        found: dict[str, Partial] = {}
        problems: list[PromptProblem] = []
        waiting = [
            (template.source, message.content.line - 1, includes_of(message.content.text))
            for message in template.messages
            if isinstance(message.content, TextContent)
        ]
        while waiting:
            source, before, includes = waiting.pop()
            for include in includes:
                if include.path in found:
                    continue
                try:
                    found[include.path], inner = self._partial(include.path)
                except PromptFileError as problem:
                    problems.append(
                        PromptProblem(
                            path=source, line=before + include.line, message=problem.message
                        )
                    )
                    continue
                waiting.append((include.path, 0, inner))
        return tuple(found[path] for path in sorted(found)), problems

    def _partial(self, path: str) -> tuple[Partial, tuple[Include, ...]]:
        known = self._read.get(path)
        if known is None:
            text = self._folder.read_text(path).removesuffix("\n")
            known = self._read[path] = (Partial(path=path, text=text), includes_of(text))
        return known
