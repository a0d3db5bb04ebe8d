"""What a pull request itself writes wrongly into the configuration file, for the check of its commit.

The file of a head is data here: it is read and held to the same rules, and nothing is done by it. What counts
is the file of the base branch (`gather/configuration.py`).
"""

from __future__ import annotations

from previewbot.api import ConfigurationProblem, Status
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.config.repository import Triggers
from previewbot.config.server import Settings
from previewbot.reconciler.bounded import keep
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.configuration import read_commit
from previewbot.reconciler.gather.repository_files import FilesAt
from previewbot.reconciler.observation import PullRequestFacts
from previewbot.rules import changes, policy
from previewbot.rules.repositories import Bounds

_KEPT = 1_000


async def mistakes_of(
    context: Context,
    client: InstallationClient,
    status: Status,
    facts: PullRequestFacts,
    bounds: Bounds,
    *,
    asked: bool,
) -> tuple[ConfigurationProblem, ...]:
    """Return the mistakes of the head's configuration file, if the pull request is what makes them.

    It costs one request for each head (and what the file names), and only where a check tells of them.
    `asked`: somebody just asked for something there. Raises RemoteError.
    """
    if not _is_told(context.settings, status, facts, asked=asked):
        return ()
    pull_request, known = facts.pull_request, context.memory.heads
    head = FilesAt(known.files, client, pull_request.base.repository, pull_request.head.sha)
    found = await read_commit(known, head, bounds)
    if not found.read.problems or found.sha == facts.config_sha:
        return ()
    # Where the base branch has none the pull request adds it; where that one has mistakes nobody has asked
    # yet which files changed, and an old branch has an old file.
    whose = facts.changes_configuration or not facts.config_sha
    if not whose and not await _changes(context, client, pull_request):
        return ()
    return found.read.problems


def _is_told(settings: Settings, status: Status, facts: PullRequestFacts, *, asked: bool) -> bool:
    pull_request = facts.pull_request
    # A fork's is not read: whoever likes writes it, as often as they like, and no check of theirs fails.
    if settings.check == "off" or pull_request.is_fork or pull_request.state == "closed":
        return False
    if facts.config is not None and not facts.changes_configuration:
        return False
    if settings.check == "required" or asked:
        return True
    triggers = facts.config.triggers if facts.config else Triggers()
    by = status.lifecycle.started_by
    return bool(policy.trigger(pull_request, triggers, facts.agent, by, command_only=facts.command_only))


async def _changes(context: Context, client: InstallationClient, pull_request: PullRequest) -> bool:
    key = pull_request.base.repository, pull_request.head.sha, pull_request.base.sha
    known = context.memory.changes_of_heads
    if key not in known:
        listed = await client.files(pull_request.base.repository, pull_request.number)
        keep(known, key, changes.changes_configuration(listed), _KEPT)
    return known[key]
