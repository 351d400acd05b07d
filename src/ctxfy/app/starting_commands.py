"""
`ctxfy init` and `ctxfy new`: the first files, and further ones.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Folder, Json, chosen_settings, write_json


def init(
    folder: Annotated[Path | None, Parameter(help="Where; made if missing. Default: here.")] = None,
    /,
    *,
    as_json: Json = False,
) -> None:
    """
    Begin: a folder of prompts with one example, and what belongs beside it.

    What is there already is left as it is.
    """
    from ctxfy.app.first_files import write_first_files

    files = write_first_files(folder or Path())
    if as_json:
        write_json({"written": files.written, "kept": files.kept, "advice": files.advice})
        return
    for name in files.written:
        print(f"wrote {files.folder / name}")
    for name in files.kept:
        print(f"left {files.folder / name} as it is")
    for sentence in files.advice:
        print(sentence, file=sys.stderr)
    print(files.next_steps())


def new(
    name: Annotated[str, Parameter(help="The prompt's name, and its file's.")],
    /,
    *,
    prompts: Folder = None,
    as_json: Json = False,
) -> None:
    """
    Write a new prompt file to fill in; it passes `ctxfy check` as it is.
    """
    from ctxfy.app.first_files import write_new_prompt

    file = write_new_prompt(chosen_settings(prompts).prompts.folder, name)
    if as_json:
        write_json({"name": name, "path": str(file)})
        return
    print(f"wrote {file}")
    print(f"Fill it in, then: ctxfy check, and: ctxfy render {name} topic='the tides'")
