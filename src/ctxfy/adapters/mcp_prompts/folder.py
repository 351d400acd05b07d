"""
The prompt folder: every file below it that may be read, and nothing else.

Links are followed only if they end inside the folder. The folder itself is resolved again each
time, because a mounted ConfigMap is swapped by turning a link. Names that begin with a dot are not
looked at, nor what lies below them.
"""

import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from pydantic import AnyUrl, TypeAdapter, ValidationError

from ctxfy.adapters.mcp_prompts.prompt_file import Attachment, PromptFileError, is_prompt_file
from ctxfy.core.models.prompt_models import Content, ImageContent, ResourceContent


_URI = TypeAdapter(AnyUrl)

MAX_FILE_BYTES = 2_000_000
MAX_IMAGE_BYTES = 2_000_000
IMAGE_TYPES = {
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".gif": ("image/gif", b"GIF8"),
    ".webp": ("image/webp", b"RIFF"),
}


class PromptFolder:
    """
    One folder, resolved at construction: make a new one for each load.

    Raises:
        PromptFileError: If there is no such folder, or it cannot be read.
    """

    def __init__(self, root: Path) -> None:
        try:
            self._root = root.resolve(strict=True)
        except OSError as error:
            raise PromptFileError(
                None, f"the prompts folder '{root}' does not exist; create it, or name another"
            ) from error
        if not self._root.is_dir():
            raise PromptFileError(None, f"'{root}' is a file; the prompts folder must be a folder")

    def prompt_files(self) -> Iterator[str]:
        """
        List the prompt files, relative, with forward slashes, in a stable order.

        Raises:
            PromptFileError: A folder below cannot be read, or a name is not UTF-8.
        """
        for folder, names, files in os.walk(self._root, onerror=_refuse, followlinks=False):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in sorted(files):
                if is_prompt_file(name) and not name.startswith("."):
                    yield _readable((Path(folder) / name).relative_to(self._root).as_posix())

    def near_prompt(self) -> str | None:
        """
        Find a Markdown file right in the folder that was perhaps meant as a prompt.
        """
        found = sorted(path.name for path in self._root.glob("*.md") if path.name != "README.md")
        return found[0] if found else None

    def read_text(self, path: str) -> str:
        """
        Read a text file of the folder: UTF-8, each line break one line feed.

        Raises:
            PromptFileError: With a sentence; no line.
        """
        try:
            text = self.read_bytes(path, MAX_FILE_BYTES).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PromptFileError(None, f"'{path}' is not UTF-8 text; save it as UTF-8") from error
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def read_bytes(self, path: str, limit: int) -> bytes:
        """
        Read a file of the folder, at most `limit` bytes.

        Raises:
            PromptFileError: If it is missing, outside, hidden, or too large.
        """
        place = self._inside(path)
        try:
            with place.open("rb") as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise PromptFileError(None, f"'{path}' cannot be read: {error.strerror}") from error
        if len(content) > limit:
            raise PromptFileError(None, f"'{path}' is larger than {limit} bytes")
        return content

    def read_attachment(self, wish: Attachment) -> Content:
        """
        Read a resource or an image that a prompt names.

        Raises:
            PromptFileError: If it cannot be taken.
        """
        if wish.kind == "image":
            return self._image(wish.path)
        kind = wish.media_type or _media_type(wish.path)
        uri = wish.uri or f"ctxfy://resources/{quote(wish.path)}"
        _check_uri(uri)
        content = self.read_bytes(wish.path, MAX_FILE_BYTES)
        try:
            text = content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return ResourceContent(uri=uri, mime_type=kind, blob=content, path=wish.path)
        return ResourceContent(uri=uri, mime_type=kind, text=text, path=wish.path)

    def _image(self, path: str) -> ImageContent:
        known = IMAGE_TYPES.get(Path(path).suffix.lower())
        if known is None:
            endings = ", ".join(IMAGE_TYPES)
            raise PromptFileError(
                None, f"'{path}' is no image that clients show; use one of {endings}"
            )
        mime_type, magic = known
        data = self.read_bytes(path, MAX_IMAGE_BYTES)
        if not data.startswith(magic):
            raise PromptFileError(None, f"'{path}' does not hold the {mime_type} its name promises")
        return ImageContent(mime_type=mime_type, data=data)

    def _inside(self, path: str) -> Path:
        parts = Path(path).parts
        if Path(path).is_absolute() or ".." in parts or "\\" in path or "\0" in path:
            raise PromptFileError(
                None, f"'{path}' leads out of the prompt folder; name a file inside it"
            )
        if any(part.startswith(".") for part in parts):
            raise PromptFileError(
                None, f"'{path}' has a name that begins with a dot; those are not read"
            )
        try:
            place = (self._root / path).resolve(strict=True)
        except OSError as error:
            raise PromptFileError(
                None, f"there is no file '{path}' in the prompt folder"
            ) from error
        if not place.is_relative_to(self._root):
            raise PromptFileError(None, f"'{path}' is a link that leads out of the prompt folder")
        if not place.is_file():
            raise PromptFileError(None, f"'{path}' is not a file")
        return place


def _check_uri(uri: str) -> None:
    """
    Take a URI only in the form in which clients send it back: some write it anew when they parse.
    """
    try:
        normal = str(_URI.validate_python(uri))
    except ValidationError as error:
        raise PromptFileError(
            None, f"'{uri}' is no URI; write for example ctxfy://{quote(uri)}"
        ) from error
    if normal != uri:
        raise PromptFileError(None, f"the URI '{uri}' is not in its normal form; write '{normal}'")


def _refuse(error: OSError) -> None:
    # What is passed over in silence is missed in production.
    raise PromptFileError(None, f"the folder '{error.filename}' cannot be read: {error.strerror}")


def _readable(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = path.encode("utf-8", "replace").decode()
        raise PromptFileError(None, f"the name '{shown}' is not UTF-8; rename the file") from error
    return path


def _media_type(path: str) -> str:
    if path.endswith((".md", ".markdown")):
        return "text/markdown"
    return mimetypes.guess_type(path)[0] or "text/plain"
