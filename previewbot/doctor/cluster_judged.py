"""What the API server's answers mean for an installation: judged here, asked elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from previewbot.api import Reason
from previewbot.doctor.check import Check, Whose, not_checked, note, ok, safe, wrong
from previewbot.engine import mirrord
from previewbot.engine.idle import can_sleep
from previewbot.engine.operator import Answer, OperatorSeen, problem_of, warnings_of
from previewbot.engine.probe import NAME
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater, Unauthorized

REQUESTS = "the CRD of PreviewRequests"
LOGIN, RESOURCES, LEASE, OPERATOR, POLICY = (
    "the cluster: login",
    "the cluster: resources",
    "the Lease",
    "mirrord's operator",
    "the admission policy",
)

_OF_OUR_POLICY = f"the key {NAME} is not one of previewbot"
_OF_OTHER_NAMESPACES = "previews may not be made in the namespace"
"""What the chart's policy says to the doctor's session, and where it is of other settings. Another policy's
refusal is one of previewbot's sessions as well."""

_NOT_COUNTED = "status unknown for quota"

_STALE = timedelta(seconds=30)
"""Three times as long as a Lease lasts: clocks of two machines differ."""

_ADVICE = {
    "previewbot.dev": "kubectl apply --server-side --filename charts/previewbot/crds/",
    "preview.mirrord.metalbear.co": "install mirrord's operator with preview environments, 3.185.1 or newer",
    "gateway.networking.k8s.io": "install the Gateway API, v1, or leave settings.links.gateway out",
}


def requests(words: str) -> Check:
    """Return that the cluster stores what people press, as far as `words` say."""
    return ok(REQUESTS, words)


def no_requests() -> Check:
    """Return that the cluster lacks the resource in which web and pages store what people press."""
    words = f"the cluster lacks it, so that the buttons of checks do nothing: {_ADVICE['previewbot.dev']}"
    return wrong(REQUESTS, words)


def request_refused(namespace: str, error: RemoteError) -> Check:
    """Return what it means that one like those that web or pages makes would not be stored in `namespace`."""
    if _may_not_create(error):
        return not_checked(REQUESTS, "without the right to make one; see “rights” above")
    if _takes_no_dry_runs(error):
        return not_checked(REQUESTS, f"an admission webhook takes no dry runs: {safe(error.message)}")
    if _NOT_COUNTED in error.message:
        # Where the ResourceQuota is made within half a minute of the CRD, Kubernetes learns only with its
        # next count of all, five minutes later, that it can count these (--resource-quota-sync-period).
        words = (
            "the cluster takes none yet: Kubernetes counts first what is there, which may last five minutes "
            "after previewbot was installed. Who pressed a button of a check until then must press it again"
        )
        return note(REQUESTS, words, Whose.PLATFORM_TEAM)
    if "exceeded quota" in error.message:
        words = (
            "so many wait that the cluster takes no more, and buttons of checks do nothing: see whether a "
            f"controller runs, and what `kubectl get previewrequests --namespace {namespace}` shows"
        )
        return wrong(REQUESTS, words)
    return wrong(REQUESTS, f"the cluster would not store what people press: {safe(str(error))}")


def login(username: str) -> Check:
    """Return whom the API server takes us for."""
    if username in ("", "system:anonymous"):
        words = (
            "the API server takes us for nobody (system:anonymous): the kubeconfig's user has no login that "
            "counts, or in a pod the service account's token is not mounted"
        )
        return wrong(LOGIN, words)
    return ok(LOGIN, f"the API server knows us as {username}")


def login_refused(error: RemoteError) -> Check:
    """Return what it means that the API server does not say who we are."""
    if isinstance(error, Unauthorized):
        words = (
            f"the API server does not accept the login ({safe(error.message)}): renew it, or "
            "the kubeconfig's user"
        )
        return wrong(LOGIN, words)
    if "not JSON" in error.message:
        words = (
            "something else than an API server answers there, such as a sign-in or a proxy: see the `server` "
            "of the kubeconfig's cluster"
        )
        return wrong(LOGIN, words)
    if isinstance(error, TryLater) and not error.status:
        words = (
            f"the API server does not answer ({safe(error.message)}): see cluster.kubeconfig, and whether "
            "this pod may go out to it (NetworkPolicy: networkPolicy.apiServerPorts)"
        )
        return wrong(LOGIN, words)
    if isinstance(error, NotFound):
        return not_checked(
            LOGIN, "this API server cannot say who we are (it is older than 1.28), but it answers"
        )
    return wrong(LOGIN, f"the API server refuses even to say who we are: {safe(str(error))}")


def resources(missing: Sequence[str]) -> Check:
    """Return whether the cluster has the kinds that previewbot works with; `missing` is from discovery."""
    if not missing:
        return ok(RESOURCES, "the cluster has every kind that these settings need")
    advice = [words for group, words in _ADVICE.items() if any(f".{group} " in one for one in missing)]
    return wrong(RESOURCES, f"the cluster lacks {', '.join(missing)}: {'; '.join(advice)}")


def namespace_name(namespace: str) -> str:
    """Return what the finding about a namespace is called."""
    return f"the namespace {namespace}"


def tried_session(namespace: str, username: str, error: RemoteError | None) -> list[Check]:
    """Return what trying a session shows that the admission policy must refuse: namespace, CRD, policy.

    `error` is what would have come of creating it, None if it would have been made.
    """
    name = namespace_name(namespace)
    there = ok(name, "it is there, and takes sessions with every field that previewbot sends")
    policy = f"{POLICY} in {namespace}"
    if error is None:
        return [there, _unbound(policy, username)]
    said = safe(error.message)
    if _OF_OUR_POLICY in error.message:
        return [there, ok(policy, "it refuses what previewbot does not make")]
    unseen = not_checked(policy, f"because of what is wrong with {name}")
    if isinstance(error, NotFound):
        words = (
            f"there is none: make it (kubectl create namespace {namespace}), or take it out of "
            "cluster.namespaces"
        )
        return [wrong(name, words), unseen]
    if _may_not_create(error):
        words = "whether it is there cannot be seen without the right to make sessions in it"
        return [not_checked(name, words), unseen]
    if isinstance(error, Forbidden) and "being terminated" in error.message:
        return [wrong(name, "it is being deleted: nothing can be made in it"), unseen]
    if _OF_OTHER_NAMESPACES in error.message:
        words = (
            f"it is of other settings, and would refuse every session there: {said}. Have `helm upgrade` "
            "make it anew, with these cluster.namespaces"
        )
        return [not_checked(name, f"because of what is wrong with {policy}"), wrong(policy, words)]
    if isinstance(error, Invalid) and "unknown field" in error.message:
        words = (
            f"mirrord's CRD is of another version than this previewbot: {said}. "
            f"{_ADVICE['preview.mirrord.metalbear.co']}"
        )
        return [wrong(name, words), unseen]
    if _takes_no_dry_runs(error):
        words = (
            "what it would say to a session cannot be tried, as an admission webhook takes no "
            f"dry runs: {said}"
        )
        return [not_checked(name, words), unseen]
    return [wrong(name, f"it would refuse every session: {said}"), unseen]


def _may_not_create(error: RemoteError) -> bool:
    """Return whether the account has no right to make such an object."""
    return isinstance(error, Forbidden) and "cannot create resource" in error.message


def _takes_no_dry_runs(error: RemoteError) -> bool:
    """Return whether an admission webhook keeps from trying what would come of an object."""
    return isinstance(error, Invalid) and "dry run" in error.message


def _unbound(name: str, username: str) -> Check:
    # It is bound to one account, and says nothing to all others.
    if not username.startswith("system:serviceaccount:"):
        words = (
            f"it holds the controller's service account only, and we are {username or 'somebody else'} here"
        )
        return not_checked(name, words)
    words = (
        "none holds this account: the roles alone bound what its token can make "
        "(admissionPolicy.enabled of the chart)"
    )
    return note(name, words)


def operator(seen: OperatorSeen, now: datetime, missing: Sequence[str] = ()) -> list[Check]:
    """Return whether mirrord's operator makes previews, and what is to be seen to although it does.

    `missing` are the kinds that `resources` told of: where the operator's own are among them it is told of
    already that there is none.
    """
    problem = problem_of(seen, now)
    told = any(mirrord.API_GROUP in one for one in missing)
    if told and problem is not None and problem.reason is Reason.OPERATOR_MISSING:
        return [not_checked(OPERATOR, f"because of what is wrong with {RESOURCES}")]
    if problem is not None:
        whose = Whose.VENDOR if problem.reason is Reason.LICENCE_EXPIRED else Whose.PLATFORM_TEAM
        return [wrong(OPERATOR, problem.words, whose)]
    warnings = [note(OPERATOR, words, Whose.PLATFORM_TEAM) for words in warnings_of(seen, now)]
    if seen.answer is not Answer.FOUND:
        return warnings or [not_checked(OPERATOR, seen.detail or seen.answer.value)]
    ends = seen.operator.licence.ends
    licence = f", with a licence until {ends}" if ends else ""
    words = f"it is {seen.operator.version or 'there'}, and makes previews{licence}"
    if not can_sleep(seen):
        # Of one that is too old the warnings say so.
        why = "" if seen.knows_idle else ": its CRD of sessions has no `idle`"
        words += f"; none of them sleeps by itself{why}"
    return [ok(OPERATOR, words), *warnings]


def lease(found: Mapping[str, Any] | None, named: str, now: datetime) -> Check:
    """Return whether some controller works."""
    if found is None:
        return note(LEASE, f"there is no {named}: no controller has run with these settings yet")
    spec = found.get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), _moment(spec.get("renewTime"))
    if not holder:
        words = f"nobody holds {named}: no controller works now; see its pods, and `kubectl logs` of them"
        return wrong(LEASE, words)
    if renewed is None or now - renewed > _STALE:
        since = f" since {renewed:%Y-%m-%d %H:%M:%S} UTC" if renewed else ""
        words = (
            f"{holder} holds {named} and has not renewed it{since}: it is gone, and no other "
            "controller is there"
        )
        return wrong(LEASE, words)
    return ok(LEASE, f"{holder} works")


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
