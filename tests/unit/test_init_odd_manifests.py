"""`previewbot init` of manifests that no API server would take: what is not understood is passed over."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from previewbot.config.repository import parse
from previewbot.engine.draft import draft_of
from previewbot.engine.draft_entry import entry_of
from previewbot.engine.draft_written import written
from previewbot.engine.staging import staging_of
from previewbot.rules.folders import folders_of
from tests.support.workloads import a_service, a_workload
from tests.unit.test_init_command import FILES, an_ingress

_ODD: tuple[Any, ...] = (None, 0, -1, 10**9, True, 1.5, "", "x y", [], {}, ["a", None], {"a": 1}, [[]])
_ROUTE: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "shop", "namespace": "staging"},
    "spec": {
        "hostnames": ["shop.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "Exact", "value": "/"}}],
                "backendRefs": [{"name": "checkout", "port": 80}],
            }
        ],
    },
}
_PAIR = a_workload(
    "checkout",
    containers=[
        {"name": "proxy", "image": "envoyproxy/envoy:v1"},
        {"name": "app", "image": "ghcr.io/acme/checkout:main"},
    ],
)
_PAIR["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "app"}
_ROLLOUT = a_workload("checkout", kind="Rollout")
_ROLLOUT["spec"] = {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}}
_LISTS = {
    "an Ingress": [a_workload("checkout"), a_service("checkout"), an_ingress(("/", "checkout", 80))],
    "a Rollout of what has two containers": [_ROLLOUT, _PAIR],
    "an HTTPRoute": [a_workload("checkout"), a_service("checkout"), _ROUTE],
}


def _places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from _places(inner, (*path, key))


@pytest.mark.parametrize("objects", _LISTS.values(), ids=_LISTS)
def test_whatever_stands_in_any_place_the_file_is_valid_or_there_is_none(objects: list[Any]) -> None:
    files = 0
    for *inside, last in _places(objects):
        for odd in _ODD:
            changed: Any = copy.deepcopy(objects)
            inner = changed
            for key in inside:
                inner = inner[key]
            inner[last] = odd

            staging = staging_of(changed)
            draft = draft_of(staging, folders_of(FILES), FILES)
            if draft.services:
                text = written(draft, entry_of(staging), "a test")
                assert parse(text).services, (inside, last, odd)
                files += 1
    assert files > 100
