"""Finds out why a pull request has a preview or none, with a pass's own functions; none of them may write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from previewbot.api import Poke, Preview, Reason, from_object, name_of, new_object, timestamp
from previewbot.api.reference import Reference
from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.operator import look_at_operator
from previewbot.clients.kubernetes.resources import PODS, PREVIEWS
from previewbot.clients.links import Links
from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.doctor.contexts import looking
from previewbot.doctor.examination import USER_AGENT, refuse_changes
from previewbot.doctor.steps import Foreseen
from previewbot.engine import mirrord
from previewbot.engine.view import view_of
from previewbot.errors import NotFound, RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather import Gone, Suspended, gather
from previewbot.reconciler.plan.planner import make_plan
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.environment_keys import spec_of
from previewbot.rules.proxies import DIRECTLY, Proxies
from previewbot.runtime.pods import Pods


class CannotExplain(Exception):
    """There is nothing to explain; the text says why, and what to try."""


@dataclass(frozen=True)
class _Seen:
    """The cluster, as far as it could be read, and GitHub."""

    kube: Kube
    github: GitHub
    registry: Registry
    links: Links
    settings: Settings
    now: Callable[[], datetime]


async def foresee(
    reference: Reference,
    settings: Settings,
    private_key: str,
    now: Callable[[], datetime],
    proxies: Proxies = DIRECTLY,
) -> Foreseen:
    """Return what a pass over a pull request would find and decide now.

    Raises CannotExplain, or the RemoteError of what cannot be read.
    """
    if reference.host and reference.host != settings.github_host:
        raise CannotExplain(
            f"these settings are for {settings.github_host}, and the address is at {reference.host}"
        )
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(proxies=proxies))
        github = GitHub(
            session, settings.github, private_key, settings.agents.known, user_agent=USER_AGENT, now=now
        )
        kube = await Kube.connect(settings.cluster.kubeconfig, user_agent=USER_AGENT, fence=refuse_changes)
        stack.push_async_callback(kube.close)
        registry = Registry(session, settings.images.registries)
        links = Links(USER_AGENT, proxies=proxies)
        return await _foreseen(_Seen(kube, github, registry, links, settings, now), reference)


async def _foreseen(seen: _Seen, reference: Reference) -> Foreseen:
    obj, stored = await _preview(seen, reference)
    _check_whose(obj, seen.settings)
    previews, pods = await _previews(seen), await _pods(seen)
    operator = await look_at_operator(seen.kube)
    context = looking(
        seen.kube, seen.github, seen.registry, seen.links, seen.settings, seen.now, previews, pods, operator
    )
    store = _store(context, obj)
    try:
        observation = await gather(context, store, afresh=True)
    except Gone as error:
        what = reference.repository if error.reason is Reason.REPOSITORY_GONE else "the pull request"
        raise CannotExplain(f"{what} is gone, or took the App away") from error
    except Suspended as error:
        raise CannotExplain(f"the App's installation for {reference.repository} is suspended") from error
    plan = make_plan(observation, context.kinds, context.route)
    preview = replace(observation.preview, status=plan.status)
    headline = context.renderer.headline(view_of(seen.settings, preview)) if plan.status.reason else ""
    return Foreseen(seen.settings, observation, plan, preview, stored, headline)


def _check_whose(obj: Mapping[str, Any], settings: Settings) -> None:
    """Raise CannotExplain for a Preview that the controller leaves alone, whatever is in it."""
    name, of = obj["metadata"]["name"], (obj["spec"].get("appId"), obj["spec"].get("githubHost"))
    if of != (settings.github.app_id, settings.github_host):
        raise CannotExplain(
            f"the Preview {name} is of App {of[0]} at {of[1]}, and these settings are for App "
            f"{settings.github.app_id} at {settings.github_host}: previewbot leaves it alone. If that App is "
            f"no more, `kubectl delete preview {name}` makes room for one of its own"
        )


def _store(context: Context, obj: Mapping[str, Any]) -> PreviewStore:
    try:
        return PreviewStore(context, obj)
    except (ValidationError, KeyError, ValueError) as error:
        name = obj["metadata"]["name"]
        words = (
            f"the Preview {name} is not as this version writes it: see `kubectl get preview {name} -o yaml`"
        )
        raise CannotExplain(words) from error


async def _preview(seen: _Seen, reference: Reference) -> tuple[Mapping[str, Any], bool]:
    """Return the Preview as it is stored, or as it would be made, with the repository's present name."""
    installation = await _installation(seen, reference)
    client = seen.github.installation(installation)
    try:
        pull = await client.pull_request(reference.repository, reference.number)
    except NotFound as error:
        words = f"{reference.repository} has no pull request {reference.number} that the App can see"
        raise CannotExplain(f"{words}: an issue has a number as well, and no preview") from error
    spec = spec_of(
        github_host=seen.settings.github_host,
        app_id=seen.settings.github.app_id,
        installation_id=installation,
        repository_id=pull.base.repository_id or 0,
        repository=pull.base.repository,
        number=pull.number,
    )
    made = new_object(spec, Poke())
    stored = await seen.kube.get_preview(name_of(spec.repository_id, spec.number))
    if stored is None:
        metadata = {
            **made["metadata"],
            "uid": "not-stored",
            "resourceVersion": "0",
            "creationTimestamp": timestamp(seen.now()),
        }
        return {**made, "metadata": metadata}, False
    # The hints in the spec are refreshed here and not stored: nothing is written.
    hints = {key: made["spec"][key] for key in ("repository", "installationId")}
    return {**stored, "spec": {**stored["spec"], **hints}}, True


async def _installation(seen: _Seen, reference: Reference) -> int:
    try:
        return await seen.github.installation_of(reference.repository)
    except NotFound as error:
        if "Integration" in error.message:
            raise
        words = (
            f"there is no repository {reference.repository}, or the App is not installed in it: see the "
            "spelling, and “Configure” on the App's page"
        )
        raise CannotExplain(words) from error


async def _previews(seen: _Seen) -> Sequence[Preview]:
    """Return all Previews: who holds the slots. One that cannot be read holds none."""
    found, _ = await seen.kube.list_for_watch(PREVIEWS, None)
    readable: list[Preview] = []
    for obj in found:
        try:
            readable.append(from_object(obj))
        except (ValidationError, KeyError):
            continue
    return tuple(readable)


async def _pods(seen: _Seen) -> Pods:
    """Return the pods of sessions, as far as they may be read."""
    pods = Pods(lambda session: None, seen.now)
    for namespace in seen.settings.cluster.namespaces:
        try:
            for obj in await seen.kube.list_children(PODS, namespace, mirrord.POD_SESSION):
                pods.changed(None, obj)
        except RemoteError:
            # Without them everything else is still worth telling.
            continue
    return pods
