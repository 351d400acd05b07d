"""
What the files to deploy with say must be so: of settings, ports, versions and each other.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctxfy import __version__
from ctxfy.adapters.container import healthcheck
from ctxfy.app.config import SECRETS_DIR, Settings, setting_names
from ctxfy.app.deployment_files import deployment_files, export_deployment
from ctxfy.app.routes import route_policies
from ctxfy.core.exceptions import ConfigurationError
from tests.monitoring_tools import RULE_FILES


ROOT = Path(__file__).parents[2]
FILES = {name: content.decode() for name, content in deployment_files().items()}
SETTING = re.compile(r"\bCTXFY_[A-Z]+__[A-Z_]*[A-Z]\b")
DOCKERFILE = FILES["image/Dockerfile"]
MANIFESTS = sorted(
    name for name in FILES if name.endswith(".yaml") and not name.startswith("monitoring/")
)
BASE = "kubernetes/base/"
WORKFLOWS = ROOT / ".github" / "workflows"

type Object = Mapping[str, Any]


def objects_of(name: str) -> list[Object]:
    """
    List the objects in a file.
    """
    return [each for each in yaml.safe_load_all(FILES[name]) if each]


WORKLOADS = [
    each
    for name in MANIFESTS
    if name.startswith(BASE)
    for each in objects_of(name)
    if each["kind"] in {"Deployment", "Job", "CronJob"}
]
each_workload = pytest.mark.parametrize(
    "workload", WORKLOADS, ids=lambda each: each["metadata"]["name"]
)


def pod_of(workload: Object) -> Object:
    """
    Find what a workload says of its pods.
    """
    spec = workload["spec"]
    spec = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
    pod: Object = spec["template"]["spec"]
    return pod


def values_of(node: object, key: str) -> Iterator[Any]:
    """
    Find every value of a key, however deep.
    """
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values_of(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values_of(value, key)


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


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_can_be_read(name: str) -> None:
    """
    Each document in it is a mapping, and says what it is if it is for Kubernetes.
    """
    objects = objects_of(name)
    assert objects
    if name.startswith("kubernetes/"):
        assert all({"apiVersion", "kind"} <= each.keys() for each in objects)


def test_the_base_takes_every_file_beside_it() -> None:
    """
    None is left out, and none is named that is not there.
    """
    (kustomization,) = objects_of(f"{BASE}kustomization.yaml")
    there = {name.removeprefix(BASE) for name in MANIFESTS if name.startswith(BASE)}
    assert set(kustomization["resources"]) == there - {"kustomization.yaml"}
    prompts = kustomization["configMapGenerator"][1]["files"]
    assert set(prompts) == {
        name.removeprefix(BASE) for name in FILES if name.startswith(f"{BASE}prompts/")
    }


@each_workload
def test_a_pod_has_no_more_rights_than_it_needs(workload: Object) -> None:
    """
    One user, no capability, a root that cannot be written to, no token, and nothing injected.
    """
    pod = pod_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsUser"] == 10001
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["resources"].keys() == {"requests", "limits"}


@each_workload
def test_a_pod_mounts_what_it_names_and_names_what_it_mounts(workload: Object) -> None:
    """
    Every volume is one that there is, and the secrets are where the settings are read from.
    """
    pod = pod_of(workload)
    for container in pod["containers"]:
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert set(mounts) == {each["name"] for each in pod["volumes"]}
        assert mounts["secrets"] == SECRETS_DIR
        assert container["image"] == "ctxfy"


def test_objects_refer_only_to_what_is_made_or_told_of() -> None:
    """
    ConfigMaps that are generated, and what an operator makes by the guide.
    """
    guide = (ROOT / "docs" / "how-to" / "deploy-on-kubernetes.md").read_text(encoding="utf-8")
    (kustomization,) = objects_of(f"{BASE}kustomization.yaml")
    made = {each["name"] for each in kustomization["configMapGenerator"]}
    for workload in WORKLOADS:
        for reference in values_of(workload, "configMapRef"):
            assert reference["name"] in made
        for secret in values_of(workload, "secretName"):
            assert f"secret generic {secret} " in guide
        for volume in values_of(workload, "configMap"):
            assert volume["name"] in made or f"configmap {volume['name']} " in guide


def test_a_secret_is_named_as_its_setting() -> None:
    """
    In both the guides and the set for Compose; a wrong name would stop the start.
    """
    pages = [
        (ROOT / "docs" / "how-to" / f"deploy-{page}.md").read_text(encoding="utf-8")
        for page in ("on-kubernetes", "with-compose")
    ]
    told = {name for text in pages for name in re.findall(r"\bctxfy_[a-z]+__[a-z_]*[a-z]\b", text)}
    (production,) = objects_of("compose/production.yaml")
    assert told
    assert set(production["secrets"]) <= told
    assert {name.upper() for name in told} <= set(setting_names())


def test_pods_are_probed_and_reached_at_the_port_of_the_settings() -> None:
    """
    By its name, from the service and each probe; and the probes ask what needs no key.
    """
    (deployment,) = objects_of(f"{BASE}deployment.yaml")
    (container,) = pod_of(deployment)["containers"]
    (service,) = objects_of(f"{BASE}service.yaml")
    assert container["ports"] == [{"name": "http", "containerPort": Settings().server.port}]
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    public = {policy.path for policy in route_policies(public_metrics=False) if not policy.scope}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == "http"
        assert asked["path"] in public


def test_a_pod_has_time_to_end() -> None:
    """
    What it waits before the signal, and for open requests after it, is less than it is given.
    """
    (deployment,) = objects_of(f"{BASE}deployment.yaml")
    pod = pod_of(deployment)
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    ends = int(re.findall(r"SHUTDOWN_SECONDS=(\d+)", FILES[f"{BASE}kustomization.yaml"])[0])
    assert waits + ends + 10 <= pod["terminationGracePeriodSeconds"]


def test_the_rules_for_the_operator_are_the_plain_ones() -> None:
    """
    Group by group, as they stand in the files that Prometheus reads.
    """
    operator = objects_of(f"{BASE}prometheus-rules.yaml")
    plain = [path for path in RULE_FILES if path.stem.endswith("-rules")]
    assert plain == RULE_FILES
    assert {each["metadata"]["name"]: each["spec"]["groups"] for each in operator} == {
        f"ctxfy-{path.stem}": yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for path in plain
    }


def test_manifests_are_of_this_version() -> None:
    """
    Wherever an image of ours is named.
    """
    (kustomization,) = objects_of(f"{BASE}kustomization.yaml")
    assert kustomization["images"] == [{"name": "ctxfy", "newTag": __version__}]
    images = re.findall(r"image: (\S*ctxfy:\S+)", FILES["compose/production.yaml"])
    assert set(images) == {f"${{REGISTRY-}}ctxfy:{__version__}"}


def test_no_file_names_a_host_of_images() -> None:
    """
    Whose registry it is, is said by whoever deploys.
    """
    for name in MANIFESTS:
        for image in values_of(objects_of(name), "image"):
            host = image.removeprefix("${REGISTRY-}").partition("/")[0]
            assert "." not in host.partition(":")[0], name


def test_services_of_compose_have_no_rights_to_gain() -> None:
    """
    Each of both sets, in production also without capabilities that it has no use for.
    """
    (development,) = objects_of("compose/development.yaml")
    (production,) = objects_of("compose/production.yaml")
    services = [*development["services"].values(), *production["services"].values()]
    assert all(each["security_opt"] == ["no-new-privileges:true"] for each in services)
    assert all(each["cap_drop"] == ["ALL"] for each in production["services"].values())
    ports = [port for each in development["services"].values() for port in each.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_workflow_takes_actions_by_their_commit_and_few_rights(path: Path) -> None:
    """
    A tag can be moved; and what a job may do is said by that job.
    """
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", each) for each in used)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]["contents"] in {"read", "write"}
        assert job["timeout-minutes"] <= 60
