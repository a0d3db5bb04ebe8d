"""A preview in every state a reader can meet, for the golden files of comment and page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from previewbot.preview import (
    AgentSeen,
    ConfigurationProblem,
    Ended,
    LinkState,
    Observed,
    Phase,
    Preview,
    Service,
    Trouble,
    Waiting,
)
from tests.support.previews import HEAD, NOW, OLDER, a_preview

DIGEST = "sha256:" + "ab" * 32
GATEWAY = LinkState(kind="Gateway", url="https://key.preview.example.com/cart")
HEADER_ONLY = LinkState(
    kind="Header",
    url="https://staging.example.com/cart",
    extension_url="https://metalbear.com/mirrord/extension#config=abc",
)


def _service(name: str = "checkout", **changes: Any) -> Service:
    base: dict[str, Any] = {
        "name": name,
        "namespace": "staging",
        "target": f"deployment/{name}",
        "files": 3,
        "image": f"ghcr.io/acme/{name}:{HEAD}",
        "digest": DIGEST,
        "head_sha": HEAD,
    }
    return Service(**(base | changes))


def _ready(name: str = "checkout", **changes: Any) -> Service:
    return _service(name, phase=Phase.READY, serving_sha=HEAD, **changes)


def _waiting(**waiting: Any) -> Service:
    return _service(phase=Phase.AWAITING_IMAGE, image="", digest="", head_sha="", waiting=Waiting(**waiting))


def _preview(phase: Phase, reason: str = "", *services: Service, **changes: Any) -> Preview:
    status: dict[str, Any] = {
        "phase": phase,
        "reason": reason,
        "services": services,
        "observed": Observed(head_sha=HEAD),
        "agent": AgentSeen(name="Copilot", signal="its account"),
        "trigger": "Copilot, recognised by its account",
    }
    return a_preview(**(status | changes))


_RUNNING: dict[str, Any] = {
    "ready_at": NOW,
    "expires_at": NOW + timedelta(hours=8),
    "link": GATEWAY,
}
_IMAGE = "ghcr.io/acme/checkout:" + HEAD
_RUN = "https://github.com/acme/shop/actions/runs/1"

TROUBLES = {
    "image-not-pulled": Trouble(
        kind="PullFailed", container="app", detail=f"ghcr.io/acme/checkout@{DIGEST}: not found", since=NOW
    ),
    "not-startable": Trouble(kind="CannotStart", container="app", detail='secret "db" not found', since=NOW),
    "crashing": Trouble(
        kind="Crashing",
        container="app",
        exit_code=1,
        restarts=3,
        since=NOW,
        log=("Traceback (most recent call last):", "```</details> @alice <b>", "KeyError: 'DB_URL'"),
    ),
    "out-of-memory": Trouble(
        kind="OutOfMemory", container="app", exit_code=137, restarts=1, since=NOW, log=("loading",)
    ),
    "without-room": Trouble(
        kind="Unschedulable",
        detail="0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available",
        since=NOW,
    ),
}
"""What real pods have."""

STATES: dict[str, Preview] = {
    "ready": _preview(Phase.READY, "AllReady", _ready(), **_RUNNING),
    "ready-two-services": _preview(Phase.READY, "AllReady", _ready(), _ready("pricing"), **_RUNNING),
    "ready-with-header-only": _preview(
        Phase.READY,
        "AllReady",
        _ready(),
        **{
            **_RUNNING,
            "link": HEADER_ONLY,
        },
    ),
    "ready-without-entry": _preview(
        Phase.READY, "AllReady", _ready(), **{**_RUNNING, "link": LinkState(kind="Header")}
    ),
    "partial": _preview(
        Phase.READY,
        "Partial",
        _ready(),
        _service("pricing", phase=Phase.FAILED, reason="SessionFailed", failure="KeyError: 'DB_URL'"),
        **_RUNNING,
    ),
    "idle": _preview(Phase.IDLE, "Asleep", _service(phase=Phase.IDLE, serving_sha=HEAD), **_RUNNING),
    "deploying": _preview(Phase.DEPLOYING, "Creating", _service(phase=Phase.DEPLOYING)),
    "deploying-operator-silent": _preview(
        Phase.DEPLOYING, "OperatorSilent", _service(phase=Phase.DEPLOYING, reason="OperatorSilent")
    ),
    **{
        f"deploying-{name}": _preview(
            Phase.DEPLOYING,
            trouble.kind,
            _service(phase=Phase.DEPLOYING, reason=trouble.kind, trouble=trouble),
            _service("pricing", phase=Phase.DEPLOYING, reason="Creating"),
        )
        for name, trouble in TROUBLES.items()
    },
    "ready-but-crashing": _preview(Phase.READY, "Partial", _ready(trouble=TROUBLES["crashing"]), **_RUNNING),
    "partial-and-out-of-memory": _preview(
        Phase.READY,
        "Partial",
        _ready(trouble=TROUBLES["out-of-memory"]),
        _ready("pricing"),
        _service("web", phase=Phase.FAILED, reason="SessionFailed", failure="KeyError: 'DB_URL'"),
        **_RUNNING,
    ),
    "failed-after-crashes": _preview(
        Phase.FAILED,
        "ServiceFailed",
        _service(
            phase=Phase.FAILED,
            reason="SessionFailed",
            failure="it was not ready within 10 minutes",
            trouble=TROUBLES["crashing"],
        ),
    ),
    "queued": _preview(Phase.QUEUED, "LimitReached", _service(phase=Phase.QUEUED), place=3, limit=50),
    "image-build-running": _preview(
        Phase.AWAITING_IMAGE,
        "BuildRunning",
        _waiting(reason="BuildRunning", url=_RUN, name="build", since=NOW, detail=_IMAGE),
    ),
    "image-build-running-older-serves": _preview(
        Phase.AWAITING_IMAGE,
        "BuildRunning",
        replace(_waiting(reason="BuildRunning", url=_RUN, since=NOW, detail=_IMAGE), serving_sha=OLDER),
        link=GATEWAY,
    ),
    "image-build-running-older-needs-header": _preview(
        Phase.AWAITING_IMAGE,
        "BuildRunning",
        replace(_waiting(reason="BuildRunning", url=_RUN, since=NOW, detail=_IMAGE), serving_sha=OLDER),
        link=HEADER_ONLY,
    ),
    **{
        f"image-{name}": _preview(Phase.AWAITING_IMAGE, waiting["reason"], _waiting(**waiting))
        for name, waiting in {
            "needs-approval": {"reason": "BuildNeedsApproval", "url": _RUN},
            "build-failed": {"reason": "BuildFailed", "url": _RUN, "name": "build (checkout)"},
            "conflict": {"reason": "MergeConflict", "name": "main"},
            "none": {"reason": "NoImage", "detail": _IMAGE},
            "registry-refuses": {"reason": "RegistryRefused", "detail": "ghcr.io answered 403"},
            "registry-away": {"reason": "RegistryUnreachable", "detail": "ghcr.io"},
            "not-allowed": {"reason": "ImageNotAllowed", "detail": "docker.io/evil/x:1"},
            "builds-unreadable": {"reason": "BuildsUnreadable", "detail": _IMAGE},
            "of-another-commit": {
                "reason": "NotOfThisCommit",
                "detail": "ghcr.io/acme/checkout:pr-42 was built from " + OLDER,
            },
        }.items()
    },
    "image-never-appeared": _preview(
        Phase.FAILED,
        "ImageMissing",
        replace(_waiting(reason="DeadlinePassed", detail=_IMAGE), phase=Phase.FAILED),
    ),
    "fork": _preview(Phase.AWAITING_APPROVAL, "Fork"),
    "configuration-wrong": _preview(
        Phase.FAILED,
        "ConfigurationInvalid",
        problems=(ConfigurationProblem(line=7, message="`imge` is unknown, did you mean `image`?"),),
    ),
    "configuration-wrong-twice": _preview(
        Phase.FAILED,
        "ConfigurationInvalid",
        problems=(
            ConfigurationProblem(line=7, message="`imge` is unknown, did you mean `image`?"),
            ConfigurationProblem(line=0, message="namespace <b>@alice</b> is not allowed"),
        ),
    ),
    "configuration-wrong-while-a-preview-serves": _preview(
        Phase.FAILED,
        "ConfigurationInvalid",
        _ready(),
        problems=(ConfigurationProblem(line=7, message="`imge` is unknown, did you mean `image`?"),),
        **{**_RUNNING, "link": HEADER_ONLY},
    ),
    "failed": _preview(
        Phase.FAILED,
        "ServiceFailed",
        _service(phase=Phase.FAILED, reason="SessionFailed", failure="crashed: `x` @alice <img>"),
    ),
    "failed-without-route": _preview(
        Phase.FAILED,
        "RouteRefused",
        _service(phase=Phase.FAILED, reason="RouteRefused", failure="denied by `policy` @alice"),
        route_problem="denied by `policy` @alice",
    ),
    "partial-older-serves": _preview(
        Phase.READY,
        "Partial",
        _ready(),
        replace(
            _waiting(reason="BuildRunning", url=_RUN, since=NOW, detail=_IMAGE),
            name="pricing",
            serving_sha=OLDER,
        ),
        **_RUNNING,
    ),
    "stopping": _preview(Phase.STOPPING, "ByCommand", _service(phase=Phase.STOPPING)),
    "operator-silent": _preview(Phase.STOPPING, "OperatorSilent", _service(phase=Phase.STOPPING)),
    "expired": _preview(
        Phase.EXPIRED, "TimeUp", _service(phase=Phase.STOPPED), ended=Ended(reason="Expired", at=NOW)
    ),
    "stopped": _preview(
        Phase.STOPPED,
        "ByCommand",
        _service(phase=Phase.STOPPED),
        ended=Ended(reason="Stopped", at=NOW, by="alice"),
    ),
    "merged": _preview(Phase.STOPPED, "Merged", _service(phase=Phase.STOPPED), closed_at=NOW),
    "closed": _preview(Phase.STOPPED, "Closed", closed_at=NOW),
    "nothing-changed": _preview(Phase.NOTHING_TO_PREVIEW, "NoServiceChanged"),
    "no-configuration": _preview(Phase.NOTHING_TO_PREVIEW, "NoConfiguration"),
}
