"""
`ctxfy deployment`: the files to run ctxfy with, as they belong to this version.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ctxfy.app.command_line import Json, write_json


app = App(name="deployment", help="The files to deploy this version with.")


@app.command
def export(
    folder: Annotated[Path, Parameter(help="Where; made if missing.")],
    /,
    *,
    force: Annotated[
        bool, Parameter(negative="", help="Write over files that are different there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Write the Dockerfile, manifests, units and rules of this version into a folder.

    What differs there is left as it is, unless it is asked for, and the exit code is 1 then.
    """
    from ctxfy.app.deployment_files import export_deployment

    done = export_deployment(folder, force=force)
    if as_json:
        write_json({"written": done.written, "same": done.same, "kept": done.kept})
    else:
        for name in done.written:
            print(f"wrote {folder / name}")
        if not done.written and not done.kept:
            print(f"'{folder}' holds this version's files already.")
    for name in done.kept:
        print(f"left {folder / name} as it is: it differs; --force replaces it", file=sys.stderr)
    if done.kept:
        sys.exit(1)
