"""The look at GitHub: the pull request, the configuration, the changed files, and new commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot import agents, changes, images, repoconfig
from previewbot.commands import Command, Nonsense
from previewbot.commands import parse as parse_command
from previewbot.errors import ConfigurationError, Invalid, NotFound, RemoteError, Unauthorized
from previewbot.github import InstallationClient
from previewbot.model import Comment, PullRequest
from previewbot.plan import Facts, obey
from previewbot.plan.decision import observe
from previewbot.plan.obey import handled
from previewbot.policy import configuration_ref
from previewbot.preview import (
    AgentSeen,
    CommentState,
    ConfigurationProblem,
    Observed,
    Preview,
    Reply,
    Spec,
    Status,
)
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Problems
from previewbot.reconcile.stored import Stored
from previewbot.render import comment_hash, parse_marker
from previewbot.repoconfig import RepositoryConfig
from previewbot.settings import Settings

CONFIGURATION = ".github/preview.yaml"
_LAG_LIMIT = timedelta(seconds=60)
_OVERLAP = timedelta(seconds=60)
_OLD_COMMAND = timedelta(hours=24)
_FACTS_HOLD = timedelta(minutes=10)


class Gone(Exception):
    """The repository or our installation is gone, confirmed as the App."""


@dataclass(frozen=True)
class _Configuration:
    config: RepositoryConfig | None
    sha: str
    problems: tuple[ConfigurationProblem, ...]


def needs_look(preview: Preview, facts: Facts | None, now: datetime) -> bool:
    """Return whether GitHub must be read: poked, waited for, or not known (any more)."""
    if facts is None or facts.lagging or facts.problems:
        return True
    if preview.poke.delivery_id != preview.status.observed.delivery_id:
        return True
    if facts.read_at is None or now - facts.read_at >= _FACTS_HOLD:
        return True
    return any(service.waiting is not None for service in preview.status.services)


async def look(context: Context, stored: Stored) -> Facts:
    """Read GitHub and take what it says into the status, commands included.

    Raises `Gone`, or a RemoteError when GitHub cannot be read now; then the status is as it was, since half
    of a look would be told under the name of a commit that nobody acted on.
    """
    now = context.now()
    if stored.preview.poke.delivery_id != stored.status.observed.delivery_id:
        # Something happened, perhaps the build's end: look for the image now, not when it is due.
        context.memory.forget_image_looks(stored.preview.name)
    client, pull_request = await _pull_request(context, stored)
    repository = pull_request.base.repository
    agent = await _agent(client, repository, pull_request)
    configuration = await _configuration(context, client, repository, pull_request)
    files = await _files(context, client, stored.preview.name, pull_request, configuration)
    facts = Facts(
        pull_request=pull_request,
        config=configuration.config,
        config_sha=configuration.sha,
        problems=configuration.problems,
        agent=agent,
        files=files,
        merge_sha=await _merge_sha(client, stored.status.observed, pull_request, configuration, files),
        read_at=now,
    )
    status, newest = await _commands(context, client, observe(stored.status, facts, now), facts, now)
    poke = stored.preview.poke
    observed = status.observed.model_copy(update={"delivery_id": poke.delivery_id})
    stored.status = observe(status.model_copy(update={"observed": observed}), facts, now)
    facts = replace(facts, lagging=_lagging(stored.preview, pull_request, newest, now))
    context.memory.facts[stored.preview.name] = facts
    return facts


async def _pull_request(context: Context, stored: Stored) -> tuple[InstallationClient, PullRequest]:
    spec = stored.preview.spec
    client = context.github.installation(spec.installation_id)
    try:
        pull_request = await client.pull_request(spec.repository, spec.number)
        _must_be(spec, pull_request)
    except (NotFound, Unauthorized) as error:
        client = await _found_again(context, stored, error)
        pull_request = await client.pull_request(stored.preview.spec.repository, spec.number)
        _must_be(spec, pull_request)
    if pull_request.base.repository != stored.preview.spec.repository:
        await stored.patch_spec(repository=pull_request.base.repository)
    return client, pull_request


def _must_be(spec: Spec, pull_request: PullRequest) -> None:
    """Raise NotFound if the repository's name belongs to another one by now."""
    if pull_request.base.repository_id != spec.repository_id:
        raise NotFound(f"repository {spec.repository_id}", status=404, message="its name was taken over")


async def _found_again(context: Context, stored: Stored, error: RemoteError) -> InstallationClient:
    """Find a repository by its number in what we may read; raises `Gone` if it is not there any more.

    It may have been renamed, its old name given to another, or been transferred to another installation.
    Raises the `error` itself if the repository is where it was.
    """
    spec = stored.preview.spec
    try:
        by_name = await context.github.installation_of(spec.repository)
    except NotFound:
        by_name = spec.installation_id
    for installation_id in dict.fromkeys((by_name, spec.installation_id)):
        client = context.github.installation(installation_id)
        try:
            covered = {repository.id: repository.full_name for repository in await client.repositories()}
        except (NotFound, Unauthorized):
            continue
        name = covered.get(spec.repository_id)
        if (installation_id, name) == (spec.installation_id, spec.repository):
            raise error from None
        if name is not None:
            await stored.patch_spec(installationId=installation_id, repository=name)
            return client
    raise Gone(spec.repository) from None


async def _agent(client: InstallationClient, repository: str, pull_request: PullRequest) -> AgentSeen | None:
    seen = agents.recognise(pull_request.author, pull_request.head.ref, pull_request.body, None)
    if seen is None and agents.needs_commits(pull_request.author, pull_request.head.ref):
        commits = await client.commits(repository, pull_request.number)
        seen = agents.recognise(pull_request.author, pull_request.head.ref, pull_request.body, commits)
    return seen


async def _configuration(
    context: Context,
    client: InstallationClient,
    repository: str,
    pull_request: PullRequest,
) -> _Configuration:
    ref = configuration_ref(pull_request, context.settings.config_branches)
    try:
        file = await client.file(repository, CONFIGURATION, ref)
    except Invalid as error:
        return _Configuration(None, "", (ConfigurationProblem(line=0, message=error.message),))
    if file is None:
        return _Configuration(None, "", ())
    config, problems = context.memory.configurations.read(
        file.sha, lambda: _read(file.content, context.settings)
    )
    return _Configuration(config, file.sha, problems)


def _read(content: bytes, settings: Settings) -> tuple[RepositoryConfig | None, Problems]:
    try:
        config = repoconfig.parse(content, CONFIGURATION)
        found = repoconfig.check_against(config, settings)
    except ConfigurationError as error:
        config, found = None, error.problems
    problems = tuple(ConfigurationProblem(line=p.line, message=p.message) for p in found)
    return config if not problems else None, problems


async def _files(
    context: Context,
    client: InstallationClient,
    name: str,
    pull_request: PullRequest,
    configuration: _Configuration,
) -> dict[str, int]:
    if configuration.config is None or pull_request.state == "closed":
        return {}
    key = (pull_request.head.sha, pull_request.base.sha, configuration.sha)
    known = context.memory.files.get(name)
    if known is not None and known[0] == key:
        return dict(known[1])
    files = await client.files(pull_request.base.repository, pull_request.number)
    matched = changes.match(configuration.config, files)
    context.memory.files[name] = (key, matched)
    return dict(matched)


async def _merge_sha(
    client: InstallationClient,
    observed: Observed,
    pull_request: PullRequest,
    configuration: _Configuration,
    files: Mapping[str, int],
) -> str:
    """Return the test merge of this very head, if an image of a changed service can be named by it.

    For a while after a push GitHub goes on showing the test merge of the commit before, of which there may be
    an image: only the second parent says of which head it is.
    """
    sha, head = pull_request.merge_commit_sha, pull_request.head.sha
    services = configuration.config.services if configuration.config else ()
    if not sha or pull_request.mergeable is False:
        return ""
    if not any(images.counts_merges(service.image) for service in services if service.name in files):
        return ""
    if observed.head_sha == head and sha in observed.merge_shas:
        return sha
    try:
        parents = await client.parents(pull_request.base.repository, sha)
    except (NotFound, Invalid):
        return ""
    return sha if parents[1:] == (head,) else ""


def _lagging(preview: Preview, pull_request: PullRequest, newest: int, now: datetime) -> bool:
    """Return whether GitHub's API is behind its own webhook; believed for at most a minute."""
    poke = preview.poke
    if poke.poked_at is None or now - poke.poked_at >= _LAG_LIMIT:
        return False
    handled_ids = preview.status.commands.handled
    behind = poke.updated_at is not None and pull_request.updated_at < poke.updated_at
    unseen = poke.comment_id > max([newest, preview.status.commands.floor, *handled_ids])
    return behind or unseen


async def _commands(
    context: Context, client: InstallationClient, status: Status, facts: Facts, now: datetime
) -> tuple[Status, int]:
    """Obey new commands; return the status after them and the highest comment id seen."""
    repository, number = facts.pull_request.base.repository, facts.pull_request.number
    first = status.commands.looked_at is None
    since = None if first or status.commands.looked_at is None else status.commands.looked_at - _OVERLAP
    comments = await client.comments(repository, number, None if not status.comment.id else since)
    status = await adopt(context, client, repository, status, comments)
    oldest = now - _OLD_COMMAND if first and not status.commands.floor else None
    for comment in sorted(comments, key=lambda comment: comment.id):
        command = _fresh(context, status, comment, oldest, since)
        if command is not None:
            status = await _obeyed(context, client, status, facts, comment, command, now)
    commands = status.commands.model_copy(update={"looked_at": now})
    newest = max((comment.id for comment in comments), default=0)
    return status.model_copy(update={"commands": commands}), newest


def _fresh(
    context: Context, status: Status, comment: Comment, oldest: datetime | None, since: datetime | None
) -> Command | Nonsense | None:
    """Return the command of a comment that is to be obeyed now.

    Only new comments count: an edited one could say something else to whoever reads it later.
    """
    if comment.app_id == context.settings.github.app_id or comment.created_at != comment.updated_at:
        return None
    if comment.id <= status.commands.floor or comment.id in status.commands.handled:
        return None
    earliest = oldest or since
    if earliest is not None and comment.created_at < earliest:
        return None
    return parse_command(comment.body)


async def _obeyed(
    context: Context,
    client: InstallationClient,
    status: Status,
    facts: Facts,
    comment: Comment,
    command: Command | Nonsense,
    now: datetime,
) -> Status:
    if comment.author.type == "Bot":
        # Words to a bot may be answered by it, and so on without end: a reaction says enough.
        reply = Reply(comment_id=comment.id, author=comment.author.login, command="", reaction="confused")
        return handled(status.model_copy(update={"replies": (*status.replies, reply)}), comment.id)
    repository = facts.pull_request.base.repository
    permission = await client.permission(repository, comment.author.login)
    status = obey(
        status,
        command,
        comment,
        pull_request=facts.pull_request,
        may_write=permission in ("admin", "write"),
        ttl_max=context.settings.ttl.max,
        now=now,
    )
    return observe(status, facts, now)


async def adopt(
    context: Context,
    client: InstallationClient,
    repository: str,
    status: Status,
    comments: list[Comment],
) -> Status:
    """Find what we wrote before a crash or in an earlier life: the status comment, and answers given.

    Ours means our marker *and* our App as the author: people quote markers. Of several status comments
    the oldest stays.
    """
    ours = [
        (comment, marker)
        for comment in comments
        if comment.app_id == context.settings.github.app_id
        and (marker := parse_marker(comment.body)) is not None
    ]
    if not status.comment.id:
        own = sorted((c for c, marker in ours if marker.kind == "status"), key=lambda c: c.id)
        if own:
            state = CommentState(id=own[0].id, hash=comment_hash(own[0].body))
            status = status.model_copy(update={"comment": state})
        for extra in own[1:]:
            await client.delete_comment(repository, extra.id)
    answered = {marker.reply_to for _, marker in ours if marker.kind == "reply"}
    replies = tuple(
        reply.model_copy(update={"kind": ""}) if reply.comment_id in answered else reply
        for reply in status.replies
    )
    told = [marker.command for _, marker in ours if marker.kind == "status"]
    floor = max([status.commands.floor, *told])
    known = {id for id in answered if id} | set(status.commands.handled)
    commands = status.commands.model_copy(
        update={"floor": floor, "handled": tuple(sorted(id for id in known if id > floor))}
    )
    return status.model_copy(update={"commands": commands, "replies": replies})
