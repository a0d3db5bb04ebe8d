"""The chart's accounts, roles and policies in a real API server, with tokens for its processes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from previewbot_demo.processes import Child, spawn
from tests.chart.helm import CHART, KUBE_VERSION, Object, run
from tests.chart.release import Account, place_of
from tests.support.admission import wait_until_gone, wait_until_in_force
from tests.support.control_plane import SYSTEM as SYSTEM
from tests.support.control_plane import ControlPlane
from tests.support.yaml_texts import read_documents

ACCOUNTS = {"web": "previewbot-web", "pages": "previewbot-pages", "controller": "previewbot-controller"}

_ACCOUNTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
_OF_THE_CHART = {
    "cluster": ("kubeconfig", "lease"),
    "github": ("private_key_file", "webhook_secret_file"),
    "sign_in": ("client_secret_file", "cookie_keys_file"),
}
"""Settings that the chart knows itself; all of `api` is among them."""


@dataclass
class Installed:
    """What of the chart is installed for previews in `namespace`, and what its processes show there.

    The policies depend on settings that only the demo's world knows (its ports), so they come into force when
    the first process is started: `spawn` is for the demo.
    """

    plane: ControlPlane
    directory: Path
    namespace: str
    objects: tuple[Object, ...] = ()
    policies: tuple[Object, ...] = ()
    tokens: dict[str, str] = field(default_factory=dict)
    _once: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def settings(self) -> dict[str, Any]:
        """The part of previewbot's settings that the roles depend on."""
        lease = {"name": "previewbot-controller", "namespace": SYSTEM}
        return {"cluster": {"namespaces": [self.namespace], "lease": lease}}

    async def spawn(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> Child:
        """Start a process, once the policies for its settings are in force."""
        async with self._once:
            if not self.policies:
                settings = yaml.safe_load((directory / "settings.yaml").read_text(encoding="utf-8"))
                await asyncio.to_thread(self._put_policies_in_force, settings)
        return await spawn(command, environment, directory, log)

    def _put_policies_in_force(self, settings: dict[str, Any]) -> None:
        settings.pop("api")
        for part, keys in _OF_THE_CHART.items():
            settings[part] = {key: value for key, value in settings[part].items() if key not in keys}
        rendered = _rendered(self.directory, settings)
        self.policies = tuple(obj for obj in rendered if obj["kind"] in _POLICIES)
        for obj in self.policies:
            self.plane.apply(obj)
        account = Account(self.plane, "controller")
        wait_until_in_force(self.plane, account, self.namespace)
        account.close()


def install(plane: ControlPlane, directory: Path, namespace: str) -> Installed:
    """Install the chart's accounts and roles for previews in `namespace`, which is made if need be."""
    for name in (SYSTEM, namespace):
        plane.make_namespace(name)
    settings = {
        "github": {"app_id": 4242},
        "public_url": "https://previews.example.com",
        "cluster": {"namespaces": [namespace]},
        "links": {"gateway": {"name": "public", "namespace": namespace, "domain": "preview.localhost"}},
        "images": {"allowed": ["ghcr.io/acme/"]},
        # As the demo has it: pages may read Previews only where they show something.
        "pages": "public",
        "sign_in": {"client_id": "Iv23liAbCdEfGhIjKlMn"},
    }
    found = Installed(plane, directory, namespace)
    found.objects = tuple(obj for obj in _rendered(directory, settings) if obj["kind"] in _ACCOUNTS)
    for obj in found.objects:
        plane.apply(obj)
    for command, account in ACCOUNTS.items():
        kubeconfig = yaml.safe_load(plane.kubeconfig_for_account(SYSTEM, account).read_text("utf-8"))
        found.tokens[command] = kubeconfig["users"][0]["user"]["token"]
    return found


def uninstall(installed: Installed) -> None:
    """Remove all of it, so that another test may install it for another namespace."""
    plane = installed.plane
    account = Account(plane, "controller")
    _remove(plane, installed.policies)
    wait_until_gone(account, installed.namespace)
    account.close()
    _remove(plane, installed.objects)


def _remove(plane: ControlPlane, objects: Sequence[Object]) -> None:
    for obj in objects:
        plane.call("DELETE", place_of(plane, obj))


def _rendered(directory: Path, settings: Mapping[str, Any]) -> tuple[Object, ...]:
    values = directory / "values.yaml"
    document = {
        "image": {"repository": "registry.example.com/previewbot"},
        "existingSecret": "previewbot",
        # As the demo has both: pages may store what people press only where they sign in.
        "api": {"existingSecret": "previewbot-api"},
        "signIn": {"existingSecret": "previewbot-sign-in"},
        "settings": settings,
    }
    values.write_text(yaml.safe_dump(document), encoding="utf-8")
    place = ("--namespace", SYSTEM, "--kube-version", KUBE_VERSION, "--values", str(values))
    result = run("template", "previewbot", str(CHART), *place)
    assert result.returncode == 0, result.stderr
    return tuple(read_documents(result.stdout))
