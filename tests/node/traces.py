"""What a node leaves on its machine: links, mounts, cgroups, and the namespaces of its processes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.node.node import Node, wait_for

_SECONDS = 10.0


class Traces:
    """What a node brought, compared with what was there before it; made before the node is up."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._before = _traces(node)
        self.brought: set[str] = set()
        self.namespaces: set[str] = set()

    def note(self) -> None:
        """Note what the node has brought by now."""
        self.brought |= _traces(self._node) - self._before
        self.namespaces |= _namespaces(_processes_of(self._node))

    def wait_until_gone(self) -> None:
        """Return once nothing is left of what was noted; raises AssertionError if something stays."""
        wait_for("the end of all that the node brought", self._nothing_of_it_is_there, _SECONDS)
        wait_for("the end of its namespaces", self._no_process_is_in_its_namespaces, _SECONDS)

    def _nothing_of_it_is_there(self) -> bool:
        return not _traces(self._node) & self.brought

    def _no_process_is_in_its_namespaces(self) -> bool:
        return not _namespaces(_all_processes()) & self.namespaces


def _traces(node: Node) -> set[str]:
    """Return links, mounts and cgroups, but those of other nodes that may come and go meanwhile."""
    others = re.compile(rf"\bpbn(?!{node.link.removeprefix('pbn')}\b)\d+\b")
    found = {f"link {name}" for name in os.listdir("/sys/class/net")}
    found |= {f"mount {line.split()[1]}" for line in Path("/proc/self/mounts").read_text().splitlines()}
    command = ["find", "/sys/fs/cgroup", "-maxdepth", "2", "-type", "d"]
    groups = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found |= {f"cgroup {line}" for line in groups.splitlines()}
    return {trace for trace in found if not others.search(trace)}


def _namespaces(processes: Iterable[int]) -> set[str]:
    """Return the namespaces of processes, but for those that this one is in."""
    return {link for process in processes for link in _links(process)} - set(_links(os.getpid()))


def _links(process: int) -> Iterator[str]:
    for kind in ("net", "mnt", "pid"):
        with suppress(OSError):
            yield os.readlink(f"/proc/{process}/ns/{kind}")


def _all_processes() -> set[int]:
    return {int(path.name) for path in Path("/proc").glob("[0-9]*")}


def _processes_of(node: Node) -> set[int]:
    """Return the first process of a node and all that came of it."""
    first, _ = (node.directory / "pids" / "node.pid").read_text(encoding="utf-8").split()
    parents = {process: _parent(process) for process in _all_processes()}
    found = {int(first)}
    while more := {process for process, of in parents.items() if of in found} - found:
        found |= more
    return found


def _parent(process: int) -> int:
    with suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        return int(stat.rpartition(")")[2].split()[1])
    return 0
