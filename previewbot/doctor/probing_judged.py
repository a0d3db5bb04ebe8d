"""What becomes of the doctor's route says of links: judged here, tried elsewhere."""

from __future__ import annotations

from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import Check, not_checked, ok, safe, wrong
from previewbot.engine.probe import NAME
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.errors import Forbidden, RemoteError


def name_of(namespace: str) -> str:
    """Return what the finding about a namespace's routes is called."""
    return f"links: a route in {namespace}"


def answered(namespace: str, answer: RouteAnswer, gateway: GatewaySettings) -> Check:
    """Return what the Gateway's answer means for links in a namespace."""
    name, named = name_of(namespace), f"{gateway.namespace}/{gateway.name}"
    listener = f", listener {gateway.section_name}" if gateway.section_name else ""
    if answer.verdict is Verdict.ACCEPTED:
        return ok(name, f"the Gateway {named}{listener} takes it")
    if answer.verdict is Verdict.REFUSED:
        words = (
            f"the Gateway {named}{listener} does not take routes from here "
            f"({safe(answer.message)}): see its listeners' "
            f"`allowedRoutes` (they must take routes of the namespace {namespace}) and `hostname` "
            f"(*.{gateway.domain})"
        )
        return wrong(name, words)
    words = (
        f"nobody says anything of it: is there a Gateway {named}{listener}, does a controller serve "
        "its class, and do "
        f"its listeners' `allowedRoutes` take routes of the namespace {namespace} (the default is "
        "its own only)?"
    )
    return wrong(name, words)


def refused(namespace: str, error: RemoteError) -> Check:
    """Return what it means that the route could not be made, read or removed."""
    name, said = name_of(namespace), safe(error.message)
    if isinstance(error, Forbidden) and "ValidatingAdmissionPolicy" in error.message:
        words = (
            "the admission policy does not know the doctor's route: it is of another version of the "
            "chart, or a "
            f"webhook changes routes ({said})"
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
