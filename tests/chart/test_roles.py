"""What the three service accounts may do, as one table: not a verb more."""

from __future__ import annotations

import json

import pytest

from tests.chart.helm import ALL_VALUES, NAMESPACE, Object, of_kind, one, pod, rendered

PREVIEWS = "previews.previewbot.dev"
REQUESTS = "previewrequests.previewbot.dev"
SESSIONS = "previewsessions.preview.mirrord.metalbear.co"
LEASES = "leases.coordination.k8s.io"
ROUTES = "httproutes.gateway.networking.k8s.io"
EVERYWHERE = "*"

WEB = {
    *((EVERYWHERE, PREVIEWS, verb) for verb in ("create", "patch")),
    (NAMESPACE, f"{LEASES}/previewbot-controller-listing", "patch"),
    (NAMESPACE, REQUESTS, "create"),
}
PAGES = {(EVERYWHERE, PREVIEWS, verb) for verb in ("get", "list")}
CONTROLLER = {
    *((EVERYWHERE, PREVIEWS, verb) for verb in ("get", "list", "watch", "create", "patch", "delete")),
    (EVERYWHERE, f"{PREVIEWS}/status", "update"),
    (EVERYWHERE, "mirrordoperators.operator.metalbear.co/operator", "get"),
    *((NAMESPACE, f"{LEASES}/previewbot-controller", verb) for verb in ("get", "update")),
    (NAMESPACE, f"{LEASES}/previewbot-controller-listing", "get"),
    (NAMESPACE, LEASES, "create"),
    *((NAMESPACE, REQUESTS, verb) for verb in ("list", "watch", "patch", "delete")),
    ("default", "events.events.k8s.io", "create"),
}
LINKS = {
    ("gateways", "gateways.gateway.networking.k8s.io/public", "get"),
    (EVERYWHERE, "gatewayclasses.gateway.networking.k8s.io", "get"),
}
SESSION_VERBS = ("list", "watch", "create", "delete")
BRANCHES = "branchdatabases.dbs.mirrord.metalbear.co"
BRANCH_VERBS = ("list", "watch", "create", "patch", "delete")
SECRET_FILES = (EVERYWHERE, "previewsecretmounts.operator.metalbear.co", "create")
WORKLOADS = (
    *("deployments.apps", "statefulsets.apps", "replicasets.apps", "rollouts.argoproj.io"),
    *("pods", "services", "jobs.batch", "cronjobs.batch"),
)
LOGS = ("pods/log", "get")
REPLICA_SETS = ("replicasets.apps", "list")
POD_READS = {("pods", "list"), ("pods", "watch"), LOGS, ("events", "list")}
TARGET_READS = {("pods", "get"), ("services", "get")}
ROUTE_VERBS = ("get", "list", "watch", "create", "patch", "delete")

Permission = tuple[str, str, str]


def in_namespace(namespace: str, *, gateway: bool, logs: bool = True) -> set[Permission]:
    return {
        *((namespace, SESSIONS, verb) for verb in SESSION_VERBS),
        *((namespace, BRANCHES, verb) for verb in BRANCH_VERBS),
        *((namespace, workload, "get") for workload in WORKLOADS),
        *((namespace, *read) for read in POD_READS if logs or read != LOGS),
        (namespace, *REPLICA_SETS),
        *((namespace, ROUTES, verb) for verb in ROUTE_VERBS if gateway),
    }


def permissions(objects: tuple[Object, ...], account: str) -> set[Permission]:
    """Return (namespace, resource, verb) of all that is bound to a service account."""
    found: set[Permission] = set()
    for binding in [*of_kind(objects, "RoleBinding"), *of_kind(objects, "ClusterRoleBinding")]:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
        if subject in binding["subjects"]:
            namespace = binding["metadata"].get("namespace", EVERYWHERE)
            found |= of_rules(role_of(objects, binding), namespace)
    return found


def role_of(objects: tuple[Object, ...], binding: Object) -> Object:
    namespace = binding["metadata"].get("namespace")
    [role] = [
        obj
        for obj in of_kind(objects, binding["roleRef"]["kind"])
        if (obj["metadata"]["name"], obj["metadata"].get("namespace"))
        == (binding["roleRef"]["name"], namespace)
    ]
    return role


def of_rules(role: Object, namespace: str) -> set[Permission]:
    found = set()
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                plural, _, sub = resource.partition("/")
                for part in [sub] if sub else rule.get("resourceNames", [""]):
                    named = f"{plural}.{group}".rstrip(".") + f"/{part}".rstrip("/")
                    found |= {(namespace, named, verb) for verb in rule["verbs"]}
    return found


@pytest.mark.parametrize("name", [name for name in ALL_VALUES if name != "bare"])
def test_web_may_poke_previews_and_neither_read_nor_list_them(name: str) -> None:
    assert permissions(rendered(name), "previewbot-web") == WEB


@pytest.mark.parametrize("name", [name for name in ALL_VALUES if name not in ("bare", "everything")])
def test_where_pages_tell_nobody_anything_pages_may_do_nothing(name: str) -> None:
    assert permissions(rendered(name), "previewbot-pages") == set()


def test_where_pages_are_public_pages_may_read_and_list_all_previews() -> None:
    objects = rendered("minimal", "--set", "settings.pages=public")

    assert permissions(objects, "previewbot-pages") == PAGES


def test_where_people_sign_in_pages_may_read_all_previews_and_store_what_they_press() -> None:
    assert permissions(rendered("everything"), "previewbot-pages") == PAGES | {
        (NAMESPACE, REQUESTS, "create")
    }
    nobody = rendered("everything", "--set", "settings.access=none,settings.pages=private")
    # Where pictures stand in the comment, anybody may see those.
    assert permissions(nobody, "previewbot-pages") == PAGES
    unseen = "settings.access=none,settings.pages=private,pictures.public=false"
    assert permissions(rendered("everything", "--set", unseen), "previewbot-pages") == set()


def test_with_a_bearer_for_programs_pages_may_read_and_list_all_previews_and_alone_has_it_mounted() -> None:
    objects = rendered("minimal", "--set", "api.existingSecret=for-programs")
    may = permissions(objects, "previewbot-pages")
    (mounted,) = (each for each in pod(objects, "pages")["volumes"] if each["name"] == "api")

    assert mounted["secret"]["secretName"] == "for-programs"
    assert may == PAGES
    for component in ("web", "controller"):
        assert "api" not in {each["name"] for each in pod(objects, component)["volumes"]}


@pytest.mark.parametrize("name", ["minimal", "ingress", "http-route"])
def test_without_a_gateway_the_controller_may_not_touch_routes(name: str) -> None:
    expected = CONTROLLER | in_namespace("staging", gateway=False)

    assert permissions(rendered(name), "previewbot-controller") == expected


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ([{"match": ["acme/*"]}], False),
        ([{"match": ["acme/*"], "secrets": False}], False),
        ([{"match": ["acme/a"]}, {"match": ["acme/b"], "secrets": True}], True),
    ],
)
def test_secret_files_are_given_to_mirrords_operator_only_where_a_rule_opens_that(
    rules: list[Object], may: bool
) -> None:
    options = ("--set-json", f"settings.repositories={json.dumps(rules)}")

    assert (SECRET_FILES in permissions(rendered("gateway", *options), "previewbot-controller")) is may


@pytest.mark.parametrize(("name", "logs"), [("gateway", False), ("everything", True)])
def test_the_controller_acts_in_the_allowed_namespaces_only_and_reads_logs_if_it_quotes_them(
    name: str, logs: bool
) -> None:
    expected = CONTROLLER | LINKS
    for namespace in ("staging", "payments"):
        expected = expected | in_namespace(namespace, gateway=True, logs=logs)

    assert permissions(rendered(name), "previewbot-controller") == expected


@pytest.mark.parametrize("name", [name for name in ALL_VALUES if name != "bare"])
def test_every_role_is_bound_and_to_one_of_the_pods_accounts(name: str) -> None:
    objects = rendered(name)
    bindings = [*of_kind(objects, "RoleBinding"), *of_kind(objects, "ClusterRoleBinding")]
    bound = {(b["roleRef"]["kind"], b["roleRef"]["name"], b["metadata"].get("namespace")) for b in bindings}

    roles = [*of_kind(objects, "Role"), *of_kind(objects, "ClusterRole")]
    assert bound == {(r["kind"], r["metadata"]["name"], r["metadata"].get("namespace")) for r in roles}
    assert {subject["name"] for b in bindings for subject in b["subjects"]} == {
        account["metadata"]["name"] for account in of_kind(objects, "ServiceAccount")
    }


@pytest.mark.parametrize("name", ALL_VALUES)
@pytest.mark.parametrize("component", ["web", "pages", "controller"])
def test_a_pod_runs_as_the_account_its_roles_are_for_and_nobody_else_gets_the_token(
    name: str, component: str
) -> None:
    objects = rendered(name)
    spec = one(objects, "Deployment", f"previewbot-{component}")["spec"]["template"]["spec"]

    assert spec["serviceAccountName"] == f"previewbot-{component}"
    assert spec["automountServiceAccountToken"] is True
    assert one(objects, "ServiceAccount", f"previewbot-{component}")["automountServiceAccountToken"] is False


def test_roles_can_be_made_by_somebody_else() -> None:
    kinds = {obj["kind"] for obj in rendered("bare")}

    assert not kinds & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}


@pytest.mark.parametrize("name", [name for name in ALL_VALUES if name != "bare"])
def test_no_rule_has_a_wildcard_or_grants_power_over_roles_or_secrets_or_more_than_looks_at_pods(
    name: str,
) -> None:
    objects = rendered(name)

    for role in [*of_kind(objects, "Role"), *of_kind(objects, "ClusterRole")]:
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "rbac.authorization.k8s.io" not in rule["apiGroups"]
            if "" in rule["apiGroups"]:
                pairs = {(resource, verb) for resource in rule["resources"] for verb in rule["verbs"]}
                assert pairs <= POD_READS | TARGET_READS
