"""The files of `deploy/`: accepted by the tools that read them, bounded, hardened, pinned."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.settings import ROOT

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
COMPOSE = (ROOT / "compose.yaml", DEPLOY / "compose.yaml")
PUBLIC = {**os.environ, "SERVER_NAME": "kb.example.org", "POSTGRES_PASSWORD": "x", "TLS_DIRECTORY": "/etc/tls"}
UNIT = DEPLOY / "ldn-evidence.service"
KUBERNETES = ("1.30", "1.37")
"""The oldest and the newest version for which the manifests are checked."""

Json = dict[str, Any]


def documents() -> Iterator[Json]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def pods() -> Iterator[tuple[str, Json]]:
    """The name of each workload, and the specification of its pods."""
    for document in documents():
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            yield document["metadata"]["name"], template["spec"]


def output_of(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    """What the command prints; the test fails where it does."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on the PATH")
    return found


# --- Kubernetes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field_of_the_manifests(version: str) -> None:
    for document in documents():
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_is_not_accepted() -> None:
    """Otherwise the test above would say nothing."""
    document = next(document for document in documents() if document["kind"] == "Deployment")
    document["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES[1], strict=True)


def test_kubeconform_accepts_the_manifests() -> None:
    """With schemas that are on this machine: left to itself it fetches them."""
    schemas = Path(kubernetes_validate.__path__[0]) / "kubernetes-json-schema" / f"v{KUBERNETES[1]}.0-local-strict"
    assert (schemas / "deployment-apps-v1.json").exists()
    location = f"{schemas}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
    output_of(tool("kubeconform"), "-strict", "-schema-location", location, *MANIFESTS)


def test_the_kustomization_lists_every_manifest_but_the_example_of_the_secret() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted([*listed, "secret.example.yaml"]) == [path.name for path in MANIFESTS]


def test_every_kind_that_an_operator_needs_is_there() -> None:
    needed = {"Deployment", "Service", "Ingress", "PodDisruptionBudget", "NetworkPolicy", "Secret", "Job", "CronJob"}
    assert needed - {document["kind"] for document in documents()} == set()


def test_pods_are_bounded_and_have_no_rights() -> None:
    found = dict(pods())
    assert len(found) == 3
    for name, pod in found.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["resources"]["limits"]["memory"], name
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"] is True, name
            assert (rights["allowPrivilegeEscalation"], rights["capabilities"]) == (False, {"drop": ["ALL"]}), name


def test_the_pods_of_the_api_have_time_to_drain() -> None:
    config = next(document for document in documents() if document["kind"] == "ConfigMap")["data"]
    api = dict(pods())["ldn-evidence"]
    assert api["terminationGracePeriodSeconds"] > int(config["SHUTDOWN_DELAY_SECONDS"]) + 15


# --- compose ----------------------------------------------------------------------------------------------------------


def test_docker_compose_accepts_both_files_together() -> None:
    compose = ["docker", "compose"] if _has_compose_plugin() else [tool("docker-compose")]
    files = [part for path in COMPOSE for part in ("--file", str(path))]
    services = yaml.safe_load(output_of(*compose, *files, "config", environment=PUBLIC))["services"]
    assert set(services) == {"api", "database", "migrate", "nginx"}
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def _has_compose_plugin() -> bool:
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_every_service_in_public_is_bounded_and_logs_are() -> None:
    services = yaml.safe_load(COMPOSE[1].read_text(encoding="utf-8"))["services"]
    for name, service in services.items():
        assert {"mem_limit", "pids_limit", "cpus"} <= set(service), name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


# --- images -----------------------------------------------------------------------------------------------------------


def test_images_of_others_are_pinned_to_a_release() -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images = re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)
    for path in COMPOSE:
        images += re.findall(r"image: (\S+)", path.read_text(encoding="utf-8"))
    foreign = [image for image in images if not image.startswith("ldn-evidence:")]
    assert len(foreign) == 4
    for image in foreign:
        assert re.search(r":\d+(\.\d+)+(-slim)?(@sha256:[0-9a-f]{64})?$", image), image


def locked(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def test_what_runs_is_locked_without_the_tools_that_build_it() -> None:
    names = {
        lock: set(
            re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(encoding="utf-8"), re.MULTILINE)
        )
        for lock in ("run.txt", "build.txt", "dev.txt")
    }
    assert "hatchling" in names["build.txt"]
    tools = {*names["build.txt"], "pip", "setuptools", "wheel"} - {"packaging"}  # which limits needs as well
    assert names["run.txt"] & tools == set()
    assert names["run.txt"] | names["build.txt"] <= names["dev.txt"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert [requirement.partition(">")[0] for requirement in groups["build"]] == ["hatchling"]


# --- systemd ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    text = UNIT.read_text(encoding="utf-8").replace("/opt/ldn-evidence/.venv/bin/ldn-evidence", "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text, encoding="utf-8")
    return copy


def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run([tool("systemd-analyze"), "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardened(unit: Path) -> None:
    """`systemd-analyze security` rates exposure from 0 to 10."""
    output_of(tool("systemd-analyze"), "security", "--offline=true", "--threshold=20", unit)
