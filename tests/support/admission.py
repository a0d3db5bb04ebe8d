"""The controller's account under the admission policies; manifests as previewbot makes them, or spoiled."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from previewbot.api import AgentSeen, Lifecycle, Observed, Phase, Poke, Preview, Reason, new_object
from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.config.repository import Entry, TargetPath, parse_target
from previewbot.config.server import GatewaySettings, LeaseSettings
from previewbot.engine import branches, mirrord, routes
from previewbot.engine.branches import DesiredBranch
from previewbot.engine.mirrord import DesiredSession
from previewbot.engine.parts import Branch, taking
from previewbot.engine.session_spec import key_filter, workload
from previewbot.reconciler.reporters import kubernetes_events
from previewbot.rules.environment_keys import environment_key
from previewbot.runtime.listing_asked import ListingAsked
from tests.chart.helm import NAMESPACE
from tests.chart.release import Account, change, installed, place_of, prepare
from tests.chart.release import put as put_on
from tests.support.control_plane import ControlPlane
from tests.support.previews import HEAD, NOW, a_preview

Manifest = dict[str, Any]
Spoil = Callable[[Manifest], None]

# As tests/chart/values/gateway.yaml has it.
GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
PAGE = "https://previews.example.com/p/812/42"
LONGEST = 26 * 3600 + 30 * 60 + 3600
DIGEST = "sha256:" + "a" * 64
KEY = a_preview().spec.environment_key
OTHER_KEY = environment_key("github.com", 813, 42, "acme/shop")
ENTRY = Entry(
    url="https://staging.example.com",
    namespace="staging",
    service="web",
    port=80,
    target=TargetPath("deployment", "web"),
)
DESIRED = DesiredSession(
    service="checkout",
    namespace="staging",
    target=parse_target("deployment/checkout"),
    container="app",
    image=f"ghcr.io/acme/checkout@{DIGEST}",
    parts=taking((8080,)),
    head_sha=HEAD,
    ttl_seconds=LONGEST,
)
_SECONDS = 30.0


PREVIEW = a_preview(
    phase=Phase.READY,
    reason=Reason.ALL_READY,
    observed=Observed(
        head_sha=HEAD,
        author="Copilot",
        agent=AgentSeen(name="Copilot", signal="its account"),
        trigger="a label: " + "ä" * 300,
    ),
    lifecycle=Lifecycle(started_by="x" * 200),
)
"""With as much in its annotations as there can be, and more than is let in."""


def session(preview: Preview = PREVIEW, **changes: Any) -> Manifest:
    """Return a session as previewbot makes it."""
    return mirrord.manifest(preview, replace(DESIRED, **changes))


def route(
    gateway: GatewaySettings = GATEWAY,
    *,
    to_page: bool = False,
    entry: Entry = ENTRY,
    page: str = PAGE,
    preview: Preview = PREVIEW,
) -> Manifest:
    """Return a route as previewbot makes it."""
    made = routes.route(preview, gateway, entry.namespace, None if to_page else entry, page=page)
    return without_nulls(made)


POSTGRES = Branch(
    name="orders",
    dialect="pg",
    spec={
        "connectionSource": {"url": {"env": {"container": None, "variable": "DATABASE_URL"}}},
        "postgresOptions": {"copy": {"mode": "schema"}},
    },
    migrations={"flavor": "container"},
)


def branch(
    made: Branch = POSTGRES, *, preview: Preview = PREVIEW, image: str = DESIRED.image, **changes: Any
) -> Manifest:
    """Return a database branch as previewbot makes it."""
    desired = DesiredBranch(
        branch=made,
        namespace="staging",
        service="checkout",
        target=workload(parse_target("deployment/checkout")),
        head_sha=HEAD,
        image=image,
        ttl_seconds=LONGEST,
    )
    return branches.manifest(preview, replace(desired, **changes))


def with_paths(*routes: Mapping[str, Any], entry: Entry = ENTRY) -> Entry:
    """Return an entry some of whose paths lead to other Services, as a file has them."""
    return Entry.model_validate({**entry.model_dump(), "target": str(entry.target), "routes": list(routes)})


def preview_object() -> Manifest:
    """Return a Preview as the controller's listing makes it."""
    made = new_object(PREVIEW.spec, Poke(delivery_id="listing-1", poked_at=NOW))
    return dict(made)


def lease() -> Manifest:
    """Return the controllers' Lease."""
    metadata = {"name": "previewbot-controller", "namespace": NAMESPACE}
    spec = {"holderIdentity": "a", "leaseDurationSeconds": 15}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def lease_of_listings() -> Manifest:
    """Return the Lease in which web asks for a listing, as the controller makes it."""
    return ListingAsked.manifest(LeaseSettings(name="previewbot-controller-listing", namespace=NAMESPACE))


def event() -> Manifest:
    """Return an Event about a Preview, as `kubectl describe` shows it."""
    return dict(kubernetes_events.event_of(PREVIEW, "Ready", NOW))


def others() -> list[Manifest]:
    """Return the rest of what the controller makes."""
    return [preview_object(), lease(), lease_of_listings(), event()]


def theirs() -> Manifest:
    """Return a session that somebody made with mirrord's CLI."""
    made = session()
    made["metadata"] = {"name": "alice-checkout", "namespace": "staging", "labels": {}}
    made["spec"] |= {"key": "alice", "image": "alice/checkout:dev"}
    return made


def put(*path: str | int, value: Any) -> Spoil:
    """Return what writes a value into a manifest."""

    def spoil(manifest: Any) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    return spoil


def drop(*path: str | int) -> Spoil:
    """Return what takes a field out of a manifest."""

    def spoil(manifest: Any) -> None:
        for key in path[:-1]:
            manifest = manifest[key]
        del manifest[path[-1]]

    return spoil


def spoiled(manifest: Manifest, *spoils: Spoil) -> Manifest:
    """Return a copy of a manifest that is not as previewbot makes it."""
    wrong = copy.deepcopy(manifest)
    for spoil in spoils:
        spoil(wrong)
    return wrong


def with_filter(key: str = KEY, **changes: Any) -> str:
    """Return the filter of a key, changed and written as the CLI writes filters."""
    return json.dumps({**json.loads(key_filter(key)), **changes}, separators=(",", ":"))


def upgrade(cluster: ControlPlane, values: Mapping[str, Any]) -> None:
    """Upgrade the release to other values, by their paths; its policies come into force a little later."""
    options = [
        option for path, value in values.items() for option in ("--set-json", f"{path}={json.dumps(value)}")
    ]
    change(cluster, "upgrade", "gateway", *options)


@contextmanager
def controller(cluster: ControlPlane, values: str = "gateway") -> Iterator[Account]:
    """Install the chart for a while; yield the controller's account once the policies are in force."""
    prepare(cluster)
    with installed(cluster, values):
        account = Account(cluster, "controller")
        _give_it_roles_elsewhere(cluster)
        wait_until_in_force(cluster, account)
        yield account
        change(cluster, "upgrade", values, "--set", "admissionPolicy.enabled=false")
        wait_until_gone(account)
        account.close()
        cluster.call("DELETE", "/apis/rbac.authorization.k8s.io/v1/namespaces/elsewhere/rolebindings/wrong")


def _give_it_roles_elsewhere(cluster: ControlPlane) -> None:
    """Bind the account in a namespace that the settings do not name, as somebody might by mistake."""
    group = "rbac.authorization.k8s.io"
    cluster.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "wrong", "namespace": "elsewhere"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "previewbot-controller", "namespace": NAMESPACE}],
        }
    )


def wait_until_in_force(cluster: ControlPlane, account: Account, namespace: str = "staging") -> None:
    """The API server learns of a policy and of its binding a little after they are stored."""
    elsewhere = put("metadata", "namespace", value=namespace)
    somebodys = spoiled(theirs(), elsewhere)
    # Of no agent's: an audit log would tell of it as of a run.
    nobodys = a_preview()
    wrong = [spoiled(session(nobodys), elsewhere, put("spec", "image", value="x"))]
    wrong.append(spoiled(branch(preview=nobodys), elsewhere, put("spec", "ttlSecs", value=0)))
    wrong.append(spoiled(route(preview=nobodys), elsewhere, put("spec", "hostnames", value=["x"])))
    wrong.extend(spoiled(each, put("metadata", "finalizers", value=["a.example.com/b"])) for each in others())
    put_on(cluster, somebodys)

    def in_force() -> bool:
        refused = all(account.create(each).status == 422 for each in wrong)
        return refused and account.delete(somebodys).status == 422

    wait_until(in_force)
    cluster.call("DELETE", place_of(cluster, somebodys))


def wait_until_gone(account: Account, namespace: str = "staging") -> None:
    """The API server forgets a policy a little after it is removed: whoever comes next is not to meet it."""
    elsewhere = put("metadata", "namespace", value=namespace)
    wrong = [spoiled(session(a_preview()), elsewhere, put("spec", "image", value="x")), *others()]
    wrong.append(spoiled(branch(preview=a_preview()), elsewhere))
    wrong = [spoiled(each, put("metadata", "finalizers", value=["a.example.com/b"])) for each in wrong]
    # What is there already, or has no namespace any more, is refused in other words.
    wait_until(lambda: all(account.create(each).status != 422 for each in wrong))


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what the API server learns of a little after it is stored."""
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came into force"
        time.sleep(0.1)
