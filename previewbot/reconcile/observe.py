"""The look at GitHub: the pull request, the configuration, the changed files, and new commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot import agents, changes, images, repoconfig
from previewbot.errors import ConfigurationError, Invalid, NotFound, RemoteError, Unauthorized
from previewbot.github import InstallationClient
from previewbot.model import PullRequest
from previewbot.plan import Facts
from previewbot.plan.decision import observe
from previewbot.policy import configuration_ref
from previewbot.preview import (
    AgentSeen,
    ConfigurationProblem,
    Observed,
    Preview,
    Spec,
)
from previewbot.reconcile.commands_of import obey_new
from previewbot.reconcile.context import Context
from previewbot.reconcile.memory import Problems
from previewbot.reconcile.stored import Stored
from previewbot.repoconfig import RepositoryConfig
from previewbot.settings import Settings

CONFIGURATION = ".github/preview.yaml"
_LAG_LIMIT = timedelta(seconds=60)
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
    if preview.unseen_poke:
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
    if stored.preview.unseen_poke:
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
    status, newest = await obey_new(context, client, observe(stored.status, facts, now), facts, now)
    poke = stored.preview.poke
    observed = replace(status.observed, delivery_id=poke.delivery_id)
    stored.status = observe(replace(status, observed=observed), facts, now)
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
