"""The HTTPRoute of a preview: to staging with the header set while something serves, else to the page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from previewbot.api import Child, Preview
from previewbot.engine import links, route_answers, routes
from previewbot.engine.annotations import SPEC_HASH
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.reconciler.children.kind import Desired, Object
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.rules.bounds import entry_outside
from previewbot.text.telling import serving_sha

ROUTE_KIND = "HTTPRoute"


def route_among(children: Iterable[Child], kind: str = ROUTE_KIND) -> Child | None:
    """Return the entry of the route among those of a status, if there is or was one."""
    return next((child for child in children if child.kind == kind), None)


class Routes:
    """The kind `HTTPRoute`."""

    name = ROUTE_KIND
    resource = routes.ROUTES

    def desired(
        self, preview: Preview, facts: PullRequestFacts | None, limits: Limits, *, begins: bool
    ) -> Desired | None:
        """Return the route, if links go through a Gateway and the repository has an entry.

        While GitHub cannot be read the entry is unknown: then the route is only ever turned to the page.
        `begins`: a route may be made where there was none.
        """
        recorded = route_among(preview.status.children, self.name)
        before = recorded.namespace if recorded else ""
        config = facts.config if facts else None
        services = preview.status.services
        entry = links.entry_of(config, services) if config else None
        # The file was held to the bounds when it was read; once more, with what the route is made of.
        if entry is not None and (
            facts is None or facts.bounds is None or entry_outside(facts.bounds, entry)
        ):
            return None
        serving = any(service.serving_sha for service in services)
        namespace = entry.namespace if entry else before
        if entry and not serving and facts and facts.bounds and before in facts.bounds.linkable:
            # The page is the same everywhere: a route is turned to it where it is.
            namespace = before
        # Without the repository's entry it is not known where staging's front end is. A route that leads
        # there stays as it is while something serves; once nothing does, it can be turned to the page without
        # that knowledge.
        if limits.gateway is None or not namespace or (entry is None and serving):
            return None
        # Nothing of this pull request ever ran, so there is no address that anybody could have.
        if not begins and not before:
            return None
        page = links.page_url(limits.public_url, preview.name)
        leads_to = entry if serving else None
        # Of the one commit that serves, and of none where several do: each service's own is in the facts.
        sha = serving_sha(services) if limits.names_commit else ""
        manifest = routes.route(preview, limits.gateway, namespace, leads_to, page=page, sha=sha)
        return Desired(
            self.name,
            namespace,
            preview.spec.environment_key,
            spec_hash=manifest["metadata"]["annotations"][SPEC_HASH],
            manifest=manifest,
            what="route",
        )

    def leads_to_sessions(self, desired: Desired) -> bool:
        """Return whether it leads to staging, where the sessions answer."""
        return routes.leads_to_staging(desired.manifest)

    def gateway_acknowledged(self, obj: Object, limits: Limits) -> bool:
        """Return whether the gateway says that it knows what the route says now."""
        return limits.gateway is not None and route_answers.gateway_acknowledged(obj, limits.gateway)

    def answer(self, obj: Object, limits: Limits, controller: str) -> RouteAnswer:
        """Return what the gateway says of the route as it is now."""
        if limits.gateway is None:
            return RouteAnswer(Verdict.SILENT)
        return route_answers.route_answer(obj, limits.gateway, controller)

    def gateway_switched(
        self, redirected_at: datetime, acknowledged_at: datetime | None, limits: Limits, now: datetime
    ) -> bool:
        """Return whether requests follow by now a route that was redirected and acknowledged then."""
        gateway = limits.gateway
        return gateway is None or routes.gateway_switched(gateway, redirected_at, acknowledged_at, now)
