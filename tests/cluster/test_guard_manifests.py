"""The guard's manifests in docs/guard: each is what its vendor's own definitions take, in a real API server.

What they do is seen elsewhere: Traefik's on the node, the standard's filter in the demo. Envoy Gateway's and
Istio's were never run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.server.routes import FilterSettings
from previewbot_demo.kube import FakeKube
from tests.support.api import Api
from tests.support.binaries import definitions
from tests.support.control_plane import ControlPlane
from tests.support.guarded import DOMAIN, NAVIGATES, Guarded, asked
from tests.support.servers import served

pytestmark = pytest.mark.cluster

Object = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "docs" / "guard"
GUARDS_HEADERS = {"cookie", "x-previewbot-bearer", "accept", "sec-fetch-mode"}
"""What the guard cannot do without: who it is, and whether a person can be led to a page."""

CRDS = {
    "Middleware": ("traefik", "kubernetes-crd-definition-v1.yml"),
    "SecurityPolicy": ("envoy-gateway", "gateway.envoyproxy.io_securitypolicies.yaml"),
    "AuthorizationPolicy": ("istio", "customresourcedefinitions.gen.yaml"),
    "ReferenceGrant": ("gateway-api", "gateway.networking.k8s.io_referencegrants.yaml"),
}
ROUTES = "guard.previewbot.dev"
"""A group for the experimental HTTPRoute: the standard one stays there for other tests."""


def the_crd(kind: str) -> Object:
    folder, name = CRDS[kind]
    documents = yaml.safe_load_all((definitions(folder) / name).read_text("utf-8"))
    return next(each for each in documents if each and each["spec"]["names"]["kind"] == kind)


def manifests(name: str) -> list[Object]:
    return list(yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text("utf-8")))


def in_comment(name: str, key: str) -> Any:
    """Return what stands in the comment of a file below a key: the part that is not for kubectl."""
    lines = (FOLDER / f"{name}.yaml").read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"#   {key}:"))
    block = []
    for line in lines[start:]:
        if not line.startswith("#   "):
            break
        block.append(line[4:])
    return yaml.safe_load("\n".join(block))[key]


@pytest.fixture(scope="module")
def kinds(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The kinds of all four, and the experimental HTTPRoute in a group of its own."""
    experimental = yaml.safe_load(
        (definitions("gateway-api-experimental") / "gateway.networking.k8s.io_httproutes.yaml").read_text()
    )
    experimental["spec"]["group"] = ROUTES
    experimental["metadata"] = {"name": f"httproutes.{ROUTES}"}
    experimental.pop("status", None)
    folder = tmp_path_factory.mktemp("crds")
    names = []
    for crd in (*map(the_crd, CRDS), experimental):
        names.append(crd["metadata"]["name"])
        path = folder / f"{names[-1]}.yaml"
        path.write_text(yaml.safe_dump(crd), "utf-8")
        control_plane.install_crd(path)
    for namespace in ("staging", "previewbot", "gateways"):
        control_plane.make_namespace(namespace)
    yield
    for name in names:
        definition = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
        assert control_plane.call("DELETE", definition).status == 200


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_api_server_takes_a_manifest_as_it_stands(
    control_plane: ControlPlane, kinds: None, name: str
) -> None:
    for manifest in manifests(name):
        # Strictly: a field that the CRD does not know would be refused, not dropped.
        control_plane.apply(manifest)
        where = f"{control_plane.path_of(manifest)}/{manifest['metadata']['name']}"
        assert control_plane.call("DELETE", where).status == 200


def test_the_standards_filter_is_taken_and_stored_as_the_demos_api_server_does(
    control_plane: ControlPlane, kinds: None
) -> None:
    (filter_,) = in_comment("external-auth", "links")["gateway"]["filters"]
    verbatim = FilterSettings.model_validate(filter_).verbatim
    spec = {
        "hostnames": ["k1.preview.example.com"],
        "rules": [{"filters": [verbatim], "backendRefs": [{"name": "web", "port": 80}]}],
    }
    unknown = {"type": "ExternalAuth", "externalAuth": {**verbatim["externalAuth"], "protocol": "SPOE"}}
    stored, refused = [], []
    with served(FakeKube(experimental=True).handle) as (url, _):
        fake = Api(url, "test")
        for api, group in ((control_plane.api, ROUTES), (fake, "gateway.networking.k8s.io")):
            manifest = {
                "apiVersion": f"{group}/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "guarded", "namespace": "staging"},
                "spec": spec,
            }
            path = f"/apis/{group}/v1/namespaces/staging/httproutes?fieldValidation=Strict"
            answer = api.call("POST", path, manifest)
            assert answer.status == 201, answer.body
            stored.append(answer.body["spec"]["rules"][0]["filters"])
            manifest["metadata"] = {"name": "refused", "namespace": "staging"}
            manifest["spec"] = {**spec, "rules": [{"filters": [unknown]}]}
            refused.append(api.call("POST", path, manifest).status)
        fake.close()

    assert stored[0] == stored[1]
    assert stored[0][0]["externalAuth"]["backendRef"]["kind"] == "Service"
    assert refused == [422, 422]


def test_each_gateway_is_told_to_hand_on_what_the_guard_goes_by_and_to_fail_closed() -> None:
    (standard,) = in_comment("external-auth", "links")["gateway"]["filters"]
    (policy, _) = manifests("envoy-gateway")
    (provider,) = in_comment("istio", "extensionProviders")
    http = provider["envoyExtAuthzHttp"]

    handed_on = (
        standard["externalAuth"]["http"]["allowedHeaders"],
        policy["spec"]["extAuth"]["headersToExtAuth"],
        http["includeRequestHeadersInCheck"],
    )
    assert all(set(each) >= GUARDS_HEADERS for each in handed_on)
    # Without a list of its own every header of the guard's 200 would replace those of the request.
    assert standard["externalAuth"]["http"]["allowedResponseHeaders"]
    assert (policy["spec"]["extAuth"]["failOpen"], http["failOpen"]) == (False, False)
    # Not 403, which is also what the guard says.
    assert (policy["spec"]["extAuth"]["statusOnError"], http["statusOnError"]) == (503, "503")
    (middleware,) = manifests("traefik")
    assert middleware["spec"]["forwardAuth"]["trustForwardHeader"] is False
    assert "authRequestHeaders" not in middleware["spec"]["forwardAuth"]
    (rule,) = manifests("istio")[0]["spec"]["rules"]
    assert rule == {}


def test_all_that_the_guard_refuses_with_gets_to_the_browser_where_headers_are_named() -> None:
    site = Guarded()
    host = f"p2bq6kx7a4m-shop-42.{DOMAIN}"
    ways = [("/", NAVIGATES), ("/", {}), ("/?previewbot_ticket=x", NAVIGATES)]
    refusals = [asked(site, site.browser(), host, within, headers) for within, headers in ways]
    refusals.append(asked(site, site.browser(), "elsewhere.example"))
    refusals.append(asked(site, site.browser(), host, "/", NAVIGATES, "POST"))
    (provider,) = in_comment("istio", "extensionProviders")
    named = set(provider["envoyExtAuthzHttp"]["headersToDownstreamOnDeny"])

    assert [each.status_code for each in refusals] == [302, 401, 403, 403, 401]
    sent = {name.lower() for each in refusals for name, _ in each.headers}
    # A proxy reckons the length itself, of what it passes on.
    assert sent - {"content-length"} == named


def test_the_provider_of_istio_has_only_fields_that_its_mesh_configuration_has() -> None:
    proto = (definitions("istio") / "config.proto").read_text("utf-8")
    message = proto.partition("message EnvoyExternalAuthorizationHttpProvider {")[2].partition("\n    }")[0]
    known = {_camel(name) for name in re.findall(r"^\s+(?:[\w.<>, ]+) (\w+) = \d+", message, re.MULTILINE)}
    (provider,) = in_comment("istio", "extensionProviders")

    assert set(provider) == {"name", "envoyExtAuthzHttp"}
    assert "EnvoyExternalAuthorizationHttpProvider envoy_ext_authz_http = " in proto
    assert set(provider["envoyExtAuthzHttp"]) <= known
    assert provider["name"] == manifests("istio")[0]["spec"]["provider"]["name"]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
