"""A real Kubernetes control plane as processes on loopback: etcd, kube-apiserver, kube-controller-manager.

RBAC, an audit log, service account tokens, garbage collection and namespaces work; no pod ever runs.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import audit
from tests.support.api import Answer, Api, Object
from tests.support.binaries import binary, gateway_api_crds
from tests.support.components import Component, free_port
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.pki import Authority, write_key
from tests.support.proxies import Forwarder
from tests.support.yaml_texts import read_yaml

ROOT = Path(__file__).parents[2]

_START_SECONDS = 60.0
_MASTERS = "system:masters"
_CONTROLLERS = (
    "garbage-collector-controller", "namespace-controller", "serviceaccount-controller",
    "root-ca-certificate-publisher-controller", "validatingadmissionpolicy-status-controller",
)  # fmt: skip
SYSTEM = "previewbot-system"
"""The namespace of the accounts whose requests the audit log keeps with what they sent."""


def mirrord_crds() -> Path:
    """Return the folder with mirrord's own CRDs (`PREVIEWBOT_MIRRORD_CRDS`), or with our restatement."""
    given = os.environ.get("PREVIEWBOT_MIRRORD_CRDS")
    return Path(given) if given else ROOT / "demo" / "previewbot_demo" / "schemas"


@dataclass(frozen=True)
class Request:
    """A request as the audit log tells of it."""

    user: str
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    agent: str


class ControlPlane:
    """A control plane with its state in `directory`; `start` it, and `stop` it whatever happens."""

    def __init__(self, directory: Path, *, api_server_flags: Sequence[str] = ()) -> None:
        self._directory = directory
        self._authority = Authority(directory)
        self._token = secrets.token_hex(16)
        self._audit = directory / "audit.log"
        etcd, self.port = free_port(), free_port()
        self._etcd_url = f"http://127.0.0.1:{etcd}"
        self.url = f"https://127.0.0.1:{self.port}"
        self.api = Api(self.url, self._token, self._authority.certificate)
        self._etcd = Component("etcd", self._etcd_command(), directory)
        api_server = [*self._api_server_command(), *api_server_flags]
        self._api_server = Component("kube-apiserver", api_server, directory)
        self._controllers = Component("kube-controller-manager", self._controllers_command(), directory)

    @property
    def authority(self) -> Path:
        """The certificate that the API server is to be trusted by."""
        return self._authority.certificate

    def start(self) -> None:
        """Start everything, install the CRDs, and return when it works."""
        try:
            self._etcd.start()
            self.start_api_server()
            # Before the controllers: garbage collection looks for new resources only every 30 s.
            self.install_crds()
            self._controllers.start()
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            self._controllers.wait_until(lambda: self._answers(account), _START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything at once."""
        for component in (self._controllers, self._api_server, self._etcd):
            component.kill()
        self.api.close()

    def start_api_server(self) -> None:
        """Start the API server, again on the same port and state, and return when it is ready."""
        self._api_server.start()
        self._api_server.wait_until(lambda: self._answers("/readyz"), _START_SECONDS)

    def stop_api_server(self) -> None:
        """End the API server at once; asked kindly it would take up to a minute while somebody watches."""
        self._api_server.kill()

    def compact(self) -> int:
        """Make etcd forget everything but the present state; return the revision of that.

        The API server's own cache still answers with what it remembers until it is started again.
        """
        revision = int(self._ask_etcd("/v3/maintenance/status", {})["header"]["revision"])
        self._ask_etcd("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        return revision

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Answer:
        """Send a request as the administrator; any status is an answer."""
        return self.api.call(method, path, body, content)

    def apply(self, manifest: Mapping[str, Any]) -> Object:
        """Create an object with strict validation and return it as it is stored; a refusal is a failure."""
        path = self.path_of(manifest)
        answer = self.call("POST", f"{path}?fieldValidation=Strict", manifest)
        assert answer.status == 201, f"{path}: {answer.body.get('message')}"
        return answer.body

    def path_of(self, manifest: Mapping[str, Any]) -> str:
        """Return the collection that an object belongs to, as discovery says."""
        version, kind = manifest["apiVersion"], manifest["kind"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        found = self.call("GET", base).body.get("resources", [])
        resource = next(r for r in found if r["kind"] == kind and "/" not in r["name"])
        if not resource["namespaced"]:
            return f"{base}/{resource['name']}"
        namespace = manifest["metadata"].get("namespace", "default")
        return f"{base}/namespaces/{namespace}/{resource['name']}"

    def make_namespace(self, name: str) -> None:
        """Create a namespace unless it is there."""
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        assert self.call("POST", "/api/v1/namespaces", manifest).status in (201, 409)

    def delete_previews(self, prefix: str) -> None:
        """Delete the Previews whose names begin so: a controller that comes later would look after them."""
        path = "/apis/previewbot.dev/v1alpha1/previews"
        for item in self.call("GET", path).body["items"]:
            if item["metadata"]["name"].startswith(prefix):
                self.call("DELETE", f"{path}/{item['metadata']['name']}")

    def install_crds(self) -> None:
        """Install our CRD, mirrord's and the Gateway API's, and return when they are served."""
        paths = [
            *(ROOT / "charts" / "previewbot" / "crds").glob("*.yaml"),
            *mirrord_crds().glob("*previewsessions*.yaml"),
            *mirrord_crds().glob("*branchdatabases*.yaml"),
            *(
                gateway_api_crds() / f"gateway.networking.k8s.io_{plural}.yaml"
                for plural in ("httproutes", "gateways", "gatewayclasses")
            ),
        ]
        names = [self.apply(read_yaml(path.read_text("utf-8")))["metadata"]["name"] for path in paths]
        self._api_server.wait_until(lambda: all(map(self._is_established, names)), _START_SECONDS)

    def install_crd(self, path: Path) -> None:
        """Install one more CRD, and return when it is served."""
        stored = self.apply(read_yaml(path.read_text("utf-8")))
        name, group = stored["metadata"]["name"], stored["spec"]["group"]
        self._api_server.wait_until(lambda: self._is_established(name), _START_SECONDS)
        # Discovery follows a moment after the resource itself.
        version = f"/apis/{group}/{stored['spec']['versions'][0]['name']}"
        self._api_server.wait_until(lambda: bool(self.call("GET", version).body), _START_SECONDS)

    def remove_crd(self, definition: str) -> None:
        """Remove a CRD, if it is there, and return when what it served is gone from discovery."""
        found = self.call("GET", definition)
        if found.status == 404:
            return
        group = found.body["spec"]["group"]
        path = f"/apis/{group}/{found.body['spec']['versions'][0]['name']}"
        self.call("DELETE", definition)
        self._api_server.wait_until(lambda: self.call("GET", path).status == 404, _START_SECONDS)

    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.write_kubeconfig("admin", self.url, {"token": self._token})

    def kubeconfig_for(self, user: str, *groups: str) -> Path:
        """Return the kubeconfig of a user, who proves it with a certificate."""
        certificate, key = self._authority.client(user, groups)
        return self.write_kubeconfig(
            user, self.url, {"client-certificate": str(certificate), "client-key": str(key)}
        )

    def kubeconfig_for_account(self, namespace: str, account: str) -> Path:
        """Return the kubeconfig of a service account, with a token that the API server issued."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.call("POST", path, request)
        assert answer.status == 201, answer.body
        return self.write_kubeconfig(
            f"{namespace}-{account}", self.url, {"token": answer.body["status"]["token"]}
        )

    def kubeconfig_through(self, url: str) -> Path:
        """Return the administrator's kubeconfig with another address, as of a proxy before the API server."""
        return self.write_kubeconfig(f"admin-{url.rsplit(':', 1)[-1]}", url, {"token": self._token})

    def forwarder(self) -> Forwarder:
        """Return what passes requests on to the API server as the administrator's, unless it fails them."""
        return Forwarder(self.url, self._token, self.authority)

    def write_kubeconfig(self, name: str, url: str, user: Mapping[str, str]) -> Path:
        """Write a kubeconfig for the API server at `url`."""
        path = self._directory / f"{name.replace(':', '-')}.kubeconfig"
        return write_kubeconfig(path, url, user, self.authority)

    def audit_log(self) -> str:
        """Return the audit log, one event a line, without one that is still being written.

        Only a newline ends a line: a text of a request may have U+2028 in it, at which `splitlines` cuts too.
        """
        text = self._audit.read_text(encoding="utf-8") if self._audit.exists() else ""
        return text[: text.rfind("\n") + 1]

    def requests(self) -> list[Request]:
        """Return every request to a resource that the audit log tells of, oldest first."""
        events = map(json.loads, self.audit_log().split("\n")[:-1])
        return [_request(event) for event in events if event.get("objectRef")]

    def _answers(self, path: str) -> bool:
        try:
            return self.call("GET", path).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _is_established(self, crd: str) -> bool:
        answer = self.call("GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}")
        # The API server writes `conditions: null` into a CRD of which it has not judged anything yet.
        conditions = answer.body.get("status", {}).get("conditions") or []
        if ("Established", "True") not in [(c["type"], c["status"]) for c in conditions]:
            return False
        spec = answer.body["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        return self._answers(path)

    def _ask_etcd(self, path: str, body: Mapping[str, Any]) -> Object:
        etcd = Api(self._etcd_url, "")
        answer = etcd.call("POST", path, body)
        etcd.close()
        assert answer.status == 200, answer.text
        return answer.body

    def _etcd_command(self) -> list[str]:
        peer = f"http://127.0.0.1:{free_port()}"
        return [
            str(binary("etcd")), "--data-dir=etcd", "--unsafe-no-fsync",
            f"--listen-client-urls={self._etcd_url}", f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]  # fmt: skip

    def _api_server_command(self) -> list[str]:
        certificate, key = self._authority.server("kube-apiserver")
        accounts = self._directory / "accounts.key"
        write_key(accounts, ec.generate_private_key(ec.SECP256R1()))
        tokens = self._directory / "tokens.csv"
        tokens.write_text(f"{self._token},admin,admin,{_MASTERS}\n", encoding="utf-8")
        policy = self._directory / "audit.yaml"
        policy.write_text(yaml.safe_dump(audit.policy(SYSTEM)), encoding="utf-8")
        return [
            str(binary("kube-apiserver")), f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
            # A loopback address may not stand in the Service `kubernetes`.
            "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.0.0.0/24",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--client-ca-file={self.authority}", f"--token-auth-file={tokens}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={accounts}", f"--service-account-signing-key-file={accounts}",
            "--authorization-mode=RBAC",
            f"--audit-policy-file={policy}", f"--audit-log-path={self._audit}", "--audit-log-mode=blocking",
        ]  # fmt: skip

    def _controllers_command(self) -> list[str]:
        kubeconfig = self.kubeconfig_for("system:kube-controller-manager", _MASTERS)
        return [
            str(binary("kube-controller-manager")), f"--kubeconfig={kubeconfig}",
            f"--controllers={','.join(_CONTROLLERS)}", f"--root-ca-file={self.authority}",
            "--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={free_port()}",
        ]  # fmt: skip


def _request(event: Mapping[str, Any]) -> Request:
    where = event["objectRef"]
    return Request(
        user=event["user"]["username"],
        verb=event["verb"],
        group=where.get("apiGroup", ""),
        resource=where.get("resource", ""),
        subresource=where.get("subresource", ""),
        namespace=where.get("namespace", ""),
        name=where.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        agent=event.get("userAgent", ""),
    )
