"""What the Dockerfile puts together runs: locked, as nobody, from a directory that cannot be written to.

It is the same image/install.sh; only the base image and the layers need an engine.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from supply.lock import normalized, read_lock
from tests.chart import helm, image, release
from tests.chart.helm import NAMESPACE, ROOT, pod, rendered
from tests.chart.image import dockerfile
from tests.chart.pods import RunningPod, run_once, running, wait_for
from tests.support.control_plane import ControlPlane

SECRET = b"it is a secret of the tests"
DELIVERY = {
    "action": "opened",
    "pull_request": {"number": 42, "updated_at": "2026-11-24T09:00:00Z"},
    "repository": {"id": 812, "full_name": "acme/shop"},
    "installation": {"id": 7},
}
PREVIEW = "/apis/previewbot.dev/v1alpha1/previews/gh-812-42"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/previewbot-controller"

# The first test waits for the whole installation: it is pip that is slow where much else runs.
pytestmark = pytest.mark.timeout(2 * image.SECONDS)


@pytest.fixture(scope="module")
def prefix() -> Iterator[Path]:
    with image.installed() as directory:
        yield directory


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can look into, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="previewbot-pod-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="module")
def cluster_with_release(cluster: ControlPlane) -> Iterator[ControlPlane]:
    with release.installed(cluster, "minimal") as there:
        yield there
    for path in (PREVIEW, LEASE):
        there.call("DELETE", path)


@pytest.fixture
def web(prefix: Path, cluster_with_release: ControlPlane, folder: Path) -> Iterator[RunningPod]:
    with running(
        rendered("minimal"), "web", image=prefix, cluster=cluster_with_release, folder=folder,
        secret={"webhook-secret": SECRET}, environment={},
    ) as there:  # fmt: skip
        there.wait_until_ready()
        yield there


def a_private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def installed_in(prefix: Path) -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "--python", f"{prefix}/bin/python", "list", "--format=json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {normalized(found["name"]): found["version"] for found in json.loads(listed)}


def test_exactly_the_locked_versions_are_in_it_and_no_pip(prefix: Path) -> None:
    pins = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    locked = {pin.name: pin.version for pin in pins}

    assert installed_in(prefix) == {**locked, "previewbot": version()}
    assert "previewbot-demo" not in locked


def version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: str = project["project"]["version"]
    return found


def test_the_list_of_what_is_in_it_has_all_that_is_installed_and_nothing_else(
    prefix: Path, wheel: Path
) -> None:
    document = bill_of(wheel)
    packages = {part["name"]: part["version"] for part in document["components"] if part["bom-ref"] != "base"}

    assert packages == installed_in(prefix)


def test_no_file_is_in_it_that_no_package_of_that_list_brought(prefix: Path) -> None:
    own = re.compile(r"pyvenv\.cfg|bin/(python[\d.]*|[Aa]ctivate.*)|lib64|include(/.*)?")
    site = next(prefix.glob("lib/python3*/site-packages"))
    brought = set()
    for found in metadata.distributions(path=[str(site)]):
        assert found.files is not None
        brought |= {Path(os.path.normpath(site / str(file))) for file in found.files}

    files = {path for path in prefix.rglob("*") if not path.is_dir() or path.is_symlink()}
    left = {str(path.relative_to(prefix)) for path in files - brought}

    assert {path for path in left if not own.fullmatch(path)} == set()


def test_the_wheel_in_it_is_the_one_that_anybody_builds_from_the_sources(prefix: Path, wheel: Path) -> None:
    [found] = prefix.glob("lib/python3*/site-packages/previewbot-*.dist-info/direct_url.json")
    told = json.loads(found.read_text("utf-8"))["archive_info"]["hashes"]["sha256"]

    assert told == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert bill_of(wheel)["components"][0]["hashes"] == [{"alg": "SHA-256", "content": told}]


def bill_of(wheel: Path) -> Any:
    command = [sys.executable, "-m", "supply.sbom", str(wheel)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout
    return json.loads(listed)


def test_it_says_how_it_is_used(prefix: Path) -> None:
    result = run_once(prefix, "--help")

    assert result.returncode == 0
    assert result.stdout.startswith("usage: previewbot ")
    assert result.stderr == ""


def test_the_wheel_brings_templates_and_crd_but_no_tests(prefix: Path) -> None:
    [package] = prefix.glob("lib/python3*/site-packages/previewbot")

    assert (package / "templates" / "comment.md").is_file()
    assert {path.name for path in (package / "crds").iterdir()} == {"previews.yaml", "previewrequests.yaml"}
    assert not list(package.parent.glob("tests"))


def test_nothing_of_the_demo_is_in_it_and_the_command_says_so(prefix: Path) -> None:
    names = [path.name.lower() for path in prefix.rglob("*")]

    result = run_once(prefix, "demo", "--check")

    assert [name for name in names if "previewbot_demo" in name or "previewbot-demo" in name] == []
    assert [name for name in names if "fake" in name and name.endswith(".py")] == []
    assert (result.returncode, result.stdout) == (2, "")
    assert "which is not installed here" in result.stderr


def test_its_user_can_write_to_nothing_of_it(prefix: Path) -> None:
    probe = "import os, sys; print([p for p in sys.argv[1:] if os.access(p, os.W_OK)])"
    paths = [str(prefix), *(str(path) for path in prefix.glob("*/*"))]
    if os.getuid() != 0:
        assert not os.access(prefix, os.W_OK)

    command = image.as_nobody([f"{prefix}/bin/python", "-c", probe, *paths])

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_web_takes_a_delivery_under_the_charts_role(web: RunningPod, cluster: ControlPlane) -> None:
    body = json.dumps(DELIVERY).encode()
    signature = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": signature,
    }

    answer = web.request("POST", "/webhook", body=body, headers=headers)

    assert answer.status == 202, answer.data
    assert cluster.call("GET", PREVIEW).body["spec"]["repository"] == "acme/shop"
    assert web.get("/p/812/42").status == 404
    assert (web.get("/metrics").status, web.probe("/metrics").status) == (404, 200)


def test_pages_answers_without_any_secret_and_reads_nothing_of_the_cluster(
    prefix: Path, cluster_with_release: ControlPlane, folder: Path
) -> None:
    with running(
        rendered("minimal"), "pages", image=prefix, cluster=cluster_with_release, folder=folder,
        secret={}, environment={},
    ) as pages:  # fmt: skip
        pages.wait_until_ready()

        assert "This preview is not open now" in pages.get("/p/812/42").data.decode()
        assert (pages.get("/metrics").status, pages.probe("/metrics").status) == (404, 200)
        assert pages.request("POST", "/webhook").status == 404


def test_the_controller_takes_the_lease_under_the_charts_role(
    prefix: Path, cluster_with_release: ControlPlane, folder: Path
) -> None:
    cluster = cluster_with_release
    # Nobody listens there: GitHub is away.
    environment = {"PREVIEWBOT_GITHUB__API_URL": "http://127.0.0.1:9"}
    with running(
        rendered("minimal"), "controller", image=prefix, cluster=cluster, folder=folder,
        secret={"app.pem": a_private_key()}, environment=environment,
    ) as controller:  # fmt: skip
        controller.wait_until_ready()
        wait_for("leading", lambda: b"previewbot_leading 1.0" in controller.probe("/metrics").data)

        assert cluster.call("GET", LEASE).body["spec"]["holderIdentity"] == "controller-0"
        assert controller.answers("/healthz")


def test_a_pod_without_its_secret_says_what_is_missing(
    prefix: Path, cluster_with_release: ControlPlane, folder: Path
) -> None:
    with running(
        rendered("minimal"), "web", image=prefix, cluster=cluster_with_release, folder=folder,
        secret={"webhook-secret": b""}, environment={},
    ) as there:  # fmt: skip
        wait_for("the end", lambda: not there.component.running)

    assert "it must hold the webhook secret of the App" in there.component.last_words()


def test_running_it_changed_nothing_in_it(prefix: Path) -> None:
    before = tree(prefix)
    run_once(prefix, "check", "nothing-here")

    assert tree(prefix) == before


def tree(prefix: Path) -> dict[str, float]:
    return {str(path): path.lstat().st_mtime for path in prefix.rglob("*")}


def test_the_dockerfile_takes_the_same_steps() -> None:
    assert dockerfile("RUN") == [
        "image/install.sh dependencies /opt/previewbot",
        "image/install.sh previewbot /opt/previewbot",
    ]
    assert dockerfile("ENTRYPOINT") == ['["previewbot"]']


def test_the_dockerfiles_base_has_the_oldest_python_that_is_supported_and_a_full_version_of_debian() -> None:
    [base] = dockerfile("ARG")

    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.11-slim-[a-z]+@sha256:[0-9a-f]{64}", base)
    assert dockerfile("FROM") == ["${BASE} AS build", "${BASE}"]


@pytest.mark.parametrize("component", ["web", "pages", "controller"])
def test_image_and_chart_name_the_same_user(component: str) -> None:
    security = pod(rendered("minimal"), component)["securityContext"]

    assert dockerfile("USER") == [f"{security['runAsUser']}:{security['runAsGroup']}"]
    assert security["runAsUser"] == image.NOBODY


def test_everything_that_the_steps_need_is_sent_to_the_engine() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}

    assert "*" in ignored
    assert {"image", "previewbot", "templates", "charts/previewbot/crds"} <= sent
    assert {"pyproject.toml", "README.md", "LICENSE", "requirements.lock", "requirements-build.lock"} <= sent
    assert not any(name.startswith("demo") for name in sent)
    assert all((helm.ROOT / name).exists() for name in sent)
