"""What is stored of a problem: the same one keeps its words, so that a crash loop is one edit of the
comment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from previewbot.api import PodProblem, Reason
from previewbot.rules.masking import one_line
from previewbot.rules.pod_problems.alike import alike
from previewbot.rules.pod_problems.finding import PodFinding, Silence

_PULLS = (Reason.PULL_FAILED, Reason.PULL_REFUSED)
_STARTS = (Reason.CANNOT_START, Reason.CONFIG_MISSING, Reason.NOT_STARTING)
_SAY_NEWS = (Reason.VOLUME_UNAVAILABLE, Reason.NO_NETWORK, Reason.NOT_STARTING, Reason.POD_REFUSED)
"""Reasons whose words change only when what keeps the pod from starting is another thing."""

FROM_EVENTS = (*_SAY_NEWS, Reason.PROBE_FAILING, Reason.CRASHING, Reason.UNSCHEDULABLE, *_PULLS)
"""The reasons that a silent pod may have: only events tell of them, and say no more when they have gone."""


def merge_problem(finding: PodFinding, before: PodProblem | None, now: datetime) -> PodProblem:
    """Return the problem to store; the same problem keeps its words, lest each crash edit the comment."""
    detail = one_line(finding.detail)
    # The number of restarts goes on, the words stay: else a crash loop would edit the comment every few
    # minutes.
    if before is not None and _is_same(finding, before):
        told = finding.reason not in _SAY_NEWS or alike(detail, before.detail)
        return replace(
            before,
            restarts=finding.restarts,
            longest_run=max(before.longest_run, finding.longest_run),
            detail=before.detail if told and before.detail else detail or before.detail,
        )
    return PodProblem(
        reason=finding.reason,
        container=finding.container,
        part=finding.part,
        detail=detail,
        exit_code=finding.exit_code,
        restarts=finding.restarts,
        longest_run=finding.longest_run,
        since=now,
    )


def is_still_so(silence: Silence, before: PodProblem | None) -> bool:
    """Return whether what events told of a silent pod may stand until they are asked again."""
    return before is not None and before.reason in FROM_EVENTS and before.container == silence.container


def _is_same(finding: PodFinding, before: PodProblem) -> bool:
    if before.container != finding.container:
        return False
    # Kubelets say the cause in one moment and only that they wait in the next: whose it is stays known.
    silent = not finding.detail and any(
        before.reason in family and finding.reason in family for family in (_PULLS, _STARTS)
    )
    return before.reason is finding.reason or silent
