"""
What the files to deploy with say must be so: of settings, ports, versions and each other.
"""

import re
from pathlib import Path

import pytest

from ctxfy import __version__
from ctxfy.adapters.container import healthcheck
from ctxfy.app.config import Settings, setting_names
from ctxfy.app.deployment_files import deployment_files, export_deployment
from ctxfy.core.exceptions import ConfigurationError


ROOT = Path(__file__).parents[2]
FILES = {name: content.decode() for name, content in deployment_files().items()}
SETTING = re.compile(r"\bCTXFY_[A-Z]+__[A-Z_]*[A-Z]\b")
DOCKERFILE = FILES["image/Dockerfile"]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_names_only_settings_that_exist(name: str) -> None:
    """
    Else the server would not start with it.
    """
    assert set(SETTING.findall(FILES[name])) <= set(setting_names())


def test_an_export_writes_every_file_and_spares_what_was_changed(tmp_path: Path) -> None:
    """
    A second one has nothing to do, a changed file is kept, and replaced when that is asked for.
    """
    first = export_deployment(tmp_path)
    assert set(first.written) == set(FILES)
    assert export_deployment(tmp_path).same == first.written
    mine = tmp_path / "image" / "Dockerfile"
    mine.write_text("FROM mine\n")
    assert export_deployment(tmp_path).kept == ["image/Dockerfile"]
    assert mine.read_text() == "FROM mine\n"
    assert export_deployment(tmp_path, force=True).written == ["image/Dockerfile"]
    assert mine.read_text() == DOCKERFILE


def test_an_export_into_a_file_is_refused(tmp_path: Path) -> None:
    """
    With one sentence.
    """
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="name another folder"):
        export_deployment(file)


def test_the_image_is_of_this_version() -> None:
    """
    Its label says which, unless the build says otherwise.
    """
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE


def test_the_port_is_one_everywhere() -> None:
    """
    What the settings default to is what the image opens and its health check asks.
    """
    port = Settings().server.port
    assert port == healthcheck.PORT
    assert f"\nEXPOSE {port}\n" in DOCKERFILE
    assert f"CTXFY_SERVER__PORT={port} " in DOCKERFILE


def test_the_image_runs_as_nobody_in_particular() -> None:
    """
    Both targets end as the one user that is made, who owns nothing but the place for state.
    """
    stages = DOCKERFILE.split("\nFROM ")[1:]
    users = [re.findall(r"^USER (.*)$", stage, re.MULTILINE) for stage in stages]
    assert users == [[], [], ["10001:10001"], ["10001:10001"]]
    assert "--chown" not in DOCKERFILE


def test_what_is_copied_into_the_image_is_let_into_its_context() -> None:
    """
    `.dockerignore` keeps everything out but that.
    """
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[1] == "*"
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_packages_of_the_image_are_locked_by_hashes() -> None:
    """
    Every file of requirements that it installs has them, and is installed with them alone.
    """
    installs = re.findall(r"pip [^&]*install [^&]*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    for name in ("build", "runtime"):
        locked = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        assert len(re.findall(r"^[\w.-]+==", locked, re.MULTILINE)) <= locked.count(
            "--hash=sha256:"
        )
