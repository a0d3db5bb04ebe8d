"""What becomes of a Preview that is not this controller's, or not what previewbot makes: nothing.

web's token may create Previews, and so may whoever got hold of it. The API server refuses most that is wrong
(the CRD's rules, the admission policy); what it cannot compute is the hash in the environment key, and it
does not judge what was stored before the rules were there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from previewbot.api import Link, Preview, Resource, Slot, Status
from previewbot.errors import Forbidden, Invalid
from previewbot.reconciler.children.kind import selector
from previewbot.reconciler.context import Context
from previewbot.reconciler.plan.requeue import REMOVING, Outcome
from previewbot.reconciler.store import PreviewStore
from previewbot.rules.environment_keys import wrong_identity

_LONGEST_LABEL = 63

log = logging.getLogger(__name__)


async def refuse(context: Context, store: PreviewStore) -> Outcome | None:
    """Refuse a Preview that is not ours to look after; return None for all others.

    One that belongs to another App, or to another GitHub, is another installation's of previewbot in the same
    cluster, and left alone. One whose name or key is not its pull request's gets nothing, is asked about
    nowhere, and loses what it has. It stays itself, so that somebody can see who made it.
    """
    preview, github = store.preview, context.settings.github
    if preview.spec.app_id != github.app_id:
        return Outcome()
    if preview.spec.github_host != context.settings.github_host:
        _say_once(context, preview, f"it is for {preview.spec.github_host}, and we look after another GitHub")
        return Outcome()
    wrong = wrong_identity(preview.name, preview.spec)
    if not wrong:
        return None
    _say_once(context, preview, wrong)
    if await _something_goes(context, preview):
        return Outcome(REMOVING)
    try:
        await store.write(_refused(preview, wrong))
    except Invalid as error:
        # The API server may refuse every write to such an object. The log has said it.
        log.info("the refusal is not stored", extra={"preview": preview.name, "error": str(error)})
    return Outcome()


def _say_once(context: Context, preview: Preview, why: str) -> None:
    if context.memory.refused.is_new(preview.uid):
        about = {"preview": preview.name, "uid": preview.uid, "key": preview.spec.environment_key}
        log.error("a Preview is refused", extra={**about, "why": why})


async def _something_goes(context: Context, preview: Preview) -> bool:
    """Delete what a Preview has, the routes first; return whether there was anything.

    It was looked after when it was stored otherwise, and its owner reference would keep its children for as
    long as it is there itself: with nobody to end them when their time is up.
    """
    routes = [context.route.resource] if context.limits.gateway is not None else []
    # A session outlasts its route, as everywhere: behind the link must never be plain staging.
    for resources in (routes, [kind.resource for kind in context.kinds]):
        if await _delete_all(context, preview, resources):
            return True
    return False


async def _delete_all(context: Context, preview: Preview, resources: list[Resource]) -> bool:
    # No child can have the label of a name that is too long for one.
    if len(preview.name) > _LONGEST_LABEL:
        return False
    found = False
    for resource in resources:
        for namespace in context.settings.cluster.namespaces:
            for child in await _children(context, preview, resource, namespace):
                if not _is_owned(child, preview):
                    continue
                found, metadata = True, child["metadata"]
                if "deletionTimestamp" not in metadata:
                    await context.kube.delete_child(resource, namespace, metadata["name"], metadata["uid"])
    return found


async def _children(
    context: Context, preview: Preview, resource: Resource, namespace: str
) -> list[dict[str, Any]]:
    try:
        return await context.kube.list_children(resource, namespace, selector(preview))
    except Forbidden:
        # One namespace that refuses us keeps nothing in the others.
        return []


def _is_owned(child: Mapping[str, Any], preview: Preview) -> bool:
    """Return whether a child is this very Preview's, and not of another that had its name."""
    owners = child["metadata"].get("ownerReferences") or []
    return any(owner.get("uid") == preview.uid for owner in owners)


def _refused(preview: Preview, why: str) -> Status:
    """Return a status that holds no slot and says, to `kubectl describe`, why nothing is done."""
    words = (
        f"refused: {why}. previewbot did not make this Preview, and does nothing for it. "
        f"See in the API server's audit log who did, then: kubectl delete preview {preview.name}"
    )
    return replace(
        preview.status,
        phase=None,
        reason=None,
        service_names="",
        expires="",
        last_error=words,
        slot=Slot(),
        link=Link(),
        services=(),
        children=(),
        conditions=(),
    )
