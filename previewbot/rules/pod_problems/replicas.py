"""Why a session has no pod at all: what makes its pods was refused one.

By a quota, a limit range, Pod Security, an admission webhook, OpenShift's security context constraints, or
for a service account that is not there: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/.
A Deployment makes a ReplicaSet and that the pods; whichever was refused says so in its conditions and its
events.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from previewbot.api import Reason
from previewbot.rules.pod_problems.events import newest_first, said_by
from previewbot.rules.pod_problems.finding import Object, PodFinding

_FAILURES = ("FailedCreate", "ReplicaSetCreateError")
# OpenShift lists every policy that there is, most of which were never meant for the pod; why the others do
# not let it in stands somewhere between them.
_NOT_MEANT_RE = re.compile(r"(?:, )?provider \"?[\w.-]+\"?: Forbidden: not usable by user or serviceaccount")
_BEFORE_RE = re.compile(r"^(?:Error creating: |Failed to create new replica set \"[^\"]{0,300}\": )")


def wanting(makers: Sequence[Object]) -> Object | None:
    """Return the newest ReplicaSet (or Deployment) that should have a pod and has none."""
    wants = [maker for maker in makers if _lacks_pods(maker)]
    return max(wants, key=lambda maker: str(maker["metadata"].get("creationTimestamp", "")), default=None)


def find_refusal(maker: Object, events: Sequence[Object]) -> PodFinding | None:
    """Return why no pod could be made, as the newest event says, or the condition that keeps the first
    one."""
    said = next((said_by(event) for event in newest_first(events) if event.get("reason") in _FAILURES), "")
    message = said or _condition(maker)
    if not message:
        return None
    metadata = maker["metadata"]
    detail = _without_those_not_meant(_BEFORE_RE.sub("", message))
    return PodFinding(Reason.POD_REFUSED, "", str(metadata.get("uid", "")), detail=detail)


def _without_those_not_meant(message: str) -> str:
    shortened = _NOT_MEANT_RE.sub("", message).replace("[, ", "[")
    return shortened if not shortened.endswith("[]") else message


def _lacks_pods(maker: Object) -> bool:
    spec, status = maker.get("spec") or {}, maker.get("status") or {}
    # One that was scaled down, to sleep or for a successor, wants none.
    return "metadata" in maker and spec.get("replicas", 1) != 0 and not status.get("replicas")


def _condition(maker: Object) -> str:
    for condition in (maker.get("status") or {}).get("conditions") or []:
        failed = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        if failed or condition.get("reason") in _FAILURES:
            return str(condition.get("message") or "")
    return ""
