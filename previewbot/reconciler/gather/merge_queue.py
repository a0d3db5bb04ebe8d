"""Where a merge queue tries a pull request: in commits of its own, which need the required check too."""

from __future__ import annotations

from previewbot.api import Preview
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.reconciler.context import Context

_MOST = 5
"""A pull request that leaves the queue and comes back has more than one of them for a moment."""


async def queue_heads(
    context: Context, client: InstallationClient, preview: Preview, pull_request: PullRequest
) -> tuple[str, ...] | None:
    """Return these commits; None where nobody has told of a queue since they were read.

    web's word for it is not enough: a check that says "skipped" lets a commit pass.
    """
    queued_id = preview.poke.queued_id
    told = queued_id not in ("", preview.status.observed.queued_id)
    if not told or context.settings.check != "required" or pull_request.state != "open":
        return None
    base = pull_request.base
    found = await client.git.queue_heads(base.repository, base.ref, pull_request.number)
    return tuple(found[-_MOST:])
