"""Where the API server keeps objects: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris"""

from __future__ import annotations

import pytest

from previewbot.api import Resource
from previewbot.clients.kubernetes.resources import (
    LEASES,
    PODS,
    PREVIEWS,
    collection_path,
    discovery_path,
    object_path,
)


@pytest.mark.parametrize(
    ("resource", "namespace", "path"),
    [
        (PREVIEWS, None, "/apis/previewbot.dev/v1alpha1/previews"),
        (LEASES, "previewbot", "/apis/coordination.k8s.io/v1/namespaces/previewbot/leases"),
        (PODS, "staging", "/api/v1/namespaces/staging/pods"),
        (PODS, None, "/api/v1/pods"),
    ],
)
def test_a_list_is_of_the_cluster_or_of_a_namespace(
    resource: Resource, namespace: str | None, path: str
) -> None:
    assert collection_path(resource, namespace) == path
    assert object_path(resource, namespace, "x") == f"{path}/x"


def test_the_resources_of_a_group_are_listed_under_its_version() -> None:
    assert discovery_path("previewbot.dev", "v1alpha1") == "/apis/previewbot.dev/v1alpha1"


def test_no_name_leads_out_of_its_place() -> None:
    assert object_path(PODS, "a/b", "../secrets?x#y") == "/api/v1/namespaces/a%2Fb/pods/..%2Fsecrets%3Fx%23y"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_request_for_an_object_is_never_one_for_the_list(name: str) -> None:
    with pytest.raises(ValueError, match="no part of a path"):
        object_path(PREVIEWS, None, name)


def test_an_empty_namespace_is_not_all_namespaces() -> None:
    with pytest.raises(ValueError, match="no part of a path"):
        collection_path(PODS, "")
