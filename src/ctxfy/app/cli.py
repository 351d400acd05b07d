"""
The `ctxfy` command. Exit codes: 0 done, 1 it went wrong, 2 the command line is wrong.
"""

import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from ctxfy import __version__
from ctxfy.app import (
    audit_commands,
    config_commands,
    db_commands,
    deployment_commands,
    docs_commands,
    key_commands,
    privacy_commands,
)
from ctxfy.app.command_line import Config, Folder, Json, chosen_settings, write_json
from ctxfy.app.command_mistakes import explain_command_line
from ctxfy.app.connect_command import connect
from ctxfy.app.doctor_command import doctor
from ctxfy.app.starting_commands import init, new
from ctxfy.app.stdio_command import stdio
from ctxfy.app.top_command import top
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.use_cases.monitoring_use_cases import redact_text
from ctxfy.core.use_cases.validation_use_cases import plural


app = App(
    name="ctxfy",
    help="The production prompt server for the Model Context Protocol.",
    version=__version__,
    version_flags=["--version", "-V"],
)
app.command(config_commands.app)
app.command(key_commands.app)
app.command(audit_commands.app)
app.command(privacy_commands.app)
app.command(db_commands.app)
app.command(deployment_commands.app)
app.command(docs_commands.app)
app.command(init)
app.command(new)
app.command(stdio)
app.command(connect)
app.command(doctor)
app.command(top)


def main() -> None:
    """
    Run the command line, and end the process with its exit code.
    """
    try:
        _run()
    except CycloptsError as error:
        # It quotes what was typed, and that may be a key.
        _complain(redact_text(explain_command_line(error)), 2)
    except CtxfyError as error:
        _complain(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has enough.
        _drop_output()
        sys.exit(1)
    except OSError as error:
        _drop_output()
        place = f"'{error.filename}'" if error.filename else "The output"
        _complain(f"{place} cannot be used: {(error.strerror or str(error)).lower()}.", 1)
    except Exception as error:  # noqa: BLE001 - a defect of ours, and still no traceback for people
        _complain(f"Something went wrong inside: {_place_of(error)}. Please report it.", 1)


def _run() -> None:
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False)
    finally:
        # Here, where a failure can still be told, and not while Python ends.
        if sys.stdout is not None:
            sys.stdout.flush()


def _drop_output() -> None:
    # What is left in the buffer would make Python complain once more while it ends.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command
def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 picks one.")] = None,
    prompts: Folder = None,
    workers: Annotated[int | None, Parameter(help="Processes that serve together.")] = None,
    log_level: Annotated[str | None, Parameter(help="Least level written, such as DEBUG.")] = None,
    config: Config = None,
) -> None:
    """
    Serve the prompts over MCP until SIGINT or SIGTERM.
    """
    from ctxfy.app.serving import serve as serve_until_signal

    serve_until_signal(
        chosen_settings(
            prompts, host=host, port=port, log_level=log_level, workers=workers, config=config
        )
    )


@app.command
def check(path: Folder = None, *, as_json: Json = False) -> None:
    """
    Check a folder of prompts and run the tests inside the files.
    """
    from ctxfy.app.progress import told_if_slow
    from ctxfy.app.prompt_check import PromptCheck

    settings = chosen_settings(path)
    with told_if_slow(f"Checking {settings.prompts.folder}"):
        report = PromptCheck(settings.prompts.folder, settings, with_modules=True).result()
    if as_json:
        problems = [
            {"path": item.path, "line": item.line, "message": item.message}
            for item in report.problems
        ]
        write_json(
            {
                "ok": not problems,
                "prompts": report.prompts,
                "tests": report.tests,
                "revision": report.revision,
                "modules": {name: list(names) for name, names in report.modules.items()},
                "problems": problems,
            }
        )
    else:
        for problem in report.problems:
            print(problem, file=sys.stderr)
        if not report.problems:
            for module, names in report.modules.items():
                print(f"{module}: {', '.join(names)}")
            found = f"{plural(report.prompts, 'prompt')}, {plural(report.tests, 'test')}"
            print(f"{found}: all good.")
    if report.problems:
        if not as_json:
            print(f"{plural(len(report.problems), 'problem')}.", file=sys.stderr)
        sys.exit(1)


@app.command
def render(
    name: Annotated[str, Parameter(help="The prompt's name.")],
    /,
    *values: Annotated[str, Parameter(help="key=value, or key=@FILE; key=@- is standard input.")],
    prompts: Folder = None,
    prompt_version: Annotated[
        str | None, Parameter(name="--prompt-version", help="Not the highest version, but this.")
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Render one prompt here, as a client would get it.
    """
    from ctxfy.app.rendering import parse_values, render_here, show_messages

    rendered = render_here(chosen_settings(prompts), name, prompt_version, parse_values(values))
    if as_json:
        from ctxfy.adapters.mcp_prompts.prompt_fields import plain_rendering

        write_json(plain_rendering(rendered))
    else:
        print(show_messages(rendered.messages))


@app.command
def openapi(
    *,
    prompts: Folder = None,
    output: Annotated[Path | None, Parameter(help="A file; else standard output.")] = None,
) -> None:
    """
    Write the OpenAPI document of a folder of prompts; no server and no key are needed.
    """
    from ctxfy.app.api_description import describe_here

    document = describe_here(chosen_settings(prompts))
    if output is None:
        print(document)
    else:
        output.write_text(f"{document}\n", encoding="utf-8")


@app.command
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], Parameter(help="Which shell it is for.")],
    /,
) -> None:
    """
    Write the completion script of a shell to standard output.

    For bash, in ~/.bashrc: `eval "$(ctxfy completion bash)"`.
    """
    # The name of a shell, and none is started.
    print(app.generate_completion(prog_name="ctxfy", shell=shell))  # nosec B604


def _place_of(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _complain(sentence: str, code: int) -> None:
    print(f"ctxfy: {sentence}", file=sys.stderr)
    sys.exit(code)
