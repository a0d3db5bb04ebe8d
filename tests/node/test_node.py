"""A node runs pods and lets no other take its addresses; that nothing of it stays, its fixture sees."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from tests.node.images import Image, files, python
from tests.node.node import Node, is_ready, wait_for
from tests.node.traces import Traces

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


def test_a_pod_runs_and_answers_through_its_service(node: Node, traces: Traces) -> None:
    run_hello(node)

    # The pod stays: at the end of the node it must go with it, and leave as little.
    traces.note()
    assert node.link in {trace.rpartition(" ")[2] for trace in traces.brought}
    assert len(traces.namespaces) > 3


def test_where_a_node_runs_another_with_its_addresses_is_refused(
    node: Node, number: int, tmp_path: Path
) -> None:
    second = Node(tmp_path / "second", number)

    with pytest.raises(AssertionError, match=f"another node has NODE_ID={number}"):
        second.up()

    assert node.get("nodes")["items"][0]["metadata"]["name"] == node.link


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
