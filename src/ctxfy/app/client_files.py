"""
A client's configuration put into its file, beside all that is there.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ctxfy.app.client_snippets import SERVER, Client, JsonObject
from ctxfy.core.exceptions import ConfigurationError


def write_snippet(client: Client, folder: Path, url: str) -> tuple[Path, bool]:
    """
    Put the server into a client's file of a project; everything else in it stays.

    Returns:
        The file, and whether it was changed: it may hold the very same already.

    Raises:
        ConfigurationError: The file is not plain JSON, or holds another server of that name.
    """
    file = folder / client.file
    present = _read(file)
    snippet, changed = client.snippet(url), False
    for section, wanted in snippet.items():
        kept = present.get(section)
        if section not in present:
            present[section], changed = wanted, True
        elif isinstance(kept, dict) and isinstance(wanted, Mapping):
            changed |= _put(file, kept, wanted)
        elif isinstance(kept, list) and isinstance(wanted, list):
            missing = [item for item in wanted if item not in kept]
            kept += missing
            changed |= bool(missing)
        else:
            raise ConfigurationError(f"'{file}' has no mapping under '{section}'; mend it first.")
    if changed:
        _write(file, present)
    return file, changed


def _put(file: Path, servers: dict[str, object], wanted: Mapping[str, object]) -> bool:
    if servers.get(SERVER, wanted[SERVER]) != wanted[SERVER]:
        raise ConfigurationError(
            f"'{file}' has another server called '{SERVER}'; take it out, or change it by hand."
        )
    changed = SERVER not in servers
    servers.update(wanted)
    return changed


def _read(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ConfigurationError(
            f"'{file}' is not plain JSON (comments?); put the snippet in by hand."
        ) from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"'{file}' holds no JSON object; put the snippet in by hand.")
    return found


def _write(file: Path, content: JsonObject) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Beside it and then in its place: a client may read at any moment.
    descriptor, aside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        Path(aside).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        Path(aside).replace(file)
    finally:
        with suppress(FileNotFoundError):
            Path(aside).unlink()
