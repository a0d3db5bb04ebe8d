"""What only real pods have: images that nobody can pull, crashes, no memory, no room; it is told in time."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
import yaml

from tests.node import pulls
from tests.node.conftest import Installation
from tests.node.node import wait_for
from tests.node.pulls import OPEN, Pull
from tests.node.staging import UNPACKABLE
from tests.node.town import PUBLIC_URL

pytestmark = pytest.mark.timeout(900)

SECONDS = 15.0
"""In which what Kubernetes shows must be said."""

MINUTE = 60.0
"""In which must be said what it does not show by itself."""

PLATFORMS = "This is for your platform team"

REPOSITORY = "acme/troubles"
UID_LABEL = "preview.metalbear.co/session-uid"
CRASH = b"""
print("connecting to postgres://shop:hunter2@db/shop")
raise KeyError("DB_URL")
"""
HOG = b"""
hoard = []
while True:
    hoard.append(b"x" * (1 << 20))
"""
# Long enough to be called ready, and to be seen as such.
LATE_CRASH = b"""
import http.server, os, threading, time
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = http.server.HTTPServer(("0.0.0.0", 8080), Ok)
threading.Thread(target=server.serve_forever, daemon=True).start()
time.sleep(8)
print("ValueError: the basket is too full")
os._exit(4)
"""


def page(pull: Pull) -> str:
    path = pull.name.removeprefix("gh-").replace("-", "/")
    answer = urllib3.request("GET", f"{PUBLIC_URL}/p/{path}", retries=False, timeout=10.0)
    assert answer.status == 200
    return html.unescape(answer.data.decode())


def sessions(pull: Pull) -> list[dict[str, Any]]:
    selector = f"previewbot.dev/preview={pull.name}"
    found = pull.node.get("previewsessions", "--namespace", "staging", "--selector", selector)
    items: list[dict[str, Any]] = found["items"]
    return items


def pods(pull: Pull) -> list[dict[str, Any]]:
    uids = ",".join(session["metadata"]["uid"] for session in sessions(pull))
    return pull.node.pods("staging", f"{UID_LABEL} in ({uids})") if uids else []


def no_room(pod: dict[str, Any]) -> None:
    pod["containers"][0]["resources"] = {"requests": {"cpu": "500"}}


def no_secret(pod: dict[str, Any]) -> None:
    pod["volumes"] = [{"name": "tls", "secret": {"secretName": "closet-tls"}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "tls", "mountPath": "/tls"}]


def waits_for_ever(pod: dict[str, Any]) -> None:
    wait = "import time; print('waiting for db:5432', flush=True); time.sleep(3600)"
    container = {
        "name": "wait-for-db",
        "image": pod["containers"][0]["image"],
        "command": ["python3", "-c", wait],
    }
    pod["initContainers"] = [container]


def another_port(pod: dict[str, Any]) -> None:
    pod["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": 9}, "periodSeconds": 1}


def beyond_a_quota(pod: dict[str, Any]) -> None:
    pod["containers"][0]["resources"] = {"limits": {"example.com/gpu": "1"}}


WORKLOADS: dict[str, Callable[[dict[str, Any]], None]] = {
    "hall": no_room,
    "closet": no_secret,
    "porch": waits_for_ever,
    "gate": another_port,
    "attic": beyond_a_quota,
}
"""Services like web, and what is wrong with their pods; of none of them a pod of staging's own runs."""


@pytest.fixture(scope="module")
def troubles(installation: Installation) -> Installation:
    """A repository like the shop's, with more services, none of which comes up."""
    files = installation.town.files()
    config = yaml.safe_load(files[".github/preview.yaml"])
    web = config["services"]["web"]
    for name in WORKLOADS:
        config["services"][name] = {
            **copy.deepcopy(web),
            "paths": [f"services/{name}/**"],
            "target": f"deployment/{name}",
        }
    files[".github/preview.yaml"] = yaml.safe_dump(config, sort_keys=False).encode()
    installation.town.create_repository(REPOSITORY, files)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-gpus", "namespace": "staging"},
        "spec": {"hard": {"requests.example.com/gpu": "0"}},
    }
    installation.node.apply(quota, *(workload(installation, name) for name in WORKLOADS))
    return installation


def workload(installation: Installation, name: str) -> dict[str, Any]:
    """Return a Deployment like web's, with what is wrong with this one."""
    model = installation.node.get("deployment", "web", "--namespace", "staging")
    model["metadata"] = {"name": name, "namespace": "staging"}
    model["spec"]["replicas"] = 0
    for labels in (model["spec"]["selector"]["matchLabels"], model["spec"]["template"]["metadata"]["labels"]):
        labels["app"] = name
    WORKLOADS[name](model["spec"]["template"]["spec"])
    del model["status"]
    found: dict[str, Any] = model
    return found


def opened(installation: Installation, branch: str, files: dict[str, bytes]) -> Pull:
    return pulls.opened(installation, REPOSITORY, branch, files)


def told_in_time(pull: Pull, shown: Callable[[dict[str, Any]], bool], *words: str) -> str:
    """Wait until Kubernetes shows a trouble; return the comment, which must say it soon after."""
    wait_for("the trouble in Kubernetes", lambda: any(map(shown, pods(pull))), 120)
    seconds = wait_for(f"{words} in the comment", lambda: pull.says(*words), SECONDS)
    assert seconds < SECONDS
    return pull.comment()


def waits_for(*reasons: str) -> Callable[[dict[str, Any]], bool]:
    """Say whether a pod's container waits for one of these reasons."""

    def shown(pod: dict[str, Any]) -> bool:
        states = [status.get("state", {}) for status in pod["status"].get("containerStatuses", [])]
        return any(state.get("waiting", {}).get("reason") in reasons for state in states)

    return shown


def ran_out_of_memory(pod: dict[str, Any]) -> bool:
    for status in pod["status"].get("containerStatuses", []):
        for state in (status.get("state", {}), status.get("lastState", {})):
            if state.get("terminated", {}).get("reason") == "OOMKilled":
                return True
    return False


def has_no_place(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any((c["type"], c.get("reason")) == ("PodScheduled", "Unschedulable") for c in conditions)


@pytest.mark.parametrize(
    ("branch", "files", "shown", "words"),
    [
        (
            "no-image",
            {UNPACKABLE: b""},
            waits_for("ErrImagePull", "ImagePullBackOff"),
            ("web's image cannot be pulled",),
        ),
        (
            "no-memory",
            {"services/web/app.py": HOG},
            ran_out_of_memory,
            ("web ran out of memory",),
        ),
        (
            "no-room",
            {"services/hall/NOTE": b"an opera"},
            has_no_place,
            ("hall finds no room in the cluster", "Insufficient cpu"),
        ),
    ],
)
def test_a_preview_that_does_not_start_is_told_within_seconds_of_kubernetes_showing_why(
    troubles: Installation,
    branch: str,
    files: dict[str, bytes],
    shown: Callable[[dict[str, Any]], bool],
    words: tuple[str, ...],
) -> None:
    pull = opened(troubles, branch, files)

    told_in_time(pull, shown, *words)

    assert OPEN not in pull.comment()
    assert words[0] in page(pull)
    pull.close()


def test_a_crash_is_told_with_the_last_words_but_no_secret_and_is_over_with_the_next_commit(
    troubles: Installation,
) -> None:
    pull = opened(troubles, "no-url", {"services/web/app.py": CRASH})

    text = told_in_time(pull, waits_for("CrashLoopBackOff"), "web crashes again and again", "exit code 1")
    wait_for("the last words", lambda: pull.says("KeyError: 'DB_URL'"), SECONDS)

    text = pull.comment()
    assert re.search(r"<details>.*KeyError: 'DB_URL'", text, re.DOTALL)
    assert "hunter2" not in text
    assert "hunter2" not in page(pull)
    pull.push({"services/web/app.py": troubles.town.files()["services/web/app.py"] + b"# mended\n"})
    wait_for("the link", lambda: pull.says(OPEN) and "crashes" not in pull.comment())
    pull.close()


def test_a_crash_after_the_preview_was_ready_is_told_beside_the_link(troubles: Installation) -> None:
    pull = opened(troubles, "late", {"services/web/app.py": LATE_CRASH})
    wait_for("the link", lambda: pull.says(OPEN))

    text = told_in_time(
        pull, waits_for("CrashLoopBackOff"), OPEN, "web crashes again and again", "exit code 4"
    )

    assert "the basket is too full" in text
    pull.close()


@pytest.mark.parametrize(
    ("service", "words", "more"),
    [
        ("closet", ("closet waits for a volume", 'secret "closet-tls" not found'), PLATFORMS),
        ("porch", ("porch waits for its init container `wait-for-db`",), "waiting for db:5432"),
        ("gate", ("gate runs, but is not ready", "Readiness probe failed"), "connection refused"),
        ("attic", ("attic gets no pod", "exceeded quota: no-gpus"), PLATFORMS),
    ],
)
def test_a_pod_that_says_nothing_or_is_not_there_is_explained_within_a_minute(
    troubles: Installation, service: str, words: tuple[str, ...], more: str
) -> None:
    pull = opened(troubles, service, {f"services/{service}/NOTE": b"new"})
    wait_for("the session", lambda: bool(sessions(pull)), 120)

    seconds = wait_for(f"{words} in the comment", lambda: pull.says(*words), MINUTE)

    assert seconds < MINUTE
    assert more in pull.comment()
    assert OPEN not in pull.comment()
    pull.close()
