"""What docs/install.md tells a platform team to type leads to previewbot, under the strictest standard."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
import urllib3

from tests.chart.helm import ROOT
from tests.node.conftest import Installation
from tests.node.engineer import commands
from tests.node.node import GATEWAY_PORT, is_ready, wait_for
from tests.node.town import PUBLIC_URL
from tests.support.crashes import Record

pytestmark = pytest.mark.timeout(900)

NAMESPACE = "previewbot"


def started(pod: Mapping[str, Any]) -> float:
    """Return the seconds from the container's start to the pod's being Ready."""
    [container] = pod["status"]["containerStatuses"]
    [ready] = [c["lastTransitionTime"] for c in pod["status"]["conditions"] if c["type"] == "Ready"]
    begun = datetime.fromisoformat(container["state"]["running"]["startedAt"])
    return (datetime.fromisoformat(ready) - begun).total_seconds()


def test_two_of_each_process_are_ready_under_the_restricted_standard(
    installation: Installation, record_property: Record
) -> None:
    pods = installation.node.pods(NAMESPACE)

    label = "app.kubernetes.io/component"
    found = sorted(pod["metadata"]["labels"][label] for pod in pods)
    assert found == ["controller", "controller", "pages", "pages", "web", "web"]
    assert all(map(is_ready, pods))
    enforced = installation.node.get("namespace", NAMESPACE)["metadata"]["labels"]
    assert enforced["pod-security.kubernetes.io/enforce"] == "restricted"
    base, packages, own = (round(len(x.content) / 1e6) for x in installation.place.image.layers)
    layers = f"{base} of Debian's Python, {packages} of packages, {own} of previewbot"
    record_property("image", f"{base + packages + own} MB to pull: {layers}")
    record_property("helm install --wait", f"{installation.seconds:.0f} s")
    for pod in pods:
        record_property(pod["metadata"]["name"], f"Ready {started(pod):.0f} s after its container started")


@pytest.mark.parametrize("component", ["web", "pages", "controller"])
def test_a_process_is_nobody_with_a_root_that_cannot_be_written_to(
    installation: Installation, component: str
) -> None:
    say = "import os; print(os.getuid(), open('/proc/self/status').read())"
    inside = ("--namespace", NAMESPACE, "exec", f"deployment/previewbot-{component}", "--")
    said = installation.node.kubectl(*inside, "/opt/previewbot/bin/python", "-c", say)
    written = installation.node.try_kubectl(
        *inside, "/opt/previewbot/bin/python", "-c", "open('/opt/x', 'w')"
    )

    assert said.startswith("65532 ")
    assert re.search(r"CapEff:\t0+\n", said)
    assert re.search(r"NoNewPrivs:\t1\n", said)
    assert re.search(r"Seccomp:\t2\n", said)
    assert "Read-only file system" in written.stderr


def test_helm_says_what_to_do_next_and_it_is_so(installation: Installation) -> None:
    [said] = [text for command, text in installation.said.items() if command.startswith("helm install")]

    assert f"Set the webhook of your GitHub App to {PUBLIC_URL}/webhook" in said
    [rollout] = re.findall(r"^ +(kubectl .* rollout status .*)$", said, re.MULTILINE)
    assert "successfully rolled out" in installation.engineer.types(rollout)


def test_what_the_document_says_of_the_pods_is_what_kubectl_shows(installation: Installation) -> None:
    shown = installation.said["kubectl --namespace previewbot get pods,httproutes"]

    running = r"^pod/previewbot-(?:web|pages|controller)-\S+ +1/1 +Running"
    assert len(re.findall(running, shown, re.MULTILINE)) == 6
    assert "previews.example.com" in shown


def test_a_webhook_goes_through_the_gateway_and_metrics_do_not(installation: Installation) -> None:
    def status(method: str, path: str) -> int:
        return urllib3.request(method, PUBLIC_URL + path, retries=False, timeout=10.0).status

    def leads_to_web() -> bool:
        try:
            return status("POST", "/webhook") == 401
        except urllib3.exceptions.HTTPError:
            # Traefik's pod is ready some time before the node leads its port there.
            return False

    wait_for("the route to web", leads_to_web)
    assert status("GET", "/p/812/1") == 404
    assert status("GET", "/") == 200
    assert status("GET", "/metrics") == 404
    assert status("GET", "/healthz") == 404


def test_a_host_without_a_preview_leads_to_a_page_that_says_so(installation: Installation) -> None:
    """What names its host in full comes first: the tour's links are such, beside this very route."""
    gone = f"http://gone.preview.example.com:{GATEWAY_PORT}/cart"
    page = f"{PUBLIC_URL}/p/none"

    def led_to() -> str:
        answer = urllib3.request("GET", gone, redirect=False, retries=False, timeout=10.0)
        return answer.headers.get("Location", "") if answer.status == 302 else ""

    wait_for("the route for hosts without a preview", lambda: led_to() == page, 10)
    answer = urllib3.request("GET", page, redirect=False, retries=False, timeout=10.0)
    assert answer.status == 404
    assert b"No preview answers at this address now" in answer.data


def test_helm_test_finds_nothing_wrong_with_the_installation_and_leaves_nothing(
    installation: Installation,
) -> None:
    said = installation.engineer.types("helm test previewbot --namespace previewbot --logs --timeout 3m")

    assert "WRONG" not in said
    assert said.count("Phase:          Succeeded") == 3
    # What only the controller's own account can show: the policy holds it, and the Gateway takes its routes.
    assert "the admission policy in staging: it refuses what previewbot does not make" in said
    assert "links: a route in staging: the Gateway" in said
    assert "previewbot-doctor" not in installation.node.kubectl("get", "httproutes", "--all-namespaces")


@pytest.mark.parametrize("process", ["controller", "web", "pages"])
def test_the_doctor_runs_in_a_pod_as_the_document_types_it(installation: Installation, process: str) -> None:
    [command] = [
        c
        for c in commands("docs/operations.md", "previewbot doctor")
        if f"-{process} -- previewbot doctor" in c
    ]

    said = installation.engineer.types(f"{command} --json")

    told = json.loads(said[said.index("{") :])
    assert told["ok"], told
    # The process' own policy does not let it out to where people reach web and pages: that is no fault.
    assert {each["state"] for each in told["checks"]} <= {"ok", "note", "not checked"}


def test_the_readme_and_the_operations_page_tell_the_same_commands() -> None:
    def plain(command: str) -> str:
        return re.sub(r"\s+", " ", command.replace("\\", " "))

    install = {c for section in ("4.", "5.") for c in commands("docs/install.md", section)}
    operations = set(commands("docs/operations.md", "Install"))
    readme = plain((ROOT / "README.md").read_text(encoding="utf-8"))

    assert operations <= install
    for command in install:
        if "create" in command or "helm install" in command:
            assert plain(command) in readme
