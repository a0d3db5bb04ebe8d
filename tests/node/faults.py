"""What goes wrong under pods: processes end or freeze, a network is cut, the API server is away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from tests.node.node import Node
from tests.support.binaries import binary

_API_SERVICE = "kubernetes"


def kill(pod: str) -> None:
    """End the processes of a pod's container at once, as a power cut would."""
    for process in _processes(pod):
        os.kill(process, signal.SIGKILL)


@contextmanager
def frozen(pod: str) -> Iterator[None]:
    """Let the processes of a pod's container stand still."""
    stopped = _processes(pod)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in set(stopped) & set(_processes(pod)):
            os.kill(process, signal.SIGCONT)


@contextmanager
def cut_off(node: Node, pod: str) -> Iterator[None]:
    """Let nothing from a pod reach the API server."""
    service = node.get("service", _API_SERVICE, "--namespace", "default")
    route = ("blackhole", service["spec"]["clusterIP"])
    [process, *_] = _processes(pod)
    inside = ["nsenter", "--net", "--target", str(process), "ip", "route"]
    subprocess.run([*inside, "add", *route], check=True)
    try:
        yield
    finally:
        # The process may be another one by now; the pod's network is the same.
        [process, *_] = _processes(pod)
        inside = ["nsenter", "--net", "--target", str(process), "ip", "route"]
        subprocess.run([*inside, "delete", *route], check=True)


@contextmanager
def unanswered(node: Node, pod: str) -> Iterator[None]:
    """Let nothing from the API server reach a pod, so that whatever it asks is never answered."""
    service = node.get("service", _API_SERVICE, "--namespace", "default")
    rule = f"ip saddr {service['spec']['clusterIP']} drop"
    table = f"table inet silence {{ chain input {{ type filter hook input priority 0; {rule}; }}; }}"
    _nft(pod, table)
    try:
        yield
    finally:
        _nft(pod, "delete table inet silence")


@contextmanager
def api_server_away(node: Node) -> Iterator[None]:
    """End the API server at once, and start it again with the same command in the same place."""
    [process] = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _command(path)[:1] == ["kube-apiserver"] and node.address in " ".join(_command(path))
    ]
    command = [str(binary("kube-apiserver")), *_command(Path(f"/proc/{process}"))[1:]]
    [init, _] = (node.directory / "pids" / "node.pid").read_text(encoding="utf-8").split()
    os.kill(process, signal.SIGKILL)
    try:
        yield
    finally:
        inside = ["nsenter", "--all", "--target", init, "setsid", "--fork"]
        log = (node.directory / "logs" / "kube-apiserver.log").open("ab")
        with log:
            subprocess.run([*inside, *command], stdout=log, stderr=log, check=True)


@contextmanager
def asked(pod: str, url: str) -> Iterator[set[int]]:
    """Ask a pod from inside its network, once a second; yield the set that its answers' status codes go into.

    Events would tell too, but the kubelet drops those that one pod has too many of.
    """
    answers: set[int] = set()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(1.0):
            with suppress(AssertionError, ValueError):
                [process, *_] = _processes(pod)
                inside = ["nsenter", "--net", "--target", str(process), "curl", "--silent", "--max-time", "5"]
                command = [*inside, "--output", "/dev/null", "--write-out", "%{http_code}", url]
                answers.add(int(subprocess.run(command, capture_output=True, text=True).stdout))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


@contextmanager
def log_of(node: Node, pod: dict[str, Any]) -> Iterator[TextIO]:
    """Yield what the one container of a pod writes, which can be read to its end when the container is gone.

    The pod's status is no witness of how a container ended: the kubelet may say `lastState: {}` of one that
    it started again (https://github.com/kubernetes/kubernetes/issues/101044), and its log goes with it.
    """
    name, [container] = pod["metadata"]["name"], pod["status"]["containerStatuses"]
    directory = f"{pod['metadata']['namespace']}_{name}_{pod['metadata']['uid']}/{container['name']}"
    path = node.directory / "var" / "log" / "pods" / directory / f"{container['restartCount']}.log"
    with path.open(encoding="utf-8", errors="replace") as log:
        yield log


def _nft(pod: str, rules: str) -> None:
    """Change the packet filter of a pod's network."""
    [process, *_] = _processes(pod)
    nft = shutil.which("nft") or str(binary("nft"))
    inside = ["nsenter", "--net", "--target", str(process), nft, rules]
    subprocess.run(inside, check=True)


def _processes(pod: str) -> list[int]:
    """Return the processes that see the pod's name as their host's, but the pause program."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            host = (path / "root" / "etc" / "hostname").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if host == pod and _command(path)[:1] != ["/pause"]:
            found.append(int(path.name))
    assert found, f"{pod} has no process"
    return sorted(found)


def _command(path: Path) -> list[str]:
    try:
        return (path / "cmdline").read_text(encoding="utf-8").rstrip("\0").split("\0")
    except OSError:
        return []
