"""The tour on a real API server, by the chart's service accounts, under its admission policies.

Each permission is used, and no other; nothing that previewbot does is refused by a policy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from previewbot_demo import demo_tour
from previewbot_demo.world import Options, World
from tests.chart.release import place_of
from tests.chart.test_roles import permissions
from tests.support import audit
from tests.support.api import AGENT as PROBE
from tests.support.control_plane import ControlPlane, Request
from tests.support.installed import ACCOUNTS, SYSTEM, Installed, install, uninstall

pytestmark = pytest.mark.timeout(300)  # the first test waits for the whole tour

STAGING = "tour"

_BY_NAME = ("leases", "gateways", "mirrordoperators")
"""Resources of which the roles name the objects."""

NOT_ON_THE_TOUR = {
    # The shop has Deployments only; the target of a service may be any of these.
    (STAGING, "statefulsets.apps", "get"),
    (STAGING, "rollouts.argoproj.io", "get"),
    (STAGING, "jobs.batch", "get"),
    (STAGING, "cronjobs.batch", "get"),
    (STAGING, "services", "get"),
    (STAGING, "pods", "get"),
    # Only of a branch with migrations, which are the next commit's: the shop has none.
    (STAGING, "branchdatabases.dbs.mirrord.metalbear.co", "patch"),
    # Only of a Rollout whose pods are another workload's.
    (STAGING, "replicasets.apps", "get"),
    # Only when a repository moves its entry into another namespace.
    (STAGING, "httproutes.gateway.networking.k8s.io", "delete"),
    # Only of a pod in trouble, and here no pod runs: tests/e2e/test_pod_troubles.py reads both.
    (STAGING, "pods/log", "get"),
    (STAGING, "events", "list"),
    # Only an hour after a button was pressed.
    (SYSTEM, "previewrequests.previewbot.dev", "delete"),
}
"""What the chart grants and no tour needs, each with its reason."""

NOT_BY_PAGES = {
    # Nobody signs in on the tour, and presses a button of a page.
    (SYSTEM, "previewrequests.previewbot.dev", "create"),
}

SOMETIMES = {(STAGING, "replicasets.apps", "list")}
"""Of a session that has had no pod for a while: here all are so, and it is the machine's speed that decides
whether one of them lives so long."""


@dataclass(frozen=True)
class Toured:
    """What a tour as the chart's accounts left in the audit log."""

    code: int
    lines: tuple[str, ...]
    installed: Installed
    requests: tuple[Request, ...]
    audit_log: str

    def of(self, command: str) -> list[Request]:
        """Return the requests of one process."""
        user = f"system:serviceaccount:{SYSTEM}:{ACCOUNTS[command]}"
        # What waits for the policies asks by the same account, under a name of its own.
        return [each for each in self.requests if each.user == user and each.agent != PROBE]


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    found = install(control_plane, tmp_path_factory.mktemp("chart"), STAGING)
    yield found
    uninstall(found)


@pytest.fixture(scope="module")
def toured(control_plane: ControlPlane, installed: Installed) -> Toured:
    """Take the tour with a listing so often that it finds what one dropped webhook would have told."""
    options = Options(
        kubeconfig=control_plane.kubeconfig(),
        namespace=STAGING,
        tokens=installed.tokens,
        build_seconds=0.5,
        settings=installed.settings | {"listing": {"interval": "2s"}},
        spawn=installed.spawn,
    )
    before = len(control_plane.requests())
    code, lines = asyncio.run(_take(options))
    requests = tuple(control_plane.requests()[before:])
    return Toured(code, lines, installed, requests, control_plane.audit_log())


async def _take(options: Options) -> tuple[int, tuple[str, ...]]:
    lines: list[str] = []
    async with World(options) as world:
        # Of the App itself nothing is told on the tour: by this web asks for a listing.
        world.github.archive_repository(world.github.find().full_name, archived=False)
        world.github.webhooks.drop_next(1)
        code = await demo_tour.check(world, say=lines.append)
    return code, tuple(lines)


@pytest.mark.timeout(180)
def test_it_is_as_described(toured: Toured) -> None:
    assert toured.code == 0, "\n".join(toured.lines)


def test_the_policies_were_in_force(toured: Toured, control_plane: ControlPlane) -> None:
    names = {obj["metadata"]["name"] for obj in toured.installed.policies}

    assert names >= {"previewbot-sessions", "previewbot-routes", "previewbot-removals"}
    assert names >= {"previewbot-web", "previewbot-pages", "previewbot-requests"}
    for obj in toured.installed.policies:
        assert control_plane.call("GET", place_of(control_plane, obj)).status == 200


@pytest.mark.parametrize("command", ["web", "pages", "controller"])
def test_nothing_was_refused_but_for_what_is_not_there_or_changed(toured: Toured, command: str) -> None:
    found = toured.of(command)

    assert found
    assert [request for request in found if request.code not in (200, 201, 404, 409)] == []


@pytest.mark.parametrize("command", ["web", "pages", "controller"])
def test_every_permission_was_used_and_every_use_permitted(toured: Toured, command: str) -> None:
    granted = permissions(toured.installed.objects, ACCOUNTS[command])
    used = {_permission(request) for request in toured.of(command) if request.code != 403}

    unused = NOT_ON_THE_TOUR | (NOT_BY_PAGES if command == "pages" else set())
    assert used - granted == set()
    assert granted - used - unused - SOMETIMES == set()
    assert unused & used == set()


@pytest.mark.parametrize(("agent", "services"), [("Copilot", {"web"}), ("Codex", {"pricing"})])
def test_the_audit_log_tells_what_an_agent_ran(toured: Toured, agent: str, services: set[str]) -> None:
    found = audit.runs(toured.audit_log, SYSTEM, agent, "2020-01-01T00:00:00Z")
    on_tour = [one for one in found if one["instead_of"].startswith(f"{STAGING}/")]

    assert {one["instead_of"] for one in on_tour} == {f"{STAGING}/Deployment/{name}" for name in services}
    assert {one["agent"] for one in on_tour} == {agent}
    assert all(one["author"] and one["trigger"] for one in on_tour)
    assert {one["pull_request"].partition("#")[0] for one in on_tour} == {"acme/shop"}


def test_every_session_that_was_made_says_for_whom(toured: Toured) -> None:
    requests = toured.of("controller")
    made = [r for r in requests if (r.verb, r.resource, r.code) == ("create", "previewsessions", 201)]
    agents = ("Copilot", "Codex", "Claude", "Cursor", "Devin", "Jules")
    told = [one for agent in agents for one in audit.runs(toured.audit_log, SYSTEM, agent, "2020")]

    assert made
    assert len(made) == len([one for one in told if one["instead_of"].startswith(f"{STAGING}/")])


def _permission(request: Request) -> tuple[str, str, str]:
    """Return a request as the permission that it needs, by the names of `tests.chart.test_roles`."""
    part = request.subresource or (request.name if request.resource in _BY_NAME else "")
    if request.verb == "create":
        part = request.subresource
    resource = f"{request.resource}.{request.group}".rstrip(".") + f"/{part}".rstrip("/")
    return request.namespace or "*", resource, request.verb
