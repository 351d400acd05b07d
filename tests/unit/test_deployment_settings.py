"""
The settings that files to deploy with give, read as the server would read them in each place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctxfy.app.checkup import check_secrets
from ctxfy.app.config import SECRETS_DIR, Settings, load_settings
from ctxfy.app.deployment_files import deployment_files
from ctxfy.app.places import ledger_file, spool_file
from ctxfy.core.models.monitoring_models import HealthStatus


FILES = {name: content.decode() for name, content in deployment_files().items()}
DOCKERFILE = FILES["image/Dockerfile"]
STATE = "/var/lib/ctxfy"
MOUNTED_SECRETS = {
    "CTXFY_STORAGE__PASSWORD": "secret",
    "CTXFY_AUTH__PEPPER": "cGVwcGVyIHBlcHBlciBwZXBwZXIgcGVwcGVyIHBlcHBlcg==",
    "CTXFY_AUTH__MASTER_KEY": "bWFzdGVya2V5bWFzdGVya2V5bWFzdGVya2V5bWFzdGU=",
}
HOST = "prompts.example.com"
DATABASE = {"CTXFY_STORAGE__URL": "postgresql://ctxfy@postgres:5432/ctxfy"}

type Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where ctxfy runs.

    Attributes:
        given: Its environment, and its mounted secrets.
        kept: Folders that are there and may be written to.
        there: Folders that something is mounted into to be read.
    """

    name: str
    given: Environment
    kept: Sequence[str]
    there: Sequence[str] = ()


def image(target: str = "production") -> dict[str, str]:
    """
    Read what a target of the image sets.
    """
    stages = dict(re.findall(r"(?ms)^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE))
    text = "\n".join(
        statement
        for stage in ("base", target)
        for statement in re.findall(r"(?m)^ENV ((?:.*\\\n)*.*)$", stages[stage])
    )
    return dict(re.findall(r"(CTXFY_\w+)=(\S+)", text))


def compose(name: str) -> Iterator[Place]:
    """
    List the services of a set that run ctxfy.
    """
    manifest = yaml.safe_load(FILES[f"compose/{name}.yaml"])
    for service, told in manifest["services"].items():
        if "ctxfy:" not in told["image"]:
            continue
        target = told.get("build", {}).get("target", "production")
        given = {
            setting: re.sub(r"\$\{\w+-\}", "", re.sub(r"\$\{CTXFY_HOST[^}]*\}", HOST, value))
            for setting, value in told["environment"].items()
        }
        named = {each.upper(): MOUNTED_SECRETS[each.upper()] for each in told.get("secrets", ())}
        mounts = [re.sub(r"\$\{[^}]*\}", "", each).split(":")[1:] for each in told["volumes"]]
        yield Place(
            name=f"compose/{name}: {service}",
            given=image(target) | given | named,
            # The image makes a volume of the place for state.
            kept=[STATE, *(each[0] for each in mounts if each[1:] != ["ro"])],
            there=[each[0] for each in mounts],
        )


def kubernetes(overlay: str) -> Iterator[Place]:
    """
    List the workloads of an overlay.
    """
    settings = image() | MOUNTED_SECRETS | DATABASE
    for folder in ("base", f"overlays/{overlay}"):
        told = yaml.safe_load(FILES[f"kubernetes/{folder}/kustomization.yaml"])
        (generated,) = [
            each["literals"]
            for each in told["configMapGenerator"]
            if each["name"] == "ctxfy-settings"
        ]
        settings |= dict(each.split("=", 1) for each in generated)
    for name in ("deployment", "migration", "backup"):
        for each in yaml.safe_load_all(FILES[f"kubernetes/base/{name}.yaml"]):
            if each["kind"] in {"Deployment", "Job", "CronJob"}:
                yield _workload(f"{overlay}: {name}", each["spec"], settings)


def _workload(name: str, spec: Mapping[str, Any], settings: Environment) -> Place:
    pod = spec.get("jobTemplate", {}).get("spec", spec)["template"]["spec"]
    (container,) = pod["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "ctxfy-settings"}}]
    own = {each["name"]: each["value"] for each in container.get("env", ())}
    mounts = container["volumeMounts"]
    return Place(
        name=name,
        given={**settings, **own},
        kept=[each["mountPath"] for each in mounts if not each.get("readOnly")],
        there=[each["mountPath"] for each in mounts],
    )


def systemd() -> Place:
    """
    The unit.
    """
    unit = FILES["systemd/ctxfy.service"]
    (state,) = re.findall(r"(?m)^StateDirectory=(.*)$", unit)
    return Place(
        name="systemd",
        given=dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", unit)),
        kept=[f"/var/lib/{state}"],
        there=["/srv/ctxfy"],
    )


PLACES = [
    Place(name="image", given=image(), kept=[STATE], there=["/srv/ctxfy"]),
    *compose("development"),
    *compose("production"),
    *kubernetes("staging"),
    *kubernetes("production"),
    systemd(),
]


@pytest.fixture(params=PLACES, ids=lambda place: place.name)
def place(request: pytest.FixtureRequest) -> Place:
    """
    Each place in turn.
    """
    found: Place = request.param
    return found


@pytest.fixture
def settings(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """
    What the server would read there.
    """
    monkeypatch.chdir(tmp_path)
    for name, value in place.given.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_every_value_can_be_used(place: Place, settings: Settings) -> None:
    """
    Not only the names: a value that cannot be would stop the start where nobody tried it.
    """
    assert place.given.keys() >= {"CTXFY_PROMPTS__FOLDER", "CTXFY_STORAGE__URL"}
    assert str(settings.prompts.folder) == place.given["CTXFY_PROMPTS__FOLDER"]
    assert settings.storage.url.startswith(("sqlite:////", "postgresql://"))
    assert check_secrets(settings).status is not HealthStatus.FAIL


def test_what_is_written_outlives_the_process(place: Place, settings: Settings) -> None:
    """
    The root cannot be written to, so each file lies in a folder that is kept.
    """
    files = [spool_file(settings), ledger_file(settings), settings.logging.file]
    if settings.storage.url.startswith("sqlite:///"):
        files.append(Path(settings.storage.url.removeprefix("sqlite:///")))
    files.append(settings.auth.key_file)
    for file in filter(None, files):
        assert any(file.is_relative_to(each) for each in place.kept), file


def test_what_is_read_is_mounted(place: Place, settings: Settings) -> None:
    """
    Prompts where they are served, authorities where TLS asks for them.
    """
    is_server = place.name.endswith(("ctxfy", "deployment", "image", "systemd"))
    wanted = [settings.storage.tls_ca, *([settings.prompts.folder] if is_server else [])]
    for path in filter(None, wanted):
        assert any(path.is_relative_to(each) for each in place.there), path


def test_the_ledger_lies_beside_the_backups() -> None:
    """
    So that it is copied with them, and never goes back with the database.
    """
    backups = [each for each in PLACES if each.name.endswith("backup")]
    assert len(backups) == 3
    for each in backups:
        assert each.given["CTXFY_PRIVACY__LEDGER_FILE"] == "/backups/ctxfy.erasures"
        assert "/backups" in each.kept


def test_replicas_do_not_move_tables_by_themselves() -> None:
    """
    On Kubernetes the Job does, before they come.
    """
    pods = [each for each in PLACES if each.name.endswith("deployment")]
    assert [each.given["CTXFY_STORAGE__MIGRATE"] for each in pods] == ["check", "check"]
    assert SECRETS_DIR in pods[0].there
