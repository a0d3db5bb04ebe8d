"""What the comment, the page, the answers and the conditions are rendered from."""

from __future__ import annotations

from datetime import datetime

from previewbot.api import Preview, Reason
from previewbot.config.server import Settings
from previewbot.engine.branches import KIND as BRANCH
from previewbot.engine.links import page_url
from previewbot.engine.mirrord import KIND, POD_SESSION, header
from previewbot.rules.commands import DEFINITIONS
from previewbot.rules.commands.logs import withheld
from previewbot.text.render import View


def view_of(settings: Settings, preview: Preview, now: datetime | None = None) -> View:
    """Return a Preview with the addresses that its texts name, and what they may quote.

    `now` is for a text that is drawn anew for each reader.
    """
    # What is refused to everybody here, or has nothing to do, is not offered.
    unfit = {"logs"} if withheld(settings, public=preview.status.observed.public) else set[str]()
    if not any(child.kind == BRANCH for child in preview.status.children):
        unfit |= {"reset"}
    web_url = settings.github.web_url.rstrip("/")
    page, signs_in = page_url(settings.public_url, preview.name), settings.access_or_default == "github"
    proxy = settings.by_proxy
    by_proxy = proxy is not None and proxy.names(preview.status.observed.repository)
    say_by_proxy = by_proxy and proxy is not None and proxy.may_say
    return View(
        preview=preview,
        # A page that tells nothing is led to by routes only, which must lead somewhere.
        page_url=page if signs_in or by_proxy or settings.pages == "public" else "",
        say_url=page if signs_in or say_by_proxy else "",
        said_by_proxy=say_by_proxy,
        pull_request_url=f"{web_url}/{preview.spec.repository}/pull/{preview.spec.number}",
        header=header(preview.spec.environment_key),
        logs=settings.comment.logs,
        log_commands=_log_commands(preview),
        now=now,
        pictures_url=_pictures_url(settings, preview, page),
        commands=[each.help for each in DEFINITIONS if each.name not in unfit],
    )


def _pictures_url(settings: Settings, preview: Preview, page: str) -> str:
    """Return below where anybody finds the pictures; empty unless the settings say so. Never of a fork."""
    pictures, public = preview.status.pictures, settings.pictures is not None and settings.pictures.public
    if not public or not pictures.public or preview.status.observed.fork:
        return ""
    return f"{page}/pictures/{pictures.sha}/{pictures.public}"


def _log_commands(preview: Preview) -> dict[str, str]:
    """Return what shows the last words of a container in trouble, by service; of sessions that are there."""
    uids = {c.service: c.uid for c in preview.status.children if c.kind == KIND and c.uid}
    return {
        service.name: f"kubectl --namespace {service.namespace} logs {_run(service.pod_problem.reason)}"
        f"--selector {POD_SESSION}={uids[service.name]} --container {service.pod_problem.container}"
        for service in preview.status.services
        if service.pod_problem and service.pod_problem.container and service.name in uids
    }


def _run(reason: Reason) -> str:
    """Return which run of a container is asked for: of one that ends again and again the one before."""
    return "--previous " if reason in (Reason.CRASHING, Reason.OUT_OF_MEMORY) else ""
