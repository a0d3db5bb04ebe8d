"""What becomes of the doctor's route says of links: judged here, tried elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from previewbot.api import Why
from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import Check, State, not_checked, note, ok, safe, wrong
from previewbot.engine import no_preview
from previewbot.engine.gateway_state import GatewayState, Stands
from previewbot.engine.probe import NAME, page_of, url_of
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.errors import RemoteError
from previewbot.rules.hosts import place_of
from previewbot.rules.link_answers import Answer

GATEWAY, LINK = "links: the Gateway", "links: an address"
NO_PREVIEW = "links: a host without a preview"
NOT_ASKED = "links are not asked from here, as links.check says"

_OF_OUR_POLICY = f"the name {NAME} is not a key of previewbot"
"""What the chart's policy says to a route of this name that is not the doctor's, or that it does not know."""

_FOUND = 302
_REDIRECTS = (301, 302, 303, 307, 308)


def name_of(namespace: str) -> str:
    """Return what the finding about a namespace's routes is called."""
    return f"links: a route in {namespace}"


def gateway(state: GatewayState, settings: GatewaySettings, namespaces: Sequence[str]) -> Check:
    """Return what the Gateway shows of itself, and whether it takes routes from where previews may be."""
    if state.trouble:
        return wrong(GATEWAY, f"{state.trouble}: links do not work before that is mended")
    if state.stands is Stands.UNKNOWN:
        return not_checked(GATEWAY, "it may not be read, or nobody answered; what it says of routes counts")
    others = [namespace for namespace in namespaces if namespace != settings.namespace]
    if state.own_namespace_only and others:
        words = (
            f"its listeners take routes of the namespace {settings.namespace} alone (`allowedRoutes`, by "
            f"default), and previews' lie in {', '.join(others)}: write `allowedRoutes: {{namespaces: "
            f"{{from: All}}}}`, or a selector"
        )
        return wrong(GATEWAY, words)
    by = f" by {state.controller}" if state.controller else ""
    return ok(GATEWAY, f"{settings.namespace}/{settings.name} is served{by}")


def may_lead(check: Check) -> bool:
    """Return whether, after this finding about the route, its address may answer."""
    return check.state in (State.OK, State.NOTE)


def answered(namespace: str, answer: RouteAnswer, gateway: GatewaySettings, *, silent: bool = False) -> Check:
    """Return what the Gateway's answer means for links in a namespace; a `silent` one answers for none."""
    name, named = name_of(namespace), f"{gateway.namespace}/{gateway.name}"
    listener = f", listener {gateway.section_name}" if gateway.section_name else ""
    if answer.verdict is Verdict.ACCEPTED:
        return ok(name, f"the Gateway {named}{listener} takes it")
    if answer.verdict is Verdict.REFUSED:
        words = (
            f"the Gateway {named}{listener} does not take routes from here ({safe(answer.message)}): see its "
            f"listeners' `allowedRoutes` (they must take routes of the namespace {namespace}) and `hostname` "
            f"(*.{gateway.domain})"
        )
        return wrong(name, words)
    if silent and answer.verdict is Verdict.SILENT:
        return note(
            name, f"the Gateway {named}{listener} says nothing of any route, so only links themselves show it"
        )
    words = (
        f"nobody says anything of it: is there a Gateway {named}{listener}, does a controller serve its "
        f"class, and do its listeners' `allowedRoutes` take routes of the namespace {namespace} (the default "
        "is its own only)?"
    )
    return wrong(name, words)


def link(answer: Answer, gateway: GatewaySettings, public_url: str) -> Check:
    """Return whether the probe's address leads where its route says: to previewbot's own page."""
    url, wanted = url_of(gateway), place_of(public_url)
    if _leads(answer, no_preview.page_of(public_url)):
        words = (
            f"{url} is answered by the route for hosts without a preview and not by its own: the Gateway "
            "accepts routes, and does not follow them in time; see its controller's log"
        )
        return wrong(LINK, words)
    if _leads(answer, page_of(public_url)):
        return ok(LINK, f"{url} leads to {wanted}, as its route says: links get through")
    if answer.failure in (Why.NO_NAME, Why.CERTIFICATE, Why.UNKNOWN_AUTHORITY):
        return not_checked(LINK, f"{url} has no name or no certificate that counts here; see the next lines")
    if answer.failure is not None:
        words = (
            f"nobody answers at {url} as a web server does ({answer.failure.value}): does the name "
            "lead to the Gateway, "
            "is links.gateway.port its listener's, and may this pod go out to it (NetworkPolicy)?"
        )
        return wrong(LINK, words)
    if answer.status in _REDIRECTS and not answer.leads_to:
        words = (
            f"{url} redirects within its own host ({answer.status}): is links.gateway.scheme the listener's?"
        )
        return wrong(LINK, words)
    leads = f", to {safe(answer.leads_to)}" if answer.leads_to else ""
    words = (
        f"{url} answers {answer.status}{leads}, and not as its route says: the name leads to another Gateway "
        "or listener, or something stands before it (a sign-in, a firewall)"
    )
    return wrong(LINK, words)


def without_preview(answer: Answer, url: str, public_url: str) -> Check:
    """Return what people see at a host that no preview has; it is nobody's fault if that is not our page."""
    page = no_preview.page_of(public_url)
    if _leads(answer, page):
        return ok(NO_PREVIEW, f"{url} leads to {page}, which says what to do")
    if answer.failure is not None:
        return not_checked(NO_PREVIEW, f"nobody answers at {url} ({answer.failure.value})")
    leads = f", to {safe(answer.leads_to)}" if answer.leads_to else ""
    words = (
        f"{url} answers {answer.status}{leads}: so does the link of a preview that is gone. The chart's "
        "noPreviewRoute leads such hosts to a page that says so, if the Gateway takes routes of the "
        "release's namespace and no other route is for all hosts there"
    )
    return note(NO_PREVIEW, words)


def _leads(answer: Answer, page: str) -> bool:
    there = (answer.leads_to, answer.leads_to_path)
    return answer.status == _FOUND and there == (place_of(page), urlsplit(page).path)


def refused(namespace: str, error: RemoteError) -> Check:
    """Return what it means that the route could not be made, read or removed."""
    name, said = name_of(namespace), safe(error.message)
    if _OF_OUR_POLICY in error.message:
        words = (
            "the admission policy does not know the doctor's route: it is of another version of the chart, "
            f"or a webhook changes routes ({said})"
        )
        return not_checked(name, words)
    return wrong(name, f"none can be made there: {safe(str(error))}")


def left(namespace: str, error: RemoteError) -> Check:
    """Return that the doctor's own route is still there."""
    words = (
        f"it could not be taken away again ({safe(str(error))}): kubectl --namespace {namespace} "
        "delete httproute "
        f"{NAME}; it leads to previewbot's own page, and the next previewbot doctor takes it away as well"
    )
    return wrong(name_of(namespace), words)


def somebodys(namespace: str) -> Check:
    """Return that another doctor is at work."""
    return not_checked(name_of(namespace), "another previewbot doctor tries it at this moment; ask again")
