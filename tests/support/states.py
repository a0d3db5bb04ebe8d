"""A preview in every state a reader can meet, for the golden files of comment and page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from previewbot.api import (
    AgentSeen,
    BaseBranch,
    Child,
    ChildState,
    ClosingIssue,
    ConfigurationProblem,
    ContainerPart,
    Copied,
    Ended,
    Holders,
    Isolation,
    IssuesUnknown,
    LeftOut,
    Lifecycle,
    Link,
    LinkKind,
    Missing,
    Observed,
    OtherLink,
    OwnDatabase,
    OwnEnvironment,
    OwnMessages,
    Phase,
    PodProblem,
    Preview,
    Proven,
    Reason,
    RequestSeen,
    RequestsTaken,
    Service,
    SharedChange,
    Slot,
    SlotBound,
    TakenBy,
    Uses,
    Waiting,
    Why,
)
from tests.support.previews import HEAD, NOW, OLDER, a_preview

DIGEST = "sha256:" + "ab" * 32
GATEWAY = Link(kind=LinkKind.GATEWAY, url="https://key.preview.example.com/cart")
HEADER_ONLY = Link(
    kind=LinkKind.HEADER,
    url="https://staging.example.com/cart",
    extension_url="https://metalbear.com/mirrord/extension#config=abc",
)


_BY_BAGGAGE = RequestsTaken(TakenBy.BAGGAGE)
SHARES_ALL = Isolation(_BY_BAGGAGE)
"""What a session was sent of which nobody says anything: it has nothing of its own."""
_BEHIND_THE_FRONT_END = replace(SHARES_ALL, behind="web")


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
    if "serving_sha" in changes:
        base["isolation"] = SHARES_ALL
    return Service(**(base | changes))


def _ready(name: str = "checkout", **changes: Any) -> Service:
    base: dict[str, Any] = {"phase": Phase.READY, "serving_sha": HEAD}
    return _service(name, **(base | changes))


def _waiting(waiting: Waiting, **changes: Any) -> Service:
    base = {
        "phase": Phase.AWAITING_IMAGE,
        "reason": waiting.reason,
        "image": "",
        "digest": "",
        "head_sha": "",
    }
    return _service(waiting=waiting, **(base | changes))


def _without_target(name: str = "checkout") -> Service:
    missing = f"there is no deployment named {name} in the staging namespace"
    return _service(name, phase=Phase.FAILED, reason=Reason.TARGET_MISSING, failure_message=missing)


OBSERVED = Observed(
    head_sha=HEAD,
    agent=AgentSeen(name="Copilot", signal="its account", key="copilot", kind="account"),
    trigger="Copilot, recognised by its account",
    public=True,
    fork=False,
)
_OPEN = BaseBranch("release/*evil*`@ann`", (Missing.CREATION, Missing.PULL_REQUESTS))
_MISSPELT = ConfigurationProblem(line=7, message="`imge` is unknown, did you mean `image`?")
_CLOSED = replace(OBSERVED, closed_at=NOW)


_CLOSED_NAMESPACE = ConfigurationProblem(
    line=9,
    message="the namespace `payments` is not open to this repository; choose from: staging. That is the "
    "platform team's to decide, in previewbot's settings",
)


def _mistaken(*problems: ConfigurationProblem) -> Observed:
    return replace(OBSERVED, problems=problems)


def _preview(phase: Phase, reason: Reason, *services: Service, **changes: Any) -> Preview:
    status: dict[str, Any] = {"phase": phase, "reason": reason, "services": services, "observed": OBSERVED}
    return a_preview(**(status | changes))


_RUNNING: dict[str, Any] = {
    "lifecycle": Lifecycle(ready_at=NOW, expires_at=NOW + timedelta(hours=8)),
    "link": GATEWAY,
}
_REPOSITORY = "ghcr.io/acme/checkout"
_IMAGE = f"{_REPOSITORY}:{HEAD}"
_RUN = "https://github.com/acme/shop/actions/runs/1"
_BUILDING = Waiting(Reason.BUILD_RUNNING, url=_RUN, name="build", since=NOW, detail=_IMAGE)
_NO_SUCH_TAG = Waiting(Reason.NO_SUCH_TAG, url=_RUN, name="build", detail=_IMAGE)

_SESSION = "https://github.com/acme/shop/sessions/0f6a-4c1b"
_ISSUE = ClosingIssue(
    repository="acme/shop",
    number=12,
    own=True,
    public=True,
    title="Dress the basket for autumn @acme/everyone [x](https://evil.example) <b>now</b>",
    opening=("Customers should see that it is autumn.", "A banner, & a <warmer> colour.", "By *Friday*."),
)
_SECOND = replace(_ISSUE, number=13, title="The button is cold", opening=(), closed=True)
_ELSEWHERE = ClosingIssue(repository="acme/design", number=4, public=True)
_HIDDEN = ClosingIssue(repository="acme/roadmap", number=77)


def replace_status(preview: Preview, **changes: Any) -> Preview:
    """Return a Preview with some of its status changed."""
    return replace(preview, status=replace(preview.status, **changes))


def _asked(*issues: ClosingIssue, total: int = 0, **changes: Any) -> Preview:
    known = {name: changes.pop(name) for name in ("unknown", "session_url") if name in changes}
    request = RequestSeen(total=total or len(issues), **known)
    observed = replace(OBSERVED, closing_issues=issues, request=request, **changes)
    return _preview(Phase.READY, Reason.ALL_READY, _ready(), observed=observed, **_RUNNING)


POD_PROBLEMS = {
    "image-not-pulled": PodProblem(
        reason=Reason.PULL_FAILED,
        container="app",
        detail=f"ghcr.io/acme/checkout@{DIGEST}: not found",
        since=NOW,
    ),
    "not-startable": PodProblem(
        reason=Reason.CANNOT_START, container="app", detail='secret "db" not found', since=NOW
    ),
    "crashing": PodProblem(
        reason=Reason.CRASHING,
        container="app",
        exit_code=1,
        restarts=3,
        since=NOW,
        log=("Traceback (most recent call last):", "```</details> @alice <b>", "KeyError: 'DB_URL'"),
    ),
    "out-of-memory": PodProblem(
        reason=Reason.OUT_OF_MEMORY, container="app", exit_code=137, restarts=1, since=NOW, log=("loading",)
    ),
    "without-room": PodProblem(
        reason=Reason.UNSCHEDULABLE,
        detail="0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available",
        since=NOW,
    ),
    "waiting-for-node": PodProblem(
        reason=Reason.WAITING_FOR_NODE,
        detail="pod triggered scale-up: [{workers 3->4 (max: 10)}]",
        since=NOW,
    ),
    "without-node": PodProblem(
        reason=Reason.UNSCHEDULABLE,
        detail="0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        since=NOW,
    ),
    "image-refused": PodProblem(
        reason=Reason.PULL_REFUSED,
        container="istio-proxy",
        part=ContainerPart.SIDECAR,
        detail="toomanyrequests: You have reached your unauthenticated pull rate limit",
        since=NOW,
    ),
    "secret-missing": PodProblem(
        reason=Reason.CONFIG_MISSING, container="app", detail='secret "db" not found', since=NOW
    ),
    "warned-of": PodProblem(
        reason=Reason.NOT_STARTING, detail="FailedPrepareDynamicResources: no claim gpu-1", since=NOW
    ),
    "out-of-disk": PodProblem(
        reason=Reason.OUT_OF_DISK,
        detail="Evicted: usage exceeds the total limit of containers 1Gi",
        since=NOW,
    ),
    "not-ready": PodProblem(
        reason=Reason.PROBE_FAILING,
        container="app",
        detail="Readiness probe failed: connection refused",
        since=NOW,
        log=("listening on 3000",),
    ),
    "waiting-for-init": PodProblem(
        reason=Reason.INIT_WAITING,
        container="wait-for-db",
        part=ContainerPart.INIT,
        detail="containers with incomplete status: [wait-for-db]",
        since=NOW,
    ),
    "sidecar-crashing": PodProblem(
        reason=Reason.CRASHING,
        container="proxy",
        part=ContainerPart.SIDECAR,
        exit_code=1,
        restarts=3,
        since=NOW,
    ),
    "gated": PodProblem(
        reason=Reason.SCHEDULING_GATED, detail="Scheduling is blocked: kueue.x-k8s.io/admission", since=NOW
    ),
    "turned-away": PodProblem(
        reason=Reason.TURNED_AWAY, detail="OutOfcpu: Node didn't have enough resource: cpu", since=NOW
    ),
    "without-volume": PodProblem(
        reason=Reason.VOLUME_UNAVAILABLE, detail='secret "checkout-tls" not found', since=NOW
    ),
    "without-network": PodProblem(
        reason=Reason.NO_NETWORK, detail="failed to assign an IP address to container", since=NOW
    ),
    "without-pod": PodProblem(
        reason=Reason.POD_REFUSED, detail='pods "checkout-1" is forbidden: exceeded quota: compute', since=NOW
    ),
}
"""What real pods have."""


_NO: dict[str, Any] = {"proven": Proven.NO, "checked_at": NOW, "question": "q", "asked_since": NOW}
_UNCHECKED = replace(
    GATEWAY,
    proven=Proven.UNKNOWN,
    checked_at=NOW,
    why=Why.BEHIND_THE_ENTRY,
    about=("checkout",),
    unchecked=("checkout", "pricing"),
)


def _without_link(reason: Reason, message: str = "", **known: Any) -> Preview:
    link = Link(extension_url=HEADER_ONLY.extension_url, reason=reason, message=message, since=NOW, **known)
    return _preview(Phase.DEPLOYING, reason, _ready(), **{**_RUNNING, "link": link})


def _in_the_way() -> Child:
    words = "somebody else has a preview session named mallory`s-<b> in staging, made with mirrord"
    return Child("PreviewSession", "staging", "s", "checkout", reason=Reason.TARGET_TAKEN, message=words)


def _copied(reason: Reason, *titles: str, message: str = "") -> Preview:
    """Return a preview whose own copies of databases stand so."""
    state = ChildState.FAILED if reason.phase is Phase.FAILED else ChildState.CREATING
    copies = [
        Child(
            "BranchDatabase",
            "staging",
            f"mirrord-pg-branch-{number}",
            state=state,
            reason=reason,
            message=message,
            services=("checkout",),
            title=title,
        )
        for number, title in enumerate(titles)
    ]
    assert reason.phase is not None
    said = message if reason.phase is Phase.FAILED else ""
    service = _service(phase=reason.phase, reason=reason, failure_message=said)
    return _preview(reason.phase, reason, service, children=tuple(copies))


_ORDERS = OwnDatabase("mirrord-pg-branch-fe3ffd01c03d1d66", "orders", Copied.SCHEMA)
_OWN_STATE = Isolation(
    RequestsTaken(TakenBy.BAGGAGE, 1),
    databases=(_ORDERS, OwnDatabase("mirrord-mysql-branch-0", "users", Copied.PART)),
    queues=(OwnMessages("mail"),),
    environment=OwnEnvironment(overridden=3, left_out=True, files=2),
    uses=Uses(("orders", "users"), ("mail",)),
)


def _isolated(*isolations: Isolation, **changes: Any) -> Preview:
    services = [
        _ready(name, isolation=isolation)
        for name, isolation in zip(("checkout", "pricing", "stock"), isolations, strict=False)
    ]
    return _preview(Phase.READY, Reason.ALL_READY, *services, **{**_RUNNING, **changes})


STATES: dict[str, Preview] = {
    "route-not-accepted": _without_link(
        Reason.ROUTE_NOT_ACCEPTED,
        "NotAllowedByListeners: No listeners included by this parent ref allowed this attachment.",
    ),
    "route-unanswered": _without_link(Reason.ROUTE_UNANSWERED),
    "link-not-asked-yet": _without_link(Reason.CHECKING_LINK),
    "link-asked-again": _without_link(Reason.CHECKING_LINK, **_NO, why=Why.TOO_LATE),
    "link-shows-staging": _without_link(
        Reason.LINK_SHOWS_STAGING, **_NO, why=Why.STAGING, answered=200, about=("checkout",)
    ),
    "link-not-passed-on": _without_link(
        Reason.LINK_SHOWS_STAGING,
        **_NO,
        why=Why.NOT_PASSED_ON,
        answered=200,
        about=("checkout",),
        unchecked=("checkout",),
    ),
    "link-fails-with-staging": _without_link(
        Reason.LINK_UNANSWERED, **_NO, why=Why.STAGING_TOO, answered=502
    ),
    "link-answers-alone-with-an-error": _without_link(
        Reason.LINK_UNANSWERED, **_NO, why=Why.ONLY_THE_LINK, answered=502
    ),
    "link-behind-the-entry": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(isolation=_BEHIND_THE_FRONT_END),
        **{**_RUNNING, "link": _UNCHECKED},
    ),
    "link-whose-check-is-refused": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(isolation=_BEHIND_THE_FRONT_END),
        **{**_RUNNING, "link": replace(_UNCHECKED, why=Why.CHECK_REFUSED, answered=404)},
    ),
    "link-to-an-error-of-the-change": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        **{
            **_RUNNING,
            "link": replace(
                GATEWAY, proven=Proven.YES, why=Why.THIS_PREVIEW, answered=500, about=("checkout",)
            ),
        },
    ),
    "ready": _preview(Phase.READY, Reason.ALL_READY, _ready(), **_RUNNING),
    "asked-for-in-an-issue": _asked(_ISSUE, session_url=_SESSION),
    "asked-for-in-many-issues": _asked(_ISSUE, _SECOND, _ELSEWHERE, replace(_ELSEWHERE, number=5), total=6),
    "asked-for-in-two-issues": _asked(_ISSUE, _SECOND),
    "asked-for-in-an-issue-of-a-private-repository": _asked(
        replace(_ISSUE, public=False, opening=()), _HIDDEN, public=False
    ),
    "asked-for-in-an-issue-by-a-fork": _asked(_ISSUE, fork=True),
    "asked-for-in-an-issue-of-another-private-repository": _asked(_HIDDEN, public=False),
    "asked-for-in-a-session": _asked(session_url=_SESSION),
    "asked-for-in-issues-that-nobody-may-name": _asked(total=2),
    "asked-for-in-an-issue-that-nobody-may-name": _asked(total=1, session_url=_SESSION),
    "asked-for-in-nothing": _asked(),
    "asked-for-in-what-the-app-may-not-read": _asked(unknown=IssuesUnknown.PERMISSION),
    "asked-for-in-what-the-server-cannot-tell": _asked(unknown=IssuesUnknown.FIELD, session_url=_SESSION),
    "asked-for-without-an-answer": _asked(unknown=IssuesUnknown.ANSWER),
    "asked-for-and-stopped": replace_status(
        _asked(_ISSUE),
        phase=Phase.STOPPED,
        reason=Reason.BY_COMMAND,
        services=(_service(phase=Phase.STOPPED),),
        link=Link(),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by="alice")),
    ),
    "base-branch-open-to-all": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        **{**_RUNNING, "observed": replace(OBSERVED, base_branch=_OPEN)},
    ),
    "base-branch-not-protected": _preview(
        Phase.AWAITING_IMAGE,
        Reason.NO_IMAGE,
        _waiting(Waiting(reason=Reason.NO_IMAGE, detail=f"ghcr.io/acme/checkout:{HEAD}")),
        observed=replace(OBSERVED, base_branch=BaseBranch("stable", (Missing.PROTECTION,))),
    ),
    "base-branch-without-an-answer": _preview(
        Phase.NOTHING_TO_PREVIEW,
        Reason.NO_CONFIGURATION,
        observed=replace(OBSERVED, base_branch=BaseBranch("release/1", (Missing.ANSWER,))),
    ),
    "base-branch-with-a-mistake": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_INVALID,
        observed=replace(OBSERVED, base_branch=BaseBranch("release/1"), problems=(_MISSPELT,)),
    ),
    "ready-with-notes-on-its-mirrord-file": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        **_RUNNING,
        observed=replace(
            OBSERVED,
            notes=(
                ConfigurationProblem(
                    line=0, message="`.mirrord/mirrord.json`, line 4: `profile` has no effect on a preview"
                ),
                ConfigurationProblem(line=9, message="`databases.<b>@alice</b>` names no variable"),
            ),
        ),
    ),
    "ready-two-services": _preview(Phase.READY, Reason.ALL_READY, _ready(), _ready("pricing"), **_RUNNING),
    "isolated": _isolated(_OWN_STATE),
    "isolated-in-part": _isolated(
        Isolation(
            _BY_BAGGAGE,
            databases=(_ORDERS,),
            queues=(OwnMessages("mail"), OwnMessages("orders`*|*", mirrored=True)),
            uses=Uses(("orders", "users"), ("mail", "orders`*|*", "stock")),
        ),
        _BEHIND_THE_FRONT_END,
        SHARES_ALL,
        link=replace(
            GATEWAY,
            proven=Proven.YES,
            why=Why.PASSED_ON,
            about=("pricing",),
            passed_on=("pricing",),
        ),
    ),
    "isolated-as-far-as-known": _isolated(
        Isolation(
            RequestsTaken(TakenBy.BAGGAGE_OR_TRACESTATE),
            databases=(_ORDERS, OwnDatabase("mirrord-redis-branch-1", "", Copied.UNKNOWN)),
            queues=(OwnMessages("mail"),),
        )
    ),
    "isolated-many": _isolated(
        Isolation(
            _BY_BAGGAGE,
            databases=tuple(OwnDatabase(f"b{n}", f"part-{n}", Copied.NOTHING) for n in range(20)),
            queues=tuple(OwnMessages(f"queue-{n}") for n in range(20)),
            uses=Uses(tuple(f"part-{n}" for n in range(40)), tuple(f"queue-{n}" for n in range(40))),
        )
    ),
    "worker-of-every-queue": _isolated(
        Isolation(RequestsTaken(TakenBy.NOTHING), queues=(OwnMessages("*"),), uses=Uses((), None))
    ),
    "takes-requests-of-others": _isolated(Isolation(uses=Uses((), ()))),
    "ready-behind-two-entries": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        _ready("back*office"),
        other_links=(
            OtherLink(
                ("back*office",), "https://admin.staging.example.com/", HEADER_ONLY.extension_url + "&admin"
            ),
        ),
        **_RUNNING,
    ),
    "ready-in-another-container": _preview(
        Phase.READY,
        Reason.ALL_READY,
        replace(
            _ready(),
            target="deployment/checkout/container/nginx",
            container="nginx",
            meant_container="app",
            without_ports=True,
        ),
        **_RUNNING,
    ),
    "ready-with-header-only": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        **{
            **_RUNNING,
            "link": HEADER_ONLY,
        },
    ),
    "ready-without-entry": _preview(
        Phase.READY, Reason.ALL_READY, _ready(), **{**_RUNNING, "link": Link(kind=LinkKind.HEADER)}
    ),
    "partial": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(),
        _service(
            "pricing", phase=Phase.FAILED, reason=Reason.SESSION_FAILED, failure_message="KeyError: 'DB_URL'"
        ),
        **_RUNNING,
    ),
    "idle": _preview(Phase.IDLE, Reason.ASLEEP, _service(phase=Phase.IDLE, serving_sha=HEAD), **_RUNNING),
    "waking": _preview(
        Phase.IDLE,
        Reason.WAKING,
        _service(phase=Phase.IDLE, reason=Reason.WAKING, serving_sha=HEAD),
        **_RUNNING,
    ),
    "idle-worker": _preview(
        Phase.IDLE,
        Reason.ASLEEP,
        _service(phase=Phase.IDLE, serving_sha=HEAD),
        lifecycle=_RUNNING["lifecycle"],
        link=Link(kind=LinkKind.HEADER),
    ),
    "deploying": _preview(Phase.DEPLOYING, Reason.CREATING, _service(phase=Phase.DEPLOYING)),
    "deploying-operator-silent": _preview(
        Phase.DEPLOYING,
        Reason.OPERATOR_SILENT,
        _service(phase=Phase.DEPLOYING, reason=Reason.OPERATOR_SILENT),
    ),
    "deploying-namespace-forbidden": _preview(
        Phase.DEPLOYING,
        Reason.NAMESPACE_FORBIDDEN,
        _service(phase=Phase.DEPLOYING, reason=Reason.NAMESPACE_FORBIDDEN),
    ),
    "partial-and-namespace-forbidden": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(),
        _service("pricing", phase=Phase.DEPLOYING, reason=Reason.NAMESPACE_FORBIDDEN),
        **_RUNNING,
    ),
    **{
        f"deploying-{name}": _preview(Phase.DEPLOYING, reason, _service(phase=Phase.DEPLOYING, reason=reason))
        for name, reason in (
            ("operator-missing", Reason.OPERATOR_MISSING),
            ("operator-unavailable", Reason.OPERATOR_UNAVAILABLE),
            ("licence-expired", Reason.LICENCE_EXPIRED),
            ("previews-not-supported", Reason.PREVIEWS_NOT_SUPPORTED),
            ("management-only", Reason.MANAGEMENT_ONLY),
        )
    },
    "deploying-operator-missing-older-serves": _preview(
        Phase.DEPLOYING,
        Reason.OPERATOR_MISSING,
        _service(phase=Phase.DEPLOYING, reason=Reason.OPERATOR_MISSING, serving_sha=OLDER),
        **_RUNNING,
    ),
    **{
        f"deploying-target-taken-{where}": _preview(
            Phase.DEPLOYING,
            Reason.TARGET_TAKEN,
            _service(phase=Phase.DEPLOYING, reason=Reason.TARGET_TAKEN),
            _service("pricing", phase=Phase.DEPLOYING, reason=Reason.CREATING),
            observed=replace(OBSERVED, public=where == "public"),
            children=(_in_the_way(),),
        )
        for where in ("public", "private")
    },
    "database-copied": _copied(Reason.BRANCH_CREATING, "orders"),
    "databases-copied": _copied(Reason.BRANCH_CREATING, "orders", "users"),
    "database-migrating": _copied(Reason.MIGRATING, "orders"),
    "database-taken": _copied(Reason.BRANCH_TAKEN, "orders", message="somebody else has `one` @alice"),
    "database-not-offered": _copied(
        Reason.FEATURE_MISSING, "orders", message="copies of PostgreSQL (PgBranching)"
    ),
    "database-failed": _copied(Reason.BRANCH_FAILED, "orders", message="no pg_dump for `19` @alice"),
    "migration-failed": _copied(
        Reason.MIGRATION_FAILED, "orders", message='relation "orders" does not exist'
    ),
    "migration-forbidden": _copied(
        Reason.MIGRATION_FORBIDDEN,
        "orders",
        message="previewbot may not change the database branch, so this commit's migrations cannot run. That "
        "is for your platform team (docs/operations.md): branchdatabases is forbidden",
    ),
    "deploying-phase-unknown": _preview(
        Phase.DEPLOYING,
        Reason.PHASE_UNKNOWN,
        _service(phase=Phase.DEPLOYING, reason=Reason.PHASE_UNKNOWN),
        children=(
            Child(
                "PreviewSession",
                "staging",
                "s",
                "checkout",
                reason=Reason.PHASE_UNKNOWN,
                message="Hibernating`<b>",
            ),
        ),
    ),
    "paused": _preview(
        Phase.READY, Reason.PAUSED, _ready(reason=Reason.PAUSED), _ready("pricing"), **_RUNNING
    ),
    "partial-and-paused": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(reason=Reason.PAUSED),
        _service("pricing", phase=Phase.FAILED, reason=Reason.SESSION_FAILED, failure_message="KeyError"),
        **_RUNNING,
    ),
    **{
        f"deploying-{name}": _preview(
            Phase.DEPLOYING,
            problem.reason,
            _service(phase=Phase.DEPLOYING, reason=problem.reason, pod_problem=problem),
            _service("pricing", phase=Phase.DEPLOYING, reason=Reason.CREATING),
        )
        for name, problem in POD_PROBLEMS.items()
    },
    "ready-but-crashing": _preview(
        Phase.READY, Reason.PARTIAL, _ready(pod_problem=POD_PROBLEMS["crashing"]), **_RUNNING
    ),
    "partial-and-out-of-memory": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(pod_problem=POD_PROBLEMS["out-of-memory"]),
        _ready("pricing"),
        _service(
            "web", phase=Phase.FAILED, reason=Reason.SESSION_FAILED, failure_message="KeyError: 'DB_URL'"
        ),
        **_RUNNING,
    ),
    "failed-after-crashes": _preview(
        Phase.FAILED,
        Reason.SERVICE_FAILED,
        _service(
            phase=Phase.FAILED,
            reason=Reason.SESSION_FAILED,
            failure_message="it was not ready within 10 minutes",
            pod_problem=POD_PROBLEMS["crashing"],
        ),
    ),
    "queued": _preview(
        Phase.QUEUED,
        Reason.LIMIT_REACHED,
        _service(phase=Phase.QUEUED),
        slot=Slot(queue_position=3, limit=50, holders=Holders((14, 38), 2, 48)),
    ),
    **{
        f"queued-{name}": _preview(
            Phase.QUEUED, Reason.LIMIT_REACHED, _service(phase=Phase.QUEUED), slot=slot
        )
        for name, slot in {
            "far-back": Slot(queue_position=21, limit=50),
            "far-back-behind-its-repository": Slot(bound=SlotBound.REPOSITORY, queue_position=21, limit=12),
            "behind-its-repository": Slot(
                bound=SlotBound.REPOSITORY, limit=12, holders=Holders(tuple(range(1, 11)), 12)
            ),
            "behind-its-author": Slot(bound=SlotBound.AUTHOR, limit=2, holders=Holders((12,), 1, 1)),
            "behind-its-author-here": Slot(bound=SlotBound.AUTHOR_HERE, limit=1, holders=Holders((12,), 1)),
            "behind-its-agent": Slot(bound=SlotBound.AGENT, limit=3, holders=Holders((), 0, 3)),
            "behind-its-agents-others": Slot(bound=SlotBound.AGENT_HERE, limit=2, holders=Holders((12,), 1)),
        }.items()
    },
    "ready-with-others-left-out": _preview(
        Phase.READY,
        Reason.ALL_READY,
        _ready(),
        observed=replace(OBSERVED, left_out=LeftOut(3, ("pricing", "web"), 1)),
        **_RUNNING,
    ),
    "image-build-running": _preview(
        Phase.AWAITING_IMAGE,
        Reason.BUILD_RUNNING,
        _waiting(_BUILDING),
    ),
    "image-build-held": _preview(
        Phase.AWAITING_IMAGE,
        Reason.BUILD_RUNNING,
        _waiting(Waiting(Reason.BUILD_RUNNING, name="build", since=NOW, detail=_IMAGE)),
    ),
    "image-build-running-older-serves": _preview(
        Phase.AWAITING_IMAGE,
        Reason.BUILD_RUNNING,
        _waiting(_BUILDING, serving_sha=OLDER),
        link=GATEWAY,
    ),
    "image-build-running-older-needs-header": _preview(
        Phase.AWAITING_IMAGE,
        Reason.BUILD_RUNNING,
        _waiting(_BUILDING, serving_sha=OLDER),
        link=HEADER_ONLY,
    ),
    **{
        f"image-{name}": _preview(Phase.AWAITING_IMAGE, waiting.reason, _waiting(waiting))
        for name, waiting in {
            "needs-approval": Waiting(Reason.BUILD_NEEDS_APPROVAL, url=_RUN),
            "build-failed": Waiting(Reason.BUILD_FAILED, url=_RUN, name="build (checkout)"),
            "conflict": Waiting(Reason.MERGE_CONFLICT, name="main"),
            "none": Waiting(Reason.NO_IMAGE, detail=_IMAGE),
            "none-and-lint-failed": Waiting(
                Reason.NO_IMAGE, detail=_IMAGE, also_failed=("lint",), also_wait=("Sync board",)
            ),
            "build-not-run": Waiting(Reason.BUILD_NOT_RUN, name="docker.yml", detail=_IMAGE),
            "check-not-run": Waiting(Reason.BUILD_NOT_RUN, name="CI / docker", detail=_IMAGE),
            "no-such-tag": _NO_SUCH_TAG,
            "tagged-otherwise": replace(
                _NO_SUCH_TAG,
                tags=(f"sha-{HEAD[:7]}",),
                of_commit=True,
                instead="ghcr.io/acme/checkout:sha-{short_sha}",
            ),
            "tagged-in-no-field": replace(
                _NO_SUCH_TAG,
                tags=(f"git-{HEAD[:12]}",),
                of_commit=True,
            ),
            "other-tags": replace(
                _NO_SUCH_TAG,
                also_failed=("lint",),
                tags=("latest", "main", "v1.2.0"),
            ),
            "repository-unknown": Waiting(Reason.REPOSITORY_UNKNOWN, detail=_IMAGE),
            "held-back": Waiting(Reason.IMAGE_HELD_BACK, detail=_REPOSITORY),
            "too-old": Waiting(Reason.IMAGE_TOO_OLD, detail=_REPOSITORY),
            "registry-wants-login": Waiting(Reason.REGISTRY_WANTS_LOGIN, detail=_REPOSITORY),
            "registry-login-ended": Waiting(Reason.REGISTRY_LOGIN_ENDED, detail=_REPOSITORY),
            "registry-login-broken": Waiting(Reason.REGISTRY_LOGIN_BROKEN, detail=_REPOSITORY),
            "registry-refuses": Waiting(Reason.REGISTRY_REFUSED, detail=f"{_REPOSITORY} answered 403"),
            "registry-limits": Waiting(
                Reason.REGISTRY_LIMITED, detail=_REPOSITORY, until=NOW + timedelta(minutes=1)
            ),
            "registry-untrusted": Waiting(Reason.REGISTRY_UNTRUSTED, detail=_REPOSITORY),
            "registry-behind-a-page": Waiting(Reason.NOT_A_REGISTRY, detail=_REPOSITORY),
            "registry-fails": Waiting(Reason.REGISTRY_UNREACHABLE, detail=f"{_REPOSITORY} answered 503"),
            "registry-away": Waiting(Reason.REGISTRY_UNREACHABLE, detail=_REPOSITORY),
            "not-allowed": Waiting(Reason.IMAGE_NOT_ALLOWED, detail="docker.io/evil/x:1"),
            "builds-unreadable": Waiting(Reason.BUILDS_UNREADABLE, detail=_IMAGE),
            "of-another-commit": Waiting(
                Reason.NOT_OF_THIS_COMMIT, detail="ghcr.io/acme/checkout:pr-42 was built from " + OLDER
            ),
        }.items()
    },
    "image-never-appeared": _preview(
        Phase.FAILED,
        Reason.IMAGE_MISSING,
        _waiting(Waiting(Reason.IMAGE_MISSING, detail=_IMAGE), phase=Phase.FAILED),
    ),
    "image-repository-missing": _preview(
        Phase.FAILED,
        Reason.REPOSITORY_MISSING,
        _waiting(Waiting(Reason.REPOSITORY_MISSING, detail=_IMAGE), phase=Phase.FAILED),
    ),
    "fork": _preview(Phase.AWAITING_APPROVAL, Reason.FORK, observed=replace(OBSERVED, fork=True)),
    "configuration-wrong": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_INVALID,
        observed=_mistaken(_MISSPELT),
    ),
    "configuration-wrong-twice": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_INVALID,
        observed=_mistaken(
            _MISSPELT, ConfigurationProblem(line=0, message="namespace <b>@alice</b> is not allowed")
        ),
    ),
    "configuration-not-allowed": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_NOT_ALLOWED,
        observed=_mistaken(_CLOSED_NAMESPACE),
    ),
    "configuration-not-allowed-twice": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_NOT_ALLOWED,
        observed=_mistaken(_CLOSED_NAMESPACE, ConfigurationProblem(line=0, message="<b>@alice</b>")),
    ),
    "configuration-not-allowed-while-a-preview-serves": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_NOT_ALLOWED,
        _ready(),
        observed=_mistaken(_CLOSED_NAMESPACE),
        **{**_RUNNING, "link": HEADER_ONLY},
    ),
    "configuration-not-allowed-any-more": _preview(Phase.FAILED, Reason.CONFIGURATION_NOT_ALLOWED),
    "configuration-wrong-while-a-preview-serves": _preview(
        Phase.FAILED,
        Reason.CONFIGURATION_INVALID,
        _ready(),
        observed=_mistaken(_MISSPELT),
        **{**_RUNNING, "link": HEADER_ONLY},
    ),
    "failed": _preview(
        Phase.FAILED,
        Reason.SERVICE_FAILED,
        _service(
            phase=Phase.FAILED, reason=Reason.SESSION_FAILED, failure_message="crashed: `x` @alice <img>"
        ),
    ),
    "failed-without-route": _preview(
        Phase.FAILED,
        Reason.ROUTE_REFUSED,
        _service(
            phase=Phase.FAILED, reason=Reason.ROUTE_REFUSED, failure_message="denied by `policy` @alice"
        ),
    ),
    "failed-without-target": _preview(Phase.FAILED, Reason.TARGET_MISSING, _without_target()),
    "partial-without-target": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(pod_problem=POD_PROBLEMS["crashing"]),
        _without_target("pricing"),
        **_RUNNING,
    ),
    "partial-older-serves": _preview(
        Phase.READY,
        Reason.PARTIAL,
        _ready(),
        _waiting(_BUILDING, name="pricing", serving_sha=OLDER),
        **_RUNNING,
    ),
    "stopping": _preview(Phase.STOPPING, Reason.BY_COMMAND, _service(phase=Phase.STOPPING)),
    "removal-stalled": _preview(Phase.STOPPING, Reason.REMOVAL_STALLED, _service(phase=Phase.STOPPING)),
    "removal-forbidden": _preview(
        Phase.STOPPING,
        Reason.REMOVAL_FORBIDDEN,
        _service(phase=Phase.STOPPING, reason=Reason.REMOVAL_FORBIDDEN),
    ),
    "made-room": _preview(
        Phase.STOPPED,
        Reason.GAVE_WAY,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.GAVE_WAY, at=NOW)),
    ),
    "made-room-with-its-databases": _preview(
        Phase.STOPPED,
        Reason.GAVE_WAY,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.GAVE_WAY, at=NOW, data_lost=True)),
    ),
    "expired": _preview(
        Phase.EXPIRED,
        Reason.TIME_UP,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.TIME_UP, at=NOW)),
    ),
    "expired-with-its-databases": _preview(
        Phase.EXPIRED,
        Reason.TIME_UP,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.TIME_UP, at=NOW, data_lost=True)),
    ),
    "stopped": _preview(
        Phase.STOPPED,
        Reason.BY_COMMAND,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by="alice")),
    ),
    "stopped-with-its-databases": _preview(
        Phase.STOPPED,
        Reason.BY_COMMAND,
        _service(phase=Phase.STOPPED),
        lifecycle=Lifecycle(ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by="alice", data_lost=True)),
    ),
    "merged": _preview(Phase.STOPPED, Reason.MERGED, _service(phase=Phase.STOPPED), observed=_CLOSED),
    "not-included": _preview(Phase.STOPPED, Reason.NOT_INCLUDED, _service(phase=Phase.STOPPED)),
    "closed": _preview(Phase.STOPPED, Reason.CLOSED, observed=_CLOSED),
    "nothing-changed": _preview(Phase.NOTHING_TO_PREVIEW, Reason.NO_SERVICE_CHANGED),
    "only-shared-changed": _preview(
        Phase.NOTHING_TO_PREVIEW,
        Reason.NO_SERVICE_CHANGED,
        observed=replace(OBSERVED, shared=SharedChange(2, ("checkout", "pricing", "web"), 3)),
    ),
    "only-shared-changed-of-many": _preview(
        Phase.NOTHING_TO_PREVIEW,
        Reason.NO_SERVICE_CHANGED,
        observed=replace(OBSERVED, shared=SharedChange(1, ("checkout", "pricing", "web"), 12)),
    ),
    "no-configuration": _preview(Phase.NOTHING_TO_PREVIEW, Reason.NO_CONFIGURATION),
    "configuration-elsewhere": _preview(
        Phase.NOTHING_TO_PREVIEW,
        Reason.NO_CONFIGURATION,
        observed=replace(OBSERVED, configuration_elsewhere=".github/preview.yml"),
    ),
}
