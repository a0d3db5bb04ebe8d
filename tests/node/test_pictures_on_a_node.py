"""Pictures of previews on a real node: the chart's pod with the image of Dockerfile.pictures.

It is set up as docs/pictures-of-previews.md says; its browser goes to preview and staging through Traefik.
"""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import urllib3
import yaml

from previewbot.api.pictures import SIZES, Device, Side
from tests.node import images, pulls
from tests.node.conftest import Installation
from tests.node.engineer import commands, merged, values
from tests.node.node import is_ready, wait_for
from tests.node.pulls import Pull
from tests.node.town import SHOP_URL
from tests.support.crashes import Record

pytestmark = pytest.mark.timeout(900)

DOCUMENT, SECTION = "docs/pictures-of-previews.md", "Set it up"
IMAGE = ("previewbot-pictures", "0.1.0")
HELM = "helm upgrade previewbot charts/previewbot --namespace previewbot --wait --timeout 4m --values"
REPOSITORY = "acme/pictured"
HERE = {"pictures": {"public": True, "reaches": {"ports": [8000]}}}
"""What is otherwise here than in the document."""

STAGING_URL = "http://shop.gateways.svc.cluster.local:30800"
"""Staging under a name that the cluster's DNS knows; the browser asks that, as anybody's does."""
KNOWN_BY_DNS = """
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: gateways}
spec: {selector: {app: traefik}, ports: [{port: 30800, targetPort: 8000}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop-by-dns, namespace: staging}
spec:
  parentRefs: [{name: public, namespace: gateways}]
  hostnames: [shop.gateways.svc.cluster.local]
  rules: [{backendRefs: [{name: web, port: 80}]}]
"""
INSIDE = """
import json, os
from pathlib import Path
from previewbot.pictures.camera import sandbox_works

def processes():
    for place in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (place / "stat").read_text().rpartition(")")
            yield name.partition("(")[2], rest.split()[0]
        except OSError:
            pass

def lines(path):
    return Path(path).read_text() if Path(path).exists() else ""

def written(path):
    try:
        Path(path).write_text("x")
        return "written"
    except OSError as error:
        return error.strerror


cgroup = "/sys/fs/cgroup/"
print(json.dumps({
    "user": os.getuid(),
    "status": Path("/proc/self/status").read_text(),
    "processes": list(processes()),
    "root": written("/opt/x"),
    "sandbox": sandbox_works(),
    "token": os.path.exists("/var/run/secrets/kubernetes.io"),
    # Beside the folder that the worker has for its browsers.
    "left": [str(path) for path in Path("/tmp").rglob("*") if not path.match("/tmp/previewbot-pictures-*")],
    # Of cgroups as they are now, or as they were before.
    "most memory": lines(cgroup + "memory.peak") or lines(cgroup + "memory/memory.max_usage_in_bytes"),
    "killed": lines(cgroup + "memory.events") or lines(cgroup + "memory/memory.oom_control"),
}))
"""


@dataclass
class Pictured:
    """The installation with its worker of pictures, its image, and how many seconds each step took."""

    installation: Installation
    image: images.Image
    seconds: dict[str, float]

    def pod(self) -> dict[str, Any]:
        """Return the worker's pod."""
        [found] = self.installation.pods("pictures")
        return found

    def inside(self, program: str) -> str:
        """Run a program of Python in the worker's container; return what it says."""
        inside = ("--namespace", "previewbot", "exec", "deployment/previewbot-pictures", "--")
        return self.installation.node.kubectl(*inside, "/opt/previewbot/bin/python", "-c", program)

    def log(self) -> list[dict[str, Any]]:
        """Return what the worker logged of pictures."""
        said = self.installation.node.kubectl(
            "--namespace", "previewbot", "logs", "deployment/previewbot-pictures"
        )
        lines = [json.loads(line) for line in said.splitlines()]
        return [line for line in lines if line["message"] == "took a picture"]


@pytest.fixture(scope="module")
def pictured(installation: Installation) -> Iterator[Pictured]:
    """What the document tells a platform team to do, done; and undone afterwards."""
    engineer, town, node = installation.engineer, installation.town, installation.node
    files = town.files()
    configuration = files[".github/preview.yaml"].decode().replace(SHOP_URL, STAGING_URL)
    town.create_repository(REPOSITORY, files | {".github/preview.yaml": configuration.encode()})
    node.kubectl("apply", "--filename", "-", given=KNOWN_BY_DNS)
    began = time.monotonic()
    image = images.pictures()
    built = time.monotonic()
    node.registry.push(*IMAGE, image)
    pushed = time.monotonic()
    for command in commands(DOCUMENT, SECTION):
        engineer.types(command)
    good = yaml.safe_load((engineer.folder / "values.yaml").read_text("utf-8"))
    told = merged(good, values(DOCUMENT, SECTION))
    engineer.write("pictured.yaml", yaml.safe_dump(merged(told, HERE)))
    engineer.types(f"{HELM} pictured.yaml")
    ended = time.monotonic()
    try:
        seconds = {"build": built - began, "push": pushed - built, "helm upgrade --wait": ended - pushed}
        yield Pictured(installation, image, seconds)
    finally:
        engineer.types(f"{HELM} values.yaml")
        node.kubectl("delete", "--filename", "-", given=KNOWN_BY_DNS)


@pytest.fixture(scope="module")
def pull(pictured: Pictured) -> Iterator[Pull]:
    """A pull request that changes the front end, with its link."""
    path = "services/web/app.py"
    before = pictured.installation.town.files()[path]
    after = before.replace(b'BANNER = ""', b'BANNER = "Autumn is here"')
    assert after != before
    found = pulls.opened(pictured.installation, REPOSITORY, "autumn", {path: after})
    wait_for("a link", found.has_link, 180)
    yield found
    found.close()


def addresses(pull: Pull) -> list[str]:
    return re.findall(r'<img src="([^"]+/pictures/[^"]+)"', pull.comment())


def fetched(address: str) -> tuple[int, bytes]:
    answer = urllib3.request("GET", address, retries=False, timeout=10.0)
    return answer.status, answer.data


def size_of(png: bytes) -> tuple[int, int]:
    """Return width and height of a PNG (https://www.w3.org/TR/png-3/#11IHDR)."""
    assert png[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" and png[-8:-4] == b"IEND"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def seen(pull: Pull) -> dict[tuple[Device, Side], bytes]:
    """Return the pictures of which the comment has an address; all of them are there, and are PNGs."""
    found = {}
    for address in addresses(pull):
        status, content = fetched(address)
        assert status == 200, address
        _, device, side = address.rpartition("/")[2].removesuffix(".png").split("-")
        assert size_of(content) == SIZES[Device(device)]
        found[Device(device), Side(side)] = content
    return found


def test_the_front_end_is_seen_before_and_after_by_whoever_has_the_address_in_the_comment(
    pictured: Pictured, pull: Pull, record_property: Record
) -> None:
    waited = wait_for("pictures in the comment", lambda: bool(addresses(pull)), 180)

    found = seen(pull)
    assert len(found) == 4
    for device in Device:
        assert found[device, Side.BEFORE] != found[device, Side.AFTER]
    taken = [datetime.fromisoformat(line["time"]) for line in pictured.log()]
    each = [f"{(after - before).total_seconds():.1f}" for before, after in pairwise(taken)]
    record_property("seconds a picture, after the first", " ".join(each))
    record_property("from the link to pictures in the comment", f"{waited:.0f} s")


def test_the_workers_pod_is_nobody_under_the_restricted_standard_and_its_browsers_leave_nothing(
    pictured: Pictured, pull: Pull, record_property: Record
) -> None:
    pod, said = pictured.pod(), json.loads(pictured.inside(INSIDE))

    assert is_ready(pod)
    assert [each["restartCount"] for each in pod["status"]["containerStatuses"]] == [0]
    assert said["user"] == 65532
    for line in (r"CapEff:\t0+\n", r"NoNewPrivs:\t1\n", r"Seccomp:\t2\n"):
        assert re.search(line, said["status"]), line
    assert said["root"] == "Read-only file system"
    assert said["token"] is False
    # As the document says; where this is otherwise one day, it is to say so.
    assert said["sandbox"] is False
    # The pod's first process, previewbot, and who asks: no browser, and nothing that nobody has waited for.
    assert sorted(name for name, _ in said["processes"]) == ["pause", "previewbot", "python"]
    assert not re.search(r"oom_kill [1-9]", said["killed"])
    assert said["left"] == []
    record_property(
        "most memory", f"{int(said['most memory']) / 2**20:.0f} MiB, with what is cached of files"
    )
    sizes = [round(len(layer.content) / 1e6) for layer in pictured.image.layers]
    parts = zip(("Debian's Python, compressed", "Chromium", "packages", "previewbot"), sizes, strict=True)
    record_property("image", ", ".join(f"{size} MB of {what}" for what, size in parts))
    for what, took in pictured.seconds.items():
        record_property(what, f"{took:.0f} s")


def test_the_doctor_finds_nothing_wrong_with_the_worker(pictured: Pictured) -> None:
    inside = ("--namespace", "previewbot", "exec", "deployment/previewbot-controller", "--")
    said = pictured.installation.node.try_kubectl(*inside, "previewbot", "doctor", "--json").stdout

    checks = json.loads(said[said.index("{") :])["checks"]
    assert {each["state"] for each in checks if "pictures" in each["name"]} == {"ok"}, checks


def test_after_the_loss_of_worker_and_controllers_they_are_taken_anew(pictured: Pictured, pull: Pull) -> None:
    [*_, address] = addresses(pull)
    before, gone = seen(pull), pictured.pod()["metadata"]["name"]
    # Without the controllers' loss it is noticed within five minutes.
    of = "app.kubernetes.io/component in (controller, pictures)"
    pictured.installation.node.kubectl("--namespace", "previewbot", "delete", "pod", "--selector", of)

    wait_for("the last picture", lambda: fetched(address)[0] == 200, 180)
    assert pictured.pod()["metadata"]["name"] != gone
    assert seen(pull).keys() == before.keys()
