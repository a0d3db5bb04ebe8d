"""What is wrong with the pods of a pass's sessions: the rules' findings, with their causes and last words.

Logs and events are read once per trouble, and only of pods that are in one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from previewbot.errors import RemoteError
from previewbot.masking import excerpt, one_line
from previewbot.mirrord import Session
from previewbot.plan.services import find as session_of
from previewbot.preview import Phase, Preview, Service, Trouble
from previewbot.reconcile.context import Context
from previewbot.troubles import Finding, explained, find, told, with_trouble

_RUNNING = (Phase.DEPLOYING, Phase.READY, Phase.IDLE)

log = logging.getLogger(__name__)


async def with_troubles(
    context: Context, preview: Preview, services: Sequence[Service], sessions: Sequence[Session]
) -> tuple[Service, ...]:
    """Return the services, each with what is wrong with its session's pod now."""
    return tuple([await _with_trouble(context, preview, service, sessions) for service in services])


async def _with_trouble(
    context: Context, preview: Preview, service: Service, sessions: Sequence[Session]
) -> Service:
    session = session_of(service, sessions)
    if service.phase not in _RUNNING or session is None or session.uid != service.session_uid:
        return with_trouble(service, None)
    finding = find(context.pods(session.uid), context.now(), service.container)
    if finding is None:
        return with_trouble(service, None)
    trouble = told(finding, service.trouble, context.now())
    if (finding.unexplained and not trouble.detail) or (finding.has_log and not trouble.log):
        trouble = await _read(context, preview, session.namespace, finding, trouble)
    return with_trouble(service, trouble)


async def _read(
    context: Context, preview: Preview, namespace: str, finding: Finding, trouble: Trouble
) -> Trouble:
    """Return the trouble with its cause and last words; without them it is still worth telling."""
    try:
        if finding.unexplained:
            events = await context.kube.pod_events(namespace, finding.pod_uid)
            return replace(trouble, detail=one_line(explained(finding, events)))
        text = await context.kube.pod_log(
            namespace, finding.pod, finding.container, previous=finding.previous
        )
        return replace(trouble, log=excerpt(text))
    except RemoteError as error:
        extra = {"preview": preview.name, "pod": finding.pod, "error": str(error)}
        log.info("cannot read why a pod is in trouble", extra=extra)
        return trouble
