"""What the cluster shows of a preview's children, whatever their kind."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from previewbot.api import Preview
from previewbot.engine.operator import problem_of
from previewbot.errors import Forbidden, NotFound
from previewbot.reconciler.children.kind import ChildKind, Object, selector
from previewbot.reconciler.context import Context
from previewbot.reconciler.found import Found
from previewbot.reconciler.plan.unseen import may_be_there
from previewbot.rules.seldom import Kind

log = logging.getLogger(__name__)


async def look_at_children(
    context: Context, preview: Preview
) -> tuple[tuple[Found, ...], frozenset[str], frozenset[str]]:
    """List the children live: a cache could take one we just made for one that vanished.

    Also return the namespaces that refuse us, which are no reason to do nothing in the others, and the kinds
    that the cluster does not know.
    """
    found: list[Found] = []
    unseen: set[str] = set()
    absent: set[str] = set()
    for kind in context.kinds:
        for namespace in context.settings.cluster.namespaces:
            place = (kind.name, namespace)
            recorded = [child for child in preview.status.children if (child.kind, child.namespace) == place]
            if kind.optional and not recorded:
                # Most previews have none, and a list is a request in every pass. Whatever is there was
                # recorded before it was made.
                continue
            try:
                items = await _listed(context, kind, namespace, preview)
            except NotFound:
                if not kind.optional:
                    raise
                absent.add(kind.name)
                continue
            except Forbidden:
                if kind.optional and not any(map(may_be_there, recorded)):
                    # A role of before there was this kind: no more than a failure to make one is recorded,
                    # which says so, and is no reason to look away from everything else that is there.
                    continue
                # The watches of this namespace say it, to the log and to the probe.
                unseen.add(namespace)
                continue
            found += [kind.read(item) for item in items]
        found += await _left_elsewhere(context, preview, kind)
    for child in found:
        if child.disbelieved:
            extra = {"preview": preview.name, "child": child.name, "namespace": child.namespace}
            log.warning("a child's status is not believed", extra={**extra, "why": child.disbelieved})
    return tuple(found), frozenset(unseen), frozenset(absent)


async def _listed(context: Context, kind: ChildKind, namespace: str, preview: Preview) -> Sequence[Object]:
    """List the children of a kind in a namespace; none where they went with mirrord's operator.

    Its chart has the CRD of sessions, and the API server removes with a CRD all that was of it. Without this
    nobody would be told: the pass would end here.
    """
    try:
        return await context.kube.list_children(kind.resource, namespace, selector(preview))
    except NotFound:
        if problem_of(context.operator(), context.now()) is None:
            raise
        return ()


async def _left_elsewhere(context: Context, preview: Preview, kind: ChildKind) -> list[Found]:
    """List what is recorded in namespaces that the settings do not name any more.

    It must end too, and hold its slot until it has: nobody would look there again. Where previewbot has no
    right to look, only its owner reference ends it, with the Preview; the log says so.
    """
    recorded = {child.namespace for child in preview.status.children if child.kind == kind.name}
    found: list[Found] = []
    for namespace in sorted(recorded - {"", *context.settings.cluster.namespaces}):
        try:
            items = await context.kube.list_children(kind.resource, namespace, selector(preview))
        except (Forbidden, NotFound) as error:
            if context.memory.said.is_due(Kind.NAMESPACE, f"{preview.name} in {namespace}", context.now()):
                about = {"preview": preview.name, "namespace": namespace, "error": str(error)}
                log.warning("what may run in a namespace of before cannot be ended there", extra=about)
            continue
        found += [kind.read(item) for item in items]
    return found
