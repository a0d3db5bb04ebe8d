"""A node comes up, runs pods, and goes again without a trace."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import urllib3

from tests.node.images import Image, files, python
from tests.node.node import Node, is_ready, wait_for

pytestmark = pytest.mark.timeout(600)

SERVER = b"""
import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["WORDS"].encode())
http.server.HTTPServer(("0.0.0.0", 8080), Hello).serve_forever()
"""


@pytest.fixture
def another(tmp_path: Path, number: int) -> Iterator[Node]:
    """A node beside those that the other tests share."""
    node = Node(tmp_path / "node", number + 100)
    try:
        yield node
    finally:
        node.down()


def test_a_pod_runs_and_answers_through_its_service_and_nothing_of_the_node_stays(another: Node) -> None:
    before = traces(another)
    another.up()
    run_hello(another)
    brought, own = traces(another) - before, namespaces(processes_of(another))

    another.down()

    assert another.link in {trace.rpartition(" ")[2] for trace in brought}
    assert len(own) > 3
    wait_for("the end of all that the node brought", lambda: not traces(another) & brought, 10)
    wait_for("the end of its namespaces", lambda: not namespaces(all_processes()) & own, 10)


def test_where_a_node_runs_another_with_its_addresses_is_refused(another: Node, tmp_path: Path) -> None:
    another.up()
    number = int(another.link.removeprefix("pbn"))
    second = Node(tmp_path / "second", number)

    with pytest.raises(AssertionError, match=f"another node has NODE_ID={number}"):
        second.up()

    assert another.get("nodes")["items"][0]["metadata"]["name"] == another.link


def run_hello(node: Node) -> None:
    node.registry.push("acme/hello", "1", Image((python(), files({"server.py": SERVER})), {"User": "65532"}))
    node.kubectl("create", "namespace", "hello")
    account = ("get", "serviceaccount", "default", "--namespace", "hello")
    wait_for("the account that pods run as", lambda: node.try_kubectl(*account).returncode == 0)
    container = {
        "name": "hello",
        "image": "ghcr.io/acme/hello:1",
        "command": ["python3", "/server.py"],
        "env": [{"name": "WORDS", "value": "good morning"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    }
    metadata = {"name": "hello", "namespace": "hello", "labels": {"app": "hello"}}
    service = {"selector": {"app": "hello"}, "ports": [{"port": 80, "targetPort": 8080}]}
    node.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    )
    wait_for("a pod that is Ready", lambda: any(map(is_ready, node.pods("hello"))))
    address = node.get("service", "hello", "--namespace", "hello")["spec"]["clusterIP"]
    wait_for("the Service's answer", lambda: answer(address) == "good morning", 10)


def answer(address: str) -> str:
    try:
        return urllib3.request("GET", f"http://{address}", retries=False, timeout=2.0).data.decode()
    except urllib3.exceptions.HTTPError:
        return ""


def traces(node: Node) -> set[str]:
    """Return links, mounts and cgroups, but those of other nodes that may come and go meanwhile."""
    others = re.compile(rf"\bpbn(?!{node.link.removeprefix('pbn')}\b)\d+\b")
    found = {f"link {name}" for name in os.listdir("/sys/class/net")}
    found |= {f"mount {line.split()[1]}" for line in Path("/proc/self/mounts").read_text().splitlines()}
    command = ["find", "/sys/fs/cgroup", "-maxdepth", "2", "-type", "d"]
    groups = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found |= {f"cgroup {line}" for line in groups.splitlines()}
    return {trace for trace in found if not others.search(trace)}


def namespaces(processes: Iterable[int]) -> set[str]:
    """Return the namespaces of processes, but for those that this one is in."""
    return {link for process in processes for link in links(process)} - set(links(os.getpid()))


def links(process: int) -> Iterator[str]:
    for kind in ("net", "mnt", "pid"):
        with suppress(OSError):
            yield os.readlink(f"/proc/{process}/ns/{kind}")


def all_processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[0-9]*")}


def processes_of(node: Node) -> set[int]:
    """Return the first process of a node and all that came of it."""
    first, _ = (node.directory / "pids" / "node.pid").read_text(encoding="utf-8").split()
    parents = {process: parent(process) for process in all_processes()}
    found = {int(first)}
    while more := {process for process, of in parents.items() if of in found} - found:
        found |= more
    return found


def parent(process: int) -> int:
    with suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        return int(stat.rpartition(")")[2].split()[1])
    return 0
