"""
A prompt folder into a catalog: wholly good, or refused with everything that is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ctxfy.adapters.mcp_prompts.folder import PromptFolder
from ctxfy.adapters.mcp_prompts.partial_files import PartialFiles
from ctxfy.adapters.mcp_prompts.prompt_file import PromptFileError, read_prompt
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.catalog_models import Catalog, duplicates_of
from ctxfy.core.models.prompt_models import (
    ImageContent,
    Message,
    PromptProblem,
    PromptTemplate,
    ResourceContent,
    TextContent,
)
from ctxfy.core.models.resource_models import resource_clashes
from ctxfy.core.ports.prompt_ports import (
    ArgumentValidatorPort,
    CatalogSnapshot,
    CompiledPromptPort,
    PromptFunctionPort,
    TemplateEnginePort,
)


MAX_PROMPTS = 20_000


class FolderLoader:
    """
    Loads a folder of prompts.

    Args:
        validator: Checks the declarations; None if that was done elsewhere, for the very same set.
        functions: Prompts of modules, which join those of the folder.
        may_be_empty: Whether it is right that the folder holds no prompt.
    """

    def __init__(
        self,
        root: Path,
        *,
        engine: TemplateEnginePort,
        validator: ArgumentValidatorPort | None,
        now: Callable[[], datetime],
        functions: Iterable[PromptFunctionPort] = (),
        may_be_empty: bool = False,
    ) -> None:
        self._root = root
        self._engine = engine
        self._validator = validator
        self._now = now
        self._may_be_empty = may_be_empty
        self._functions = {(item.template.name, item.template.version): item for item in functions}

    def load(self) -> CatalogSnapshot:
        """
        Read, check and compile the whole folder.

        Raises:
            CatalogError: With every problem in every file.
        """
        try:
            folder = PromptFolder(self._root)
        except PromptFileError as problem:
            raise CatalogError(
                [PromptProblem(path=str(self._root), line=None, message=problem.message)]
            ) from problem
        partials = PartialFiles(folder)
        problems: list[PromptProblem] = []
        templates: list[PromptTemplate] = []
        for path in _files(folder, problems):
            outcome = self._read(folder, path, partials)
            if isinstance(outcome, PromptTemplate):
                templates.append(outcome)
            else:
                problems += outcome
        problems += _duplicates(templates)
        problems += _clashes(templates)
        described = [function.template for function in self._functions.values()]
        problems += _taken(templates, described)
        if self._validator is None:
            # Only mistakes are told by line, and the lines are half of what is kept of a file.
            templates = [replace(template, lines={}) for template in templates]
        else:
            for template in templates:
                problems += self._validator.problems(template)
        compiled: dict[tuple[str, str], CompiledPromptPort] = {}
        for template in templates:
            try:
                compiled[template.name, template.version] = self._engine.compile(template)
            except CatalogError as error:
                problems += error.problems
        if not templates and not problems and not self._may_be_empty:
            problems = [_nothing(self._root, folder.near_prompt())]
        if problems:
            raise CatalogError(sorted(set(problems), key=lambda item: (item.path, item.line or 0)))
        return CatalogSnapshot(
            catalog=Catalog((*templates, *described)),
            compiled=compiled,
            functions=self._functions,
            loaded_at=self._now(),
        )

    def _read(
        self, folder: PromptFolder, path: str, partials: PartialFiles
    ) -> PromptTemplate | list[PromptProblem]:
        try:
            text = folder.read_text(path)
        except PromptFileError as problem:
            return [PromptProblem(path=path, line=None, message=problem.message)]
        template = read_prompt(path, text, folder.read_attachment)
        if not isinstance(template, PromptTemplate):
            return template
        included, problems = partials.of(template)
        if problems:
            return problems
        whole = replace(template, partials=included)
        return replace(whole, digest=_digest(text, whole))


def _files(folder: PromptFolder, problems: list[PromptProblem]) -> list[str]:
    try:
        paths = list(islice(folder.prompt_files(), MAX_PROMPTS + 1))
    except PromptFileError as problem:
        problems.append(PromptProblem(path=".", line=None, message=problem.message))
        return []
    if len(paths) > MAX_PROMPTS:
        text = f"there are more than {MAX_PROMPTS} prompt files"
        problems.append(PromptProblem(path=".", line=None, message=text))
    return paths[:MAX_PROMPTS]


def _nothing(root: Path, near: str | None) -> PromptProblem:
    remedy = (
        f"'{near}' is not read as one: rename it to '{near.rpartition('.')[0]}.prompt.md'"
        if near
        else "add a file such as 'hello.prompt.md'"
    )
    return PromptProblem(
        path=str(root), line=None, message=f"the folder holds no prompts; {remedy}"
    )


def _duplicates(templates: Sequence[PromptTemplate]) -> Iterator[PromptProblem]:
    for first, *others in duplicates_of(templates):
        for other in others:
            yield PromptProblem(
                path=other.source,
                line=None,
                message=(
                    f"prompt '{other.name}' version {other.version} is in {first.source} too; "
                    "give one of them another name or version"
                ),
            )


def _taken(
    templates: Sequence[PromptTemplate], described: Sequence[PromptTemplate]
) -> Iterator[PromptProblem]:
    places = {item.name: item.source for item in described}
    for template in templates:
        if template.name in places:
            place = places[template.name]
            yield PromptProblem(
                path=template.source,
                line=None,
                message=(
                    f"prompt '{template.name}' is a function too ({place}); "
                    "give one of them another name"
                ),
            )


def _clashes(templates: Sequence[PromptTemplate]) -> Iterator[PromptProblem]:
    for clash in resource_clashes(templates):
        (first, known), (other, content) = clash.first, clash.other
        yield PromptProblem(
            path=other.source,
            line=content.line,
            message=(
                f"the URI '{content.uri}' is that of '{known.path}' as {known.mime_type} too "
                f"({first.source}:{known.line}); give one of them another 'uri='"
            ),
        )


def _digest(text: str, template: PromptTemplate) -> str:
    """
    Hash the file and all it pulls in, each part with its length before it.
    """
    parts = [text.encode(), *(part.text.encode() for part in template.partials)]
    parts += (_attached(message) for message in template.messages)
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


def _attached(message: Message) -> bytes:
    match message.content:
        case ResourceContent(text=text, blob=blob):
            return text.encode() if text is not None else (blob or b"")
        case ImageContent(data=data):
            return data
        case TextContent():
            return b""
