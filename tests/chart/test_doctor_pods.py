"""`helm test`: a pod with each process' account and secret runs `previewbot doctor`, with no right beyond."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from previewbot.doctor import rights
from tests.chart.helm import ALL_VALUES, Object, of_kind, one, pod, rendered
from tests.chart.test_rendering import settings_of
from tests.chart.test_roles import EVERYWHERE, Permission, permissions

COMPONENTS = ("web", "pages", "controller")
BOTH = [(name, component) for name in ALL_VALUES for component in COMPONENTS]
WITH_ROLES = [(name, component) for name, component in BOTH if name != "bare"]


def doctor(name: str, component: str) -> Object:
    return one(rendered(name), "Pod", f"previewbot-doctor-{component}")


def described(right: rights.Right) -> Permission:
    """Return a right of the doctor's table as the test of the chart's roles writes it."""
    resource = f"{right.resource}.{right.group}".rstrip(".")
    named = right.part or right.object
    return right.namespace or EVERYWHERE, f"{resource}/{named}".rstrip("/"), right.verb


@pytest.mark.parametrize(("name", "component"), WITH_ROLES)
def test_the_doctor_asks_for_exactly_the_rights_that_the_chart_grants(name: str, component: str) -> None:
    settings = settings_of(name)

    wanted = rights.OF[component](settings)

    assert {described(right) for right in wanted} == permissions(rendered(name), f"previewbot-{component}")
    assert len(set(wanted)) == len(wanted)


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_it_is_a_test_of_helms_that_runs_once_and_stays_to_be_read(name: str, component: str) -> None:
    found = doctor(name, component)

    annotations = found["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation"
    assert found["spec"]["restartPolicy"] == "Never"
    [container] = found["spec"]["containers"]
    settings = "/etc/previewbot/settings/settings.yaml"
    assert container["args"] == ["doctor", "--settings", settings, "--process", component]


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_it_is_as_its_process_has_it_account_files_image_and_security(name: str, component: str) -> None:
    found, process = doctor(name, component)["spec"], pod(rendered(name), component)

    same = (
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "securityContext",
        "volumes",
    )
    assert {key: found[key] for key in same} == {key: process[key] for key in same}
    assert found.get("initContainers") == process.get("initContainers")
    [mine], [its] = found["containers"], process["containers"]
    of_both = ("image", "imagePullPolicy", "securityContext", "volumeMounts", "resources")
    assert {key: mine.get(key) for key in of_both} == {key: its.get(key) for key in of_both}


@pytest.mark.parametrize(("name", "component"), BOTH)
def test_no_service_no_budget_and_no_process_policy_takes_it_for_a_process(name: str, component: str) -> None:
    labels = doctor(name, component)["metadata"]["labels"]
    objects = rendered(name)

    selectors = [service["spec"]["selector"] for service in of_kind(objects, "Service")]
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        for found in of_kind(objects, kind):
            selector = found["spec"].get("selector") or found["spec"]["podSelector"]
            if "doctor" not in found["metadata"]["name"]:
                selectors.append(selector["matchLabels"])
    assert [selector for selector in selectors if selector.items() <= labels.items()] == []


@pytest.mark.parametrize(("name", "component"), WITH_ROLES)
def test_it_may_go_where_its_process_goes_and_to_web_and_the_links_host(name: str, component: str) -> None:
    def ports(of: str) -> set[Any]:
        policy = one(rendered(name), "NetworkPolicy", f"previewbot-{of}")["spec"]
        return {port["port"] for rule in policy["egress"] for port in rule["ports"]}

    settings = settings_of(name)
    gateway = settings.links.gateway if settings.links else None
    address = urlsplit(settings.public_url)
    more = {address.port or (443 if address.scheme == "https" else 80)}
    if gateway is not None and component == "controller":
        more.add(gateway.port or (443 if gateway.scheme == "https" else 80))

    assert ports(f"doctor-{component}") == ports(component) | more
    assert one(rendered(name), "NetworkPolicy", f"previewbot-doctor-{component}")["spec"]["ingress"] == []
