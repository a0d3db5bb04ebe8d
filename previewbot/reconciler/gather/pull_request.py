"""The pull request itself, wherever its repository is by now; and whether it is there at all."""

from __future__ import annotations

from previewbot.api import Reason, Spec
from previewbot.api.github import PullRequest
from previewbot.clients.github import InstallationClient
from previewbot.errors import Forbidden, NotFound, RemoteError, Unauthorized
from previewbot.reconciler.context import Context
from previewbot.reconciler.store import PreviewStore


class Gone(Exception):
    """There is nothing to ask about any more, and nobody to tell; `reason` says what is gone.

    RepositoryGone: the repository or our installation, confirmed as the App. PullRequestGone: the pull
    request alone, in several looks.
    """

    def __init__(self, what: str, reason: Reason = Reason.REPOSITORY_GONE) -> None:
        self.reason = reason
        super().__init__(what)


class Suspended(Exception):
    """Our installation is suspended, confirmed as the App: nothing runs for it until that is lifted."""


async def read_pull_request(
    context: Context, store: PreviewStore, *, sparing: bool
) -> tuple[InstallationClient, PullRequest]:
    """Return the pull request, and the client of the installation that its repository belongs to now.

    Raises `Gone`, `Suspended`, or the RemoteError of what cannot be asked now.
    """
    name, unshown = store.preview.name, context.memory.unshown
    try:
        found = await _look(context, store, sparing=sparing)
    except _NotShown as error:
        # GitHub hides what a presumed spammer opened, and its staff may delete a pull request. One look may
        # be an outage of GitHub's, so several must agree.
        if unshown.is_for_good(name, context.now()) and not await _is_listed(context, store):
            raise Gone(name, Reason.PULL_REQUEST_GONE) from error
        raise error.error from None
    unshown.forget(name)
    return found


class _NotShown(Exception):
    """The repository is where it was, and GitHub does not show its pull request; `error` is what it said."""

    def __init__(self, error: RemoteError) -> None:
        self.error = error
        super().__init__(str(error))


async def _look(
    context: Context, store: PreviewStore, *, sparing: bool
) -> tuple[InstallationClient, PullRequest]:
    spec = store.preview.spec
    client = context.client_for(store.preview)
    client = client.sparing() if sparing else client
    try:
        pull_request = await client.pull_request(spec.repository, spec.number)
        _must_be(spec, pull_request)
    except Forbidden:
        # What else GitHub may forbid, a permission for example, is raised as it is.
        if await context.github.is_suspended(spec.installation_id):
            raise Suspended(spec.repository) from None
        raise
    # A deleted repository answers 404, and so does GitHub when we ask for a token of an installation that was
    # removed. Every other error (a 500, a rate limit) is raised as it is: an outage must not look like that.
    except (NotFound, Unauthorized) as error:
        client = await _found_again(context, store, error)
        pull_request = await client.pull_request(store.preview.spec.repository, spec.number)
        _must_be(spec, pull_request)
    if pull_request.base.repository != store.preview.spec.repository:
        await store.patch_spec(repository=pull_request.base.repository)
    return client, pull_request


def _must_be(spec: Spec, pull_request: PullRequest) -> None:
    """Raise NotFound if the repository's name belongs to another one by now."""
    if pull_request.base.repository_id != spec.repository_id:
        raise NotFound(f"repository {spec.repository_id}", status=404, message="its name was taken over")


async def _found_again(context: Context, store: PreviewStore, error: RemoteError) -> InstallationClient:
    """Find a repository by its number in what we may read; raises `Gone` if it is not there any more,
    confirmed as the App.

    It may have been renamed, its old name given to another, or been transferred to another installation.
    Raises `_NotShown` if the repository is where it was.
    """
    spec = store.preview.spec
    try:
        # Asked as the App, not as the installation: the repository may belong to another installation by now,
        # and ours may be gone. If it is the App's own key that GitHub refuses, this raises Unauthorized and
        # nothing is torn down.
        by_name = await context.github.installation_of(spec.repository)
    except NotFound:
        by_name = spec.installation_id
    for installation_id in dict.fromkeys((by_name, spec.installation_id)):
        client = context.client_for(store.preview, installation_id)
        try:
            covered = {repository.id: repository.full_name for repository in await client.repositories()}
        except (NotFound, Unauthorized):
            continue
        name = covered.get(spec.repository_id)
        if (installation_id, name) == (spec.installation_id, spec.repository):
            # So it is the pull request itself that GitHub does not show. A token that it refuses says nothing
            # of that.
            raise _NotShown(error) if isinstance(error, NotFound) else error
        if name is not None:
            await store.patch_spec(repository=name, installation_id=installation_id)
            return client
    # With a wrong App id all of these answer 404, of every repository. Nothing is torn down for a slip in the
    # settings.
    await context.github.confirm()
    raise Gone(spec.repository) from None


async def _is_listed(context: Context, store: PreviewStore) -> bool:
    """Return whether the repository lists the pull request as open: then it is there after all."""
    spec = store.preview.spec
    rows = await context.client_for(store.preview).open_pull_requests(spec.repository)
    return spec.number in {row.number for row in rows}
