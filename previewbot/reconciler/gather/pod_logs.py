"""The last lines of what runs, where somebody with write access asks for them: `/preview logs`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from previewbot.api import Child, Preview
from previewbot.engine import mirrord
from previewbot.errors import RemoteError
from previewbot.reconciler.context import Context
from previewbot.reconciler.conversation import Request
from previewbot.reconciler.observation import Found, LogsRead, PullRequestFacts
from previewbot.rules import pod_problems as rules
from previewbot.rules.commands import Command
from previewbot.rules.commands.logs import withheld
from previewbot.rules.masking import excerpt

log = logging.getLogger(__name__)

_MOST_READ = 10
"""Of so many services one pass reads the logs: each is a request to the API server."""


async def read_logs(
    context: Context,
    preview: Preview,
    facts: PullRequestFacts,
    requests: Sequence[Request],
    found: Sequence[Found],
) -> LogsRead:
    """Return what services said last, if a request that is new asks for it, and why it is withheld if it is.

    Nothing is read of what may not be shown: a public repository's comments are for everybody, and so are
    what a service prints of others' requests, configuration and data.
    """
    asked = [
        asked
        for request in requests
        if request.granted
        for asked in request.asked
        if isinstance(asked, Command) and asked.name == "logs"
    ]
    why_not = withheld(context.settings, public=not facts.pull_request.private)
    if why_not or not asked or facts.pull_request.state == "closed":
        return LogsRead(withheld=why_not)
    wanted = {name for each in asked for name in each.services}
    everything = any(not each.services for each in asked)
    there = {child.uid for child in found if child.owner_uid == preview.uid and not child.deleting_since}
    sessions = [
        child
        for child in preview.status.children
        if child.kind == mirrord.KIND and child.uid in there and (everything or child.service in wanted)
    ]
    lines = {child.service: await _last_lines(context, preview, child) for child in sessions[:_MOST_READ]}
    read = {name: said for name, said in lines.items() if said is not None}
    return LogsRead(read, unread=tuple(name for name in lines if name not in read))


async def _last_lines(context: Context, preview: Preview, child: Child) -> tuple[str, ...] | None:
    """Return the last lines of a session's own pod, masked; None if it has none, or it cannot be read."""
    service = next((each for each in preview.status.services if each.name == child.service), None)
    pod = rules.newest_pod(context.pods(child.namespace, child.uid))
    if service is None or not service.container or pod is None:
        log.info("nothing to read a log of", extra={"preview": preview.name, "session": child.name})
        return None
    name = str(pod["metadata"]["name"])
    try:
        text = await context.kube.pod_log(child.namespace, name, service.container, previous=False)
    except RemoteError as error:
        about = {"preview": preview.name, "session": child.name, "pod": name, "error": str(error)}
        log.info("cannot read a log that was asked for", extra=about)
        return None
    return excerpt(text)
