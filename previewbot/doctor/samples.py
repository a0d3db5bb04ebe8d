"""Objects that the doctor shows to the cluster: no pull request's, under a name that none can have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from previewbot.api import (
    MARK_DIGITS,
    SAY,
    Actor,
    Ask,
    Asked,
    AskedIn,
    Poke,
    Preview,
    Saying,
    Says,
    Source,
    Spec,
    Status,
    new_request,
)
from previewbot.config.repository import TargetPath
from previewbot.config.server import ProxySettings, Settings
from previewbot.engine import mirrord
from previewbot.engine.parts import taking
from previewbot.engine.probe import NAME

_SHA = "0" * 40
_LIFE = timedelta(minutes=1)


def session(settings: Settings, namespace: str) -> dict[str, Any]:
    """Return a session with every field that previewbot sends, which the admission policy must refuse.

    It is only ever tried (`dryRun`): its key is none of previewbot's, and its target is not there.
    """
    desired = mirrord.DesiredSession(
        service=NAME,
        namespace=namespace,
        target=TargetPath("deployment", NAME),
        container=NAME,
        image=f"{settings.images.allowed[0].rstrip('/')}/{NAME}@sha256:{'0' * 64}",
        parts=taking((8080,)),
        head_sha=_SHA,
        ttl_seconds=int(_LIFE.total_seconds()),
    )
    return mirrord.manifest(_preview(settings), desired)


def request(
    namespace: str, now: datetime, place: AskedIn, proxy: ProxySettings | None = None
) -> dict[str, Any]:
    """Return a request as web makes one for a check's button, or pages for one of a page.

    `proxy` is the one by which people come to pages. It is only ever tried (`dryRun`).
    """
    source = Source(place, 0 if place is AskedIn.PAGE else 1, NAME, _SHA)
    if place is AskedIn.PAGE and proxy is not None:
        saying = Saying(Says.GOOD, _SHA, "/") if proxy.may_say else None
        asked = SAY if saying is not None else Asked.EXTEND
        return new_request(
            Ask(1, 1, asked, Actor(name=NAME, mark="0" * MARK_DIGITS), source, now, saying), namespace
        )
    return new_request(Ask(1, 1, Asked.STOP, Actor(NAME, 1), source, now), namespace)


def _preview(settings: Settings) -> Preview:
    spec = Spec(
        github_host=settings.github_host,
        repository_id=0,
        number=0,
        repository=f"{NAME}/{NAME}",
        installation_id=0,
        app_id=settings.github.app_id,
        environment_key=NAME,
    )
    uid = "00000000-0000-0000-0000-000000000000"
    began = datetime.fromtimestamp(0, UTC)
    return Preview("gh-0-0", uid, "0", 1, began, False, spec, Poke(), Status())
