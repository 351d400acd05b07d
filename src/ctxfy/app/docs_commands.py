"""
`ctxfy docs`: the documentation of prompts, for places that ctxfy does not serve.
"""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ctxfy.app.command_line import Folder, Json, chosen_settings, write_json
from ctxfy.core.use_cases.validation_use_cases import plural


app = App(name="docs", help="Write the documentation of the prompts.")


@app.command
def export(
    folder: Annotated[Path, Parameter(help="Where to; made if missing.")],
    /,
    *,
    prompts: Folder = None,
    as_json: Json = False,
) -> None:
    """
    Write a page of Markdown for each prompt, and an index, for a wiki or a repository.

    The same prompts make the same files. Pages of prompts that are gone are removed; files that
    this command did not write are left alone.
    """
    from ctxfy.app.docs_export import export_docs

    done = export_docs(chosen_settings(prompts), folder)
    if as_json:
        write_json({"folder": str(folder), "files": done.files, "removed": done.removed})
        return
    print(f"{plural(len(done.files), 'file')} in {folder}.")
    for name in done.removed:
        print(f"removed {folder / name}")
