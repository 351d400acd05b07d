"""
The results of `prompts/get`: all but the texts is written once for each prompt of a set.
"""

from ctxfy.adapters.mcp_prompts.result_forms import Gaps, ResultForms
from ctxfy.adapters.mcp_prompts.wires import Wire
from ctxfy.core.models.prompt_models import RenderedPrompt, TextContent


class RenderedAnswers:
    """
    Puts the texts of a rendering between pieces that are written already.

    The pieces belong to one revision of the catalog, and go with it, so there are never more of
    them than prompts.
    """

    def __init__(self, forms: ResultForms) -> None:
        self._forms = forms
        self._revision = ""
        self._gaps: dict[tuple[Wire, str, str], Gaps] = {}

    def pieces(self, wire: Wire, rendered: RenderedPrompt) -> list[bytes]:
        """
        Write a rendering in pieces.

        Raises:
            orjson.JSONEncodeError: A text holds half a character.
        """
        if rendered.revision != self._revision:
            self._gaps.clear()
            self._revision = rendered.revision
        key = (wire, rendered.template.name, rendered.template.version)
        gaps = self._gaps.get(key)
        if gaps is None:
            gaps = self._gaps[key] = self._forms.rendering_gaps(wire, rendered)
        written = [gaps[0]]
        place = 0
        for message in rendered.messages:
            if isinstance(content := message.content, TextContent):
                place += 1
                written += (wire.text(content.text), gaps[place])
        return written
