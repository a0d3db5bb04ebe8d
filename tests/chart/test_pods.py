"""The pods: restricted, spread, probed, and with no secret but their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chart import helm
from tests.chart.helm import ALL_VALUES, Object, of_kind, one, pod, rendered
from tests.chart.image import environment

COMPONENTS = ("web", "pages", "controller")
OF_THE_APP = ("web", "controller")
BOTH = [(name, component) for name in ALL_VALUES for component in COMPONENTS]
WITH_THE_WORKER = [*BOTH, ("everything", "pictures")]
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected",
    "secret",
}  # fmt: skip


def container(name: str, component: str) -> Object:
    [only] = pod(rendered(name), component)["containers"]
    assert isinstance(only, dict)
    return only


def volumes(name: str, component: str) -> dict[str, Object]:
    return {volume["name"]: volume for volume in pod(rendered(name), component)["volumes"]}


@pytest.mark.parametrize(("name", "component"), WITH_THE_WORKER)
def test_pods_meet_the_restricted_pod_security_standard(name: str, component: str) -> None:
    spec = pod(rendered(name), component)

    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for each in [container(name, component), *spec.get("initContainers", [])]:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for volume in volumes(name, component).values():
        [source] = set(volume) - {"name"}
        assert source in RESTRICTED_VOLUMES


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_only_a_small_tmp_can_be_written_to(name: str, component: str) -> None:
    mounts = container(name, component)["volumeMounts"]

    assert [mount["mountPath"] for mount in mounts if not mount.get("readOnly")] == ["/tmp"]
    assert volumes(name, component)["tmp"]["emptyDir"] == {"sizeLimit": "64Mi"}


@pytest.mark.parametrize(("name", "component"), WITH_THE_WORKER)
def test_what_is_mounted_is_there_and_what_is_there_is_mounted(name: str, component: str) -> None:
    mounted = [mount["name"] for mount in container(name, component)["volumeMounts"]]

    assert sorted(mounted) == sorted(volumes(name, component))


def test_the_worker_of_pictures_has_no_token_a_bounded_disk_and_the_secret_that_others_have_too() -> None:
    spec, only = pod(rendered("everything"), "pictures"), container("everything", "pictures")
    found = volumes("everything", "pictures")

    assert spec["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in spec
    # Else ended helpers of its browsers would pile up, until there may be no more processes.
    assert spec["shareProcessNamespace"] is True
    assert one(rendered("everything"), "Deployment", "previewbot-pictures")["spec"]["replicas"] == 1
    assert only["image"].startswith("registry.example.com/previewbot-pictures@sha256:bbbb")
    assert only["args"][-2:] == ["--most=512", "--browser-memory=700"]
    # What is beside the browser, and what it takes until that is seen.
    assert only["resources"]["limits"]["memory"] == "1Gi"
    assert found["pictures"]["emptyDir"] == {"sizeLimit": "528Mi"}
    assert {name for name, volume in found.items() if "secret" in volume or "configMap" in volume} == {
        "token"
    }
    for component in ("pages", "controller"):
        secret = volumes("everything", component)["pictures"]["secret"]
        assert (secret["secretName"], secret["items"]) == ("pictures", [{"key": "token", "path": "token"}])
    assert "pictures" not in volumes("everything", "web")


@pytest.mark.parametrize("name", ALL_VALUES)
def test_each_gets_its_own_half_of_the_apps_secret(name: str) -> None:
    web, controller = (volumes(name, component)["github"]["secret"] for component in OF_THE_APP)

    assert "github" not in volumes(name, "pages")
    assert [item["key"] for item in web["items"]] == ["webhook-secret"]
    assert [item["key"] for item in controller["items"]] == ["app.pem"]
    assert web["secretName"] == controller["secretName"] == ("app" if name == "everything" else "previewbot")


def test_nobody_but_the_pods_user_reads_a_secret() -> None:
    for component in COMPONENTS:
        secrets = [each["secret"] for each in volumes("everything", component).values() if "secret" in each]
        assert secrets and all(secret["defaultMode"] == 0o440 for secret in secrets)
        assert pod(rendered("minimal"), component)["securityContext"]["fsGroup"] == 65532


def test_only_pages_gets_what_people_sign_in_with() -> None:
    secret = volumes("everything", "pages")["sign-in"]["secret"]
    files = one(rendered("everything"), "ConfigMap", "previewbot")["data"]["settings.yaml"]

    assert secret["secretName"] == "sign-in"
    assert secret["items"] == [
        {"key": "client-secret", "path": "client-secret"},
        {"key": "cookie-keys", "path": "cookie-keys"},
    ]
    assert "client_secret_file: /etc/previewbot/sign-in/client-secret" in files
    assert "cookie_keys_file: /etc/previewbot/sign-in/cookie-keys" in files
    for component in OF_THE_APP:
        assert "sign-in" not in volumes("everything", component)
    assert "sign-in" not in volumes("minimal", "pages")


def test_only_the_controller_gets_the_registries_login() -> None:
    login = volumes("everything", "controller")["registry"]["secret"]

    assert login["secretName"] == "registry-login"
    assert login["items"] == [{"key": ".dockerconfigjson", "path": "config.json"}]
    for component in ("web", "pages"):
        assert "registry" not in volumes("everything", component)
    assert "registry" not in volumes("minimal", "controller")


def test_programs_that_give_logins_are_put_where_the_controller_alone_finds_them() -> None:
    described = pod(rendered("everything"), "controller")
    (helper,) = described["initContainers"]

    assert helper["image"] == "registry.example.com/ecr-login:1"
    assert helper["command"] == ["cp", "/docker-credential-ecr-login", "/credential-helpers/"]
    assert helper["securityContext"] == container("everything", "controller")["securityContext"]
    mounts = {mount["name"]: mount for mount in container("everything", "controller")["volumeMounts"]}
    assert mounts["credential-helpers"] == {
        "name": "credential-helpers",
        "mountPath": "/credential-helpers",
        "readOnly": True,
    }
    assert "/credential-helpers" in environment(Path("/opt/previewbot"))["PATH"].split(":")
    for component in ("web", "pages"):
        assert "initContainers" not in pod(rendered("everything"), component)
    assert "initContainers" not in pod(rendered("minimal"), "controller")


def test_all_get_the_variables_of_the_values_and_only_who_asks_github_its_ca() -> None:
    given = {"HTTPS_PROXY", "http_proxy", "NO_PROXY"}
    for component in COMPONENTS:
        names = [variable["name"] for variable in container("everything", component)["env"]]
        assert given <= set(names) and len(names) == len(set(names))
    assert "env" not in container("minimal", "web")

    for component in ("pages", "controller"):
        authority = volumes("everything", component)["github-ca"]
        assert authority["configMap"] == {"name": "github-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert "github-ca" not in volumes("everything", "web")
    # Who signs nobody in asks GitHub nothing.
    unsigned = pod(rendered("everything", "--set", "settings.access=none"), "pages")
    assert "github-ca" not in {each["name"] for each in unsigned["volumes"]}


def test_a_cloud_can_give_the_controllers_account_an_identity_and_webs_none() -> None:
    web, pages, controller = (
        one(rendered("everything"), "ServiceAccount", f"previewbot-{component}") for component in COMPONENTS
    )

    assert controller["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/previewbot"
    }
    assert "annotations" not in web["metadata"] | pages["metadata"]


@pytest.mark.parametrize("name", ALL_VALUES)
def test_no_secret_comes_as_a_variable_and_none_is_in_the_chart(name: str) -> None:
    assert not of_kind(rendered(name), "Secret")
    for component in COMPONENTS:
        for variable in container(name, component).get("env", []):
            assert "secretKeyRef" not in variable.get("valueFrom", {})


@pytest.mark.parametrize("name", ALL_VALUES)
def test_files_of_the_settings_are_mounted_where_they_are_needed(name: str) -> None:
    """Every path that the settings name lies in a mount of the pod that reads it."""
    text = one(rendered(name), "ConfigMap", "previewbot")["data"]["settings.yaml"]
    files = {
        "web": ["webhook_secret_file"],
        "pages": ["bearer_file", "client_secret_file", "cookie_keys_file"],
        "controller": ["private_key_file", "docker_config_file", "ca_file"],
    }

    for component, keys in files.items():
        mounts = {mount["name"]: mount["mountPath"] for mount in container(name, component)["volumeMounts"]}
        there = {
            f"{mounts[volume]}/{item['path']}"
            for volume, source in volumes(name, component).items()
            for kind in ("secret", "configMap")
            for item in source.get(kind, {}).get("items", [])
        }
        wanted = {line.split(": ")[1] for line in text.splitlines() if line.strip().split(":")[0] in keys}
        assert wanted <= there


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_a_pod_runs_its_command_with_the_settings_that_are_mounted(name: str, component: str) -> None:
    found = container(name, component)
    mounts = {mount["name"]: mount["mountPath"] for mount in found["volumeMounts"]}

    assert "command" not in found
    assert found["args"][:3] == [component, "--config", f"{mounts['settings']}/settings.yaml"]
    assert volumes(name, component)["settings"]["configMap"]["name"] == "previewbot"


def test_a_controller_is_known_in_the_lease_by_its_pods_name() -> None:
    found = container("minimal", "controller")

    assert found["args"][3:] == ["--identity", "$(POD_NAME)"]
    assert found["env"] == [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_services_beside_it_do_not_become_variables_of_the_pod(name: str, component: str) -> None:
    assert pod(rendered(name), component)["enableServiceLinks"] is False


@pytest.mark.parametrize(
    ("component", "ports", "readiness_timeout"),
    [
        ("web", {"http": 8080, "metrics": 8082}, 6),
        ("pages", {"http": 8080, "metrics": 8082}, 6),
        ("controller", {"metrics": 8081}, 5),
    ],
)
def test_probes_ask_the_process_itself(component: str, ports: dict[str, int], readiness_timeout: int) -> None:
    found = container("minimal", component)

    assert {port["name"]: port["containerPort"] for port in found["ports"]} == ports
    assert found["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert found["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
    assert found["readinessProbe"]["timeoutSeconds"] == readiness_timeout


@pytest.mark.parametrize("component", ["web", "pages"])
def test_web_and_pages_have_time_to_finish_what_they_began(component: str) -> None:
    sleep = container("minimal", component)["lifecycle"]["preStop"]["sleep"]["seconds"]

    # previewbot.runtime.web_server gives requests under way 15 s.
    assert pod(rendered("minimal"), component)["terminationGracePeriodSeconds"] > sleep + 15


@pytest.mark.parametrize("component", COMPONENTS)
def test_there_are_two_of_each_and_a_new_one_is_ready_before_an_old_one_goes(component: str) -> None:
    spec = one(rendered("minimal"), "Deployment", f"previewbot-{component}")["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_all_that_selects_pods_selects_these_and_no_others(name: str, component: str) -> None:
    objects = rendered(name)
    labels = {
        which: one(objects, "Deployment", f"previewbot-{which}")["spec"]["template"]["metadata"]["labels"]
        for which in COMPONENTS
    }
    selectors = [
        one(objects, "Deployment", f"previewbot-{component}")["spec"]["selector"]["matchLabels"],
        one(objects, "PodDisruptionBudget", f"previewbot-{component}")["spec"]["selector"]["matchLabels"],
        *(c["labelSelector"]["matchLabels"] for c in pod(objects, component)["topologySpreadConstraints"]),
        *(
            obj["spec"]["podSelector"]["matchLabels"]
            for obj in of_kind(objects, "NetworkPolicy")
            if obj["metadata"]["name"] == f"previewbot-{component}"
        ),
        *(
            obj["spec"]["selector"]
            for obj in of_kind(objects, "Service")
            if obj["metadata"]["name"] == f"previewbot-{component}"
        ),
    ]

    for selector in selectors:
        assert [which for which in COMPONENTS if selector.items() <= labels[which].items()] == [component]


@pytest.mark.parametrize("component", COMPONENTS)
def test_replicas_spread_over_nodes_and_zones(component: str) -> None:
    spread = pod(rendered("minimal"), component)["topologySpreadConstraints"]

    assert [constraint["topologyKey"] for constraint in spread] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_disruption_budget_lets_one_pod_go_at_a_time_but_never_holds_the_only_one(component: str) -> None:
    budget = one(rendered("bare"), "PodDisruptionBudget", f"previewbot-{component}")["spec"]

    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_the_values_say_of_pods_arrives(component: str) -> None:
    spec = pod(rendered("everything"), component)
    template = one(rendered("everything"), "Deployment", f"previewbot-{component}")["spec"]["template"]

    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert spec["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]
    assert spec["priorityClassName"] == "staging"
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert template["metadata"]["labels"]["example.com/cost-centre"] == "42"
    assert template["metadata"]["annotations"]["example.com/team"] == "platform"
    assert container("everything", component)["image"].endswith("/previewbot@sha256:" + "a" * 64)
    assert container("everything", component)["imagePullPolicy"] == "Always"


def test_memory_is_bounded_unless_the_values_say_otherwise() -> None:
    for component in ("web", "pages"):
        assert container("minimal", component)["resources"]["limits"] == {"memory": "256Mi"}
    assert container("minimal", "controller")["resources"]["limits"] == {"memory": "512Mi"}
    assert helm.one(rendered("everything"), "Deployment", "previewbot-web")["spec"]["replicas"] == 3
    assert helm.one(rendered("everything"), "Deployment", "previewbot-pages")["spec"]["replicas"] == 4
    assert container("everything", "pages")["resources"]["limits"] == {"memory": "320Mi"}
