"""What is wrong with the pods of sessions: the rules' findings, with their causes and last words.

Logs and events are read once per problem, and only of pods that have one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from previewbot.api import PodProblem, Preview, Service
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Found
from previewbot.rules.masking import excerpt, one_line
from previewbot.rules.pod_problems import PodFinding, cause_from_events, find_problem, merge_problem

log = logging.getLogger(__name__)


async def pod_problems(
    context: Context, preview: Preview, services: Sequence[Service], found: Sequence[Found]
) -> dict[str, PodProblem]:
    """Return what is wrong with the pods of these services' children, by the uid of the child."""
    problems = {}
    recorded = {child.uid: child.service for child in preview.status.children if child.uid}
    by_name = {service.name: service for service in services}
    for child in found:
        # A service may have been renamed since: the label is that of the day when the child was made.
        service = by_name.get(recorded.get(child.uid, child.service))
        if service is None or child.owner_uid != preview.uid or child.deleting_since:
            continue
        problem = await _problem(context, preview, service, child)
        if problem is not None:
            problems[child.uid] = problem
    return problems


async def _problem(context: Context, preview: Preview, service: Service, child: Found) -> PodProblem | None:
    finding = find_problem(context.pods(child.namespace, child.uid), context.now(), service.container)
    if finding is None:
        return None
    problem = merge_problem(finding, service.pod_problem, context.now())
    logs = context.settings.comment.logs
    if not logs and problem.log:
        # Stored while they were wanted.
        problem = replace(problem, log=())
    # Each crash of a loop comes here. The log and the events are read for the first one only: after that the
    # problem has its words, and to read them again would change nothing that is shown.
    if (finding.unexplained and not problem.detail) or (logs and finding.has_log and not problem.log):
        return await _read(context, preview, child.namespace, finding, problem)
    return problem


async def _read(
    context: Context, preview: Preview, namespace: str, finding: PodFinding, problem: PodProblem
) -> PodProblem:
    """Return the problem with its cause and last words; without them it is still worth telling."""
    try:
        if finding.unexplained:
            events = await context.kube.pod_events(namespace, finding.pod_uid)
            return replace(problem, detail=one_line(cause_from_events(finding, events)))
        text = await context.kube.pod_log(
            namespace, finding.pod, finding.container, previous=finding.previous
        )
        return replace(problem, log=excerpt(text))
    except RemoteError as error:
        extra = {"preview": preview.name, "pod": finding.pod, "error": str(error)}
        log.info("cannot read why a pod has a problem", extra=extra)
        return problem
