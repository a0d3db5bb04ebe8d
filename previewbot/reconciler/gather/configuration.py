"""The configuration that counts for a pull request, and which of its services the pull request changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from previewbot.api import ConfigurationProblem, LeftOut, Preview
from previewbot.api.github import ChangedFiles, PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.config.mirrord.files import NEVER_ALL, ROUNDS, Files, FilesWanted
from previewbot.config.repository import NEAR_MISSES, PATH, RepositoryConfig, parse
from previewbot.errors import ConfigurationError, Invalid, RemoteError
from previewbot.reconciler.bounded import keep
from previewbot.reconciler.context import Context
from previewbot.reconciler.gather.repository_files import FilesAt
from previewbot.reconciler.memory import Configurations, ReadConfiguration
from previewbot.rules import changes, chosen
from previewbot.rules.bounds import check_against, entry_outside
from previewbot.rules.problems import told
from previewbot.rules.repositories import Bounds
from previewbot.rules.slot_limits import services_limit

_ELSEWHERE_KEPT = 1_000


@dataclass(frozen=True)
class Configuration:
    """What was read of a configuration file; `sha` is its blob's, empty where there is no file."""

    sha: str = ""
    read: ReadConfiguration = field(default_factory=ReadConfiguration)

    @property
    def config(self) -> RepositoryConfig | None:
        """The configuration, if there is one without a mistake."""
        return self.read.config


async def read_configuration(
    known: Configurations, client: InstallationClient, bounds: Bounds, repository: str, ref: str
) -> Configuration:
    """Read a branch's configuration file, and hold it to what the repository may have.

    What was read of one that is `known` is not read again.
    """
    try:
        file = await client.file(repository, PATH, ref)
        if file is None:
            return Configuration()
        read = known.read(file.sha, bounds, lambda: read_content(file.content, bounds))
        if read.wanted is None:
            return Configuration(file.sha, read)
        commit = await client.tip(repository, ref)
        return await read_commit(known, FilesAt(known.files, client, repository, commit), bounds)
    except Invalid as error:
        # GitHub sends no content of a file over 1 MB.
        return _refused(error)


def _refused(error: Invalid) -> Configuration:
    """Return what is too much for a look: a mistake of its author, told in the comment like others."""
    problem = ConfigurationProblem(line=0, message=error.message)
    return Configuration(read=ReadConfiguration(problems=(problem,)))


async def read_commit(known: Configurations, at: FilesAt, bounds: Bounds) -> Configuration:
    """Read the configuration of a commit, and the files that it names there, once for all looks.

    Also what is refused is read once: it may be refused for how many requests it takes.
    """
    found = known.of_commit(at.repository, at.commit, bounds)
    if found is not None:
        return Configuration(*found)
    try:
        configuration = await _with_files(known, at, bounds)
    except Invalid as error:
        configuration = _refused(error)
    known.remember_commit(at.repository, at.commit, bounds, configuration.sha, configuration.read)
    return configuration


async def _with_files(known: Configurations, at: FilesAt, bounds: Bounds) -> Configuration:
    """Read the configuration of a commit, and the files that it names there; raises Invalid for too many.

    All of one commit: between two requests somebody may push, and a mirrord file must not be read with a
    `preview.yaml` that it was not made for.
    """
    file = await at.configuration()
    if file is None:
        return Configuration()
    for _ in range(ROUNDS):
        read = known.known(file.sha, bounds, at.names)
        if read is None:
            # A megabyte of mirrord files takes seconds: the Lease must be renewed meanwhile.
            found = await asyncio.to_thread(read_content, file.content, bounds, at.files())
            read = known.remember(file.sha, bounds, at.names, found)
        if read.wanted is None:
            return Configuration(file.sha, read)
        await at.fetch(read.wanted)
    raise Invalid(PATH, message=NEVER_ALL)


@dataclass(frozen=True)
class ServicesChanged:
    """How many changed files each service has that is previewed, and what is said of the others.

    `shared` files changed that belong to all, and `room` is for so many more services. `configuration`: the
    pull request changes the configuration file.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    left_out: LeftOut | None = None
    shared: int = 0
    room: int = 0
    configuration: bool = False


async def file_elsewhere(
    context: Context, client: InstallationClient, repository: str, ref: str, sha: str
) -> str:
    """Return where a file lies that may have been meant for the configuration; empty if there is none.

    It is looked for once with each commit that pull requests are based on, which is `sha`.
    """
    key, known = (f"{repository}@{ref}", sha), context.memory.elsewhere
    if key not in known:
        try:
            keep(known, key, await _first_there(client, repository, ref), _ELSEWHERE_KEPT)
        except RemoteError:
            # It is only for words: a look does not fail for them.
            return ""
    return known[key]


async def _first_there(client: InstallationClient, repository: str, ref: str) -> str:
    for path in NEAR_MISSES:
        try:
            if await client.file(repository, path, ref) is not None:
                return path
        except Invalid:
            # One that is too large is there as well.
            return path
    return ""


async def read_changes(
    context: Context,
    client: InstallationClient,
    preview: Preview,
    pull_request: PullRequest,
    configuration: Configuration,
) -> ServicesChanged:
    """Return what of a pull request's changes is previewed.

    The services are told apart here, before anything is asked about them.
    """
    config = configuration.config
    if config is None or pull_request.state == "closed":
        return ServicesChanged()
    repository, head_sha = pull_request.base.repository, pull_request.head.sha
    # The list can be thirty pages long. It only changes with the head, with the base that GitHub compares it
    # to, or with the patterns it is matched against.
    key = (head_sha, pull_request.base.sha, configuration.sha)
    cached = context.memory.files.get(preview.name)
    if cached is None or cached[0] != key:
        listed = await client.files(repository, pull_request.number)
        cached = (key, await matched(config, changes.bounded(listed)))
        context.memory.files[preview.name] = cached
    limit = services_limit(context.settings, repository)
    kept = chosen.with_a_session(preview.status, head_sha)
    files, left_out = chosen.choose(config, cached[1].files, limit, kept)
    found = cached[1]
    room = max(0, limit - len(files))
    return ServicesChanged(files, left_out, found.shared, room, found.configuration)


async def matched(config: RepositoryConfig, files: ChangedFiles) -> changes.Changes:
    """Return what the files change, in turns with everything else."""
    matching = changes.Matching(config)
    for portion in changes.portions(files):
        matching.read(portion)
        # Whoever opens a pull request chooses its files: thousands of long paths at one go, and the Lease
        # would not be renewed in time.
        await asyncio.sleep(0)
    return matching.changes(files)


def read_content(content: bytes, bounds: Bounds, files: Files | None = None) -> ReadConfiguration:
    """Read a configuration file, and hold it to what the repository may have.

    `files` are what is known of those that it names.
    """
    try:
        config = parse(content, PATH, bounds.agents, files)
    except FilesWanted as wanted:
        return ReadConfiguration(wanted=wanted)
    except ConfigurationError as error:
        return ReadConfiguration(problems=told(error.problems))
    found = check_against(config, bounds)
    if not found:
        return ReadConfiguration(config)
    refused = any(entry_outside(bounds, front.entry) for front in config.front_ends.values())
    return ReadConfiguration(problems=told(found), not_allowed=True, entry_refused=refused)
