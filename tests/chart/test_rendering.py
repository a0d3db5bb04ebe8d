"""The chart as a whole: it lints, renders what it should, and hands on settings that previewbot takes."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.server import Settings, document, parse
from tests.chart import helm
from tests.chart.helm import ALL_VALUES, CHART, NAMESPACE, one, rendered

CLUSTER_SCOPED = (
    "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
)  # fmt: skip


def settings_of(name: str, *options: str) -> Settings:
    text = one(rendered(name, *options), "ConfigMap", "previewbot")["data"]["settings.yaml"]
    return parse(document(text), {})


@pytest.mark.parametrize("name", ALL_VALUES)
def test_helm_finds_nothing_to_complain_about(name: str) -> None:
    result = helm.run(
        "lint",
        "--strict",
        "--kube-version",
        helm.KUBE_VERSION,
        str(CHART),
        "--values",
        helm.values_file(name),
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "[WARNING]" not in result.stdout


@pytest.mark.parametrize("name", ALL_VALUES)
def test_no_two_objects_are_the_same_one_and_each_is_labelled_as_the_releases(name: str) -> None:
    objects = rendered(name)

    places = Counter(
        (obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"]) for obj in objects
    )
    assert [place for place, times in places.items() if times > 1] == []
    for obj in objects:
        assert obj["metadata"]["labels"]["app.kubernetes.io/instance"] == helm.RELEASE
        assert ("namespace" in obj["metadata"]) == (obj["kind"] not in CLUSTER_SCOPED)


@pytest.mark.parametrize("name", ALL_VALUES)
def test_nothing_hooks_into_helm_but_what_helm_test_runs(name: str) -> None:
    for obj in rendered(name):
        hooks = {
            key: value
            for key, value in (obj["metadata"].get("annotations") or {}).items()
            if key.startswith("helm.sh/")
        }
        assert hooks.get("helm.sh/hook", "test") == "test"
        assert bool(hooks) == (obj["kind"] == "Pod")


@pytest.mark.parametrize("name", ALL_VALUES)
def test_previewbot_takes_the_settings_that_the_chart_writes(name: str) -> None:
    settings = settings_of(name)

    assert settings.cluster.kubeconfig is None
    assert settings.cluster.lease_or_default.name == "previewbot-controller"
    assert settings.cluster.lease_or_default.namespace == NAMESPACE


@pytest.mark.parametrize("name", ALL_VALUES)
def test_every_setting_of_the_values_arrives(name: str) -> None:
    given = yaml.safe_load(Path(helm.values_file(name)).read_text(encoding="utf-8"))["settings"]
    text = one(rendered(name), "ConfigMap", "previewbot")["data"]["settings.yaml"]

    assert_contains(yaml.safe_load(text), given, "settings")


def assert_contains(found: Any, wanted: Any, path: str) -> None:
    if not isinstance(wanted, dict):
        assert found == wanted, path
        return
    for key, value in wanted.items():
        assert key in found, f"{path}.{key}"
        assert_contains(found[key], value, f"{path}.{key}")


def test_a_large_app_id_stays_a_number() -> None:
    assert settings_of("minimal").github.app_id == 12345678


def test_the_settings_of_the_document_are_those_of_the_chart() -> None:
    """The example of docs/settings.md, less what the chart sets itself, is taken as it is."""
    text = (helm.ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    example = yaml.safe_load(text.split("```yaml")[1].split("```")[0])
    mounted = ("docker_config_file", "ca_file")
    for file in ("ca_file", "private_key_file", "webhook_secret_file"):
        del example["github"][file]
    del example["cluster"]["kubeconfig"], example["cluster"]["lease"], example["api"]["bearer_file"]
    del example["sign_in"]["client_secret_file"], example["sign_in"]["cookie_keys_file"]
    del example["proxy"]["assertion"]["keys_file"], example["links"]["gateway"]["guard"]["keys_file"]
    registries = example["images"]["registries"]
    example["images"]["registries"] = {
        host: {key: value for key, value in registry.items() if key not in mounted}
        for host, registry in registries.items()
    }

    mounts = ("--set", "signIn.existingSecret=sign-in,guard.existingSecret=guard")
    settings = settings_of("minimal", "--set-json", f"settings={json.dumps(example)}", *mounts)

    assert settings.ttl.max == timedelta(hours=72)
    assert settings.limits.previews == 50


def yaml_as_json(value: Any) -> str:
    import json

    return json.dumps(value)


def test_registries_with_a_login_or_a_ca_are_given_the_mounted_files() -> None:
    registries = settings_of("everything").images.registries

    login, authority = (
        Path("/etc/previewbot/registry/config.json"),
        Path("/etc/previewbot/registry-ca/ca.crt"),
    )
    assert {host: (r.docker_config_file, r.ca_file, r.plain_http) for host, r in registries.items()} == {
        "ghcr.io": (login, None, False),
        "harbor.internal": (login, authority, False),
        "registry.internal:5000": (None, None, True),
        "plain.internal": (None, None, True),
    }


def test_githubs_ca_is_the_mounted_file() -> None:
    assert settings_of("everything").github.ca_file == Path("/etc/previewbot/github-ca/ca.crt")
    assert settings_of("minimal").github.ca_file is None


def test_other_settings_make_other_pods() -> None:
    def sums(*options: str) -> set[str]:
        return {
            obj["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
            for obj in helm.of_kind(rendered("minimal", *options), "Deployment")
        }

    assert len(sums()) == 1
    assert sums() == sums("--set", "web.replicas=5")
    assert sums() != sums("--set", "settings.limits.previews=7")


def test_another_release_has_names_of_its_own() -> None:
    ours, other = rendered("everything"), rendered("everything", release="staging-two")

    def names(objects: tuple[helm.Object, ...]) -> set[tuple[str, str]]:
        return {(obj["kind"], obj["metadata"]["name"]) for obj in objects}

    assert not names(ours) & names(other)
    assert {name.split("-previewbot")[0] for _, name in names(other)} == {"staging-two"}


def test_the_crds_are_installed_by_helm_itself_and_are_those_in_the_package() -> None:
    with_crds = rendered("minimal", "--include-crds")

    files = sorted((helm.ROOT / "charts" / "previewbot" / "crds").glob("*.yaml"))
    wanted = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    assert helm.of_kind(with_crds, "CustomResourceDefinition") == wanted
    assert not helm.of_kind(rendered("minimal"), "CustomResourceDefinition")


def test_chart_application_and_package_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((helm.ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert chart["appVersion"] == project["project"]["version"]


def test_people_who_come_by_a_proxy_to_look_need_its_keys_and_no_secret_token_or_github() -> None:
    assertion = {"header": "X-Pomerium-Jwt-Assertion", "issuer": "sso", "audience": "pages"}
    proxy = json.dumps({"assertion": assertion, "repositories": ["acme/*"], "may_say": False})
    options = ("--set", "settings.access=proxy,signIn.proxyKeysConfigMap=sso-keys")
    objects = rendered("minimal", *options, "--set-json", f"settings.proxy={proxy}")

    text = one(objects, "ConfigMap", "previewbot")["data"]["settings.yaml"]
    settings = parse(document(text), {})
    assert settings.proxy is not None and settings.proxy.assertion is not None
    assert settings.proxy.assertion.keys_file == Path("/etc/previewbot/proxy/jwks.json")
    pod = one(objects, "Deployment", "previewbot-pages")["spec"]["template"]["spec"]
    assert [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume] == [
        "previewbot",
        "sso-keys",
    ]
    assert not any("secret" in volume for volume in pod["volumes"])
    [container] = pod["containers"]
    assert {"name": "proxy", "mountPath": "/etc/previewbot/proxy", "readOnly": True} in container[
        "volumeMounts"
    ]
    [rule] = one(objects, "ClusterRole", "previewbot-pages")["rules"]
    assert rule["verbs"] == ["get", "list"]
    assert not [obj for obj in objects if obj["metadata"]["name"] == "previewbot-pages-requests"]
    policy = one(objects, "NetworkPolicy", "previewbot-pages")["spec"]
    assert {port["port"] for each in policy["egress"] for port in each["ports"]} == {53, 443, 6443}


def test_the_guards_keys_are_pages_and_the_controllers_and_people_get_to_its_way_in_from_outside() -> None:
    guard = ("--set", "settings.links.gateway.guard.host_in=Host,guard.existingSecret=guard")
    people = ("--set", "signIn.existingSecret=sign-in,settings.sign_in.client_id=Iv1")
    objects = rendered("gateway", *guard, *people, "--set", "ingress.enabled=true,ingress.expose={pages}")

    settings = parse(document(one(objects, "ConfigMap", "previewbot")["data"]["settings.yaml"]), {})
    assert settings.guarded is not None and settings.guarded.guard is not None
    assert settings.guarded.guard.keys_file == Path("/etc/previewbot/guard/keys")
    have = {
        name: [
            volume["secret"]["secretName"]
            for volume in one(objects, "Deployment", f"previewbot-{name}")["spec"]["template"]["spec"][
                "volumes"
            ]
            if "secret" in volume and volume["secret"]["secretName"] == "guard"
        ]
        for name in ("web", "pages", "controller")
    }
    assert have == {"web": [], "pages": ["guard"], "controller": ["guard"]}
    [rule] = one(objects, "Ingress", "previewbot-web")["spec"]["rules"]
    paths = [path["path"] for path in rule["http"]["paths"]]
    # Only the gateway asks the guard, and within the cluster.
    assert "/enter" in paths and not [path for path in paths if path.startswith("/auth")]


@pytest.mark.parametrize(
    ("may", "asked"),
    [
        ({}, "['say']"),
        ({"may_extend": True}, "['say', 'extend']"),
        ({"may_say": False, "may_extend": True}, "['extend']"),
    ],
)
def test_people_who_press_something_by_proxy_need_the_keys_of_forms_and_no_other_secret(
    may: dict[str, bool], asked: str
) -> None:
    proxy = {"header": "X-Forwarded-Email", "from": ["10.20.0.7/32"], "repositories": ["acme/*"], **may}
    access = ("--set", "settings.access=proxy", "--set-json", f"settings.proxy={json.dumps(proxy)}")
    objects = rendered("minimal", *access, "--set", "signIn.existingSecret=forms")

    settings = parse(document(one(objects, "ConfigMap", "previewbot")["data"]["settings.yaml"]), {})
    assert settings.sign_in.cookie_keys_file == Path("/etc/previewbot/sign-in/cookie-keys")
    assert settings.sign_in.client_secret_file is None
    pod = one(objects, "Deployment", "previewbot-pages")["spec"]["template"]["spec"]
    [secret] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert (secret["secretName"], [each["key"] for each in secret["items"]]) == ("forms", ["cookie-keys"])
    [rule] = one(objects, "Role", "previewbot-pages-requests")["rules"]
    assert (rule["resources"], rule["verbs"]) == (["previewrequests"], ["create"])
    policy = one(objects, "ValidatingAdmissionPolicy", "previewbot-requests")["spec"]
    rules = [each["expression"].strip() for each in policy["validations"]]
    assert any(rule.endswith(f"object.spec.asked in {asked}") for rule in rules)
    # GitHub is asked nothing as a person.
    egress = one(objects, "NetworkPolicy", "previewbot-pages")["spec"]["egress"]
    assert {port["port"] for each in egress for port in each["ports"]} == {53, 443, 6443}
    assert 'settings.access "proxy" needs signIn.existingSecret' in helm.template("minimal", *access).stderr
