"""Where a preview's route leads, while the file that would say so cannot be read."""

from __future__ import annotations

from previewbot.api import Preview
from previewbot.engine.routes import backends
from previewbot.errors import Forbidden
from previewbot.reconciler.children.kind import selector
from previewbot.reconciler.children.routes import route_among
from previewbot.reconciler.context import Context
from previewbot.rules.repositories import Bounds


async def leads_outside(context: Context, preview: Preview, bounds: Bounds) -> bool:
    """Return whether the route leads to a Service that the repository may not lead to (any more).

    It goes by the route itself: the settings may have been narrowed since it was made, and whoever wants to
    keep it need only break the file that names its entry. Raises RemoteError.
    """
    route = route_among(preview.status.children, context.route.name)
    if route is None or not route.namespace or context.limits.gateway is None:
        return False
    if route.namespace not in bounds.linkable:
        return True
    try:
        found = await context.kube.list_children(context.route.resource, route.namespace, selector(preview))
    except Forbidden:
        # Where it leads is not known, and it could not be turned either.
        return False
    return any(not bounds.opens_entry(*backend) for each in found for backend in backends(each))
