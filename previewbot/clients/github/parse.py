"""What is `kept` of GitHub's JSON as values of `previewbot.api.github`.

What is not of GitHub's shape raises RemoteError.

Field names and which may be null: https://docs.github.com/en/rest (version 2022-11-28).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from previewbot.api.github import (
    Account,
    AppFacts,
    Branch,
    ChangedFile,
    Commit,
    Delivery,
    FileContent,
    Hook,
    Installation,
    OpenPullRequest,
    PullRequest,
    Repository,
)
from previewbot.clients.github.fields import (
    flag,
    full_name,
    has,
    items,
    moment,
    moment_or_none,
    number,
    number_or_zero,
    sha,
    text,
    text_or_empty,
)
from previewbot.clients.github.kept import of_submodule
from previewbot.errors import Invalid, RemoteError
from previewbot.rules.app_rights import PERMISSIONS

GHOST = Account(id=10137, login="ghost")
"""Whom GitHub shows in place of a deleted account (https://github.com/ghost)."""

_ROLES = {"admin": "admin", "write": "write", "maintain": "write", "read": "read", "triage": "read"}


def listing(answer: Any, key: str | None) -> list[Any]:
    """Return the items of one page: the answer itself, or what it holds under `key`."""
    return items(answer, key or "")


@dataclass(frozen=True)
class Token:
    """An installation access token and the moment it ends; its value never shows in a log."""

    value: str = field(repr=False)
    expires_at: datetime


def token_from(obj: Any) -> Token:
    """Read an installation access token."""
    return Token(text(obj, "token"), moment(obj, "expires_at"))


def app_from(obj: Any) -> AppFacts:
    """Read an App: its name as addresses have it, what it asks for and what it wants to hear."""
    return AppFacts(text(obj, "slug"), _permissions(obj), _events(obj), text_or_empty(obj, "client_id"))


def hook_from(obj: Any) -> Hook:
    """Read how the App's webhook is set; GitHub may leave out each part
    (https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app)."""
    return Hook(*(text_or_empty(obj, key) for key in ("url", "content_type")))


def delivery_from(obj: Any) -> Delivery:
    """Read a row of the App's deliveries."""
    return Delivery(
        delivered_at=moment(obj, "delivered_at"),
        event=text(obj, "event"),
        status=text(obj, "status"),
        status_code=number(obj, "status_code"),
        installation_id=number_or_zero(obj, "installation_id"),
    )


def account_from(obj: Any) -> Account:
    """Read an account that was asked for by its login."""
    return Account(id=number(obj, "id"), login=text(obj, "login"), type=text(obj, "type"))


def installation_from(obj: Any) -> Installation:
    """Read an installation of the App."""
    return Installation(
        id=number(obj, "id"),
        suspended=has(obj, "suspended_at"),
        account=text_or_empty(obj, "account.login"),
        permissions=_permissions(obj),
        events=_events(obj),
        url=text_or_empty(obj, "html_url"),
    )


def repository_from(obj: Any) -> Repository:
    """Read a repository."""
    return Repository(
        id=number(obj, "id"),
        full_name=full_name(obj, "full_name"),
        default_branch=text(obj, "default_branch"),
        node_id=text_or_empty(obj, "node_id"),
        archived=has(obj, "archived") and flag(obj, "archived"),
        private=_private({"it": obj}, "it") if has(obj, "private") else None,
    )


def pull_request_from(obj: Any) -> PullRequest:
    """Read a pull request; an unknown state counts as closed, so that nothing is started for it."""
    state: Literal["open", "closed"] = "open" if text(obj, "state") == "open" else "closed"
    return PullRequest(
        number=number(obj, "number"),
        state=state,
        merged=flag(obj, "merged"),
        title=text(obj, "title"),
        body=text_or_empty(obj, "body"),
        draft=flag(obj, "draft") if has(obj, "draft") else False,
        author=account_or_ghost(obj, "user"),
        head=_branch(obj, "head"),
        base=_branch(obj, "base"),
        default_branch=text(obj, "base.repo.default_branch"),
        labels=tuple(text(label, "name") for label in items(obj, "labels")),
        private=_private(obj, "base.repo"),
        updated_at=moment(obj, "updated_at"),
        closed_at=moment_or_none(obj, "closed_at"),
        mergeable=flag(obj, "mergeable") if has(obj, "mergeable") else None,
        merge_commit_sha=sha(obj, "merge_commit_sha") if has(obj, "merge_commit_sha") else None,
        changed_files=number(obj, "changed_files"),
        html_url=text(obj, "html_url"),
        archived=has(obj, "base.repo.archived") and flag(obj, "base.repo.archived"),
        node_id=text_or_empty(obj, "node_id"),
        assignees=_assignees(obj),
    )


def _assignees(obj: Any) -> tuple[int, ...]:
    listed = items(obj, "assignees") if has(obj, "assignees") else ()
    return tuple(number(each, "id") for each in listed)


def open_pull_request_from(obj: Any) -> OpenPullRequest:
    """Read a row of the listing of open pull requests."""
    head = _branch(obj, "head")
    return OpenPullRequest(
        number=number(obj, "number"),
        head_sha=head.sha,
        updated_at=moment(obj, "updated_at"),
        node_id=text_or_empty(obj, "node_id"),
        author=account_or_ghost(obj, "user"),
        draft=flag(obj, "draft") if has(obj, "draft") else False,
        head_ref=head.ref,
        head_repository_id=head.repository_id,
        base_ref=text(obj, "base.ref"),
    )


def changed_file_from(obj: Any) -> ChangedFile:
    """Read a changed file; only a rename changes the previous path too (a copy leaves it as it was)."""
    renamed = has(obj, "previous_filename") and text(obj, "status") == "renamed"
    previous = text(obj, "previous_filename") if renamed else None
    submodule = bool(of_submodule(text_or_empty(obj, "patch")))
    return ChangedFile(path=text(obj, "filename"), previous_path=previous, submodule=submodule)


def commit_from(obj: Any) -> Commit:
    """Read a commit; `author` is None where no account belongs to the e-mail address."""
    return Commit(
        sha=sha(obj, "sha"),
        message=text(obj, "commit.message"),
        author_name=text_or_empty(obj, "commit.author.name"),
        author_email=text_or_empty(obj, "commit.author.email"),
        author=account_or_ghost(obj, "author") if has(obj, "author") else None,
    )


def file_content_from(obj: Any) -> FileContent | None:
    """Read a file; None for a folder, a link to elsewhere or a submodule; raises Invalid for one over 1 MB.

    GitHub sends larger ones with the encoding `none` and no content
    (https://docs.github.com/en/rest/repos/contents#get-repository-content).
    """
    # For a folder GitHub answers with a list, and for a link or a submodule with another type.
    if isinstance(obj, list) or text(obj, "type") != "file":
        return None
    if text(obj, "encoding") != "base64":
        raise Invalid(text(obj, "path"), message="the file is too large to be read (over 1 MB)")
    try:
        content = base64.b64decode(text(obj, "content"))
    except (binascii.Error, ValueError) as error:
        raise RemoteError("GitHub's answer", message="`content` is not base64") from error
    return FileContent(sha=text(obj, "sha"), content=content)


def protection_from(obj: Any, branch: str) -> bool:
    """Read whether this branch is protected."""
    # The address of a branch that was renamed leads to the one that it is now: that one's protection says
    # nothing of this name, which anybody could take anew.
    return flag(obj, "protected") and text(obj, "name") == branch


def rule_type_from(obj: Any) -> str:
    """Read the type of a rule for branches."""
    return text(obj, "type")


def parents_from(obj: Any) -> tuple[str, ...]:
    """Read the parents of a commit, as Git's own API has it."""
    return tuple(sha(parent, "sha") for parent in listing(obj, "parents"))


def permission_from(obj: Any, account: int = 0) -> str:
    """Read a permission: `admin`, `write` (`maintain` too), `read` (`triage` too) or `none`.

    With the id of an `account` it is `none` where the answer is about another.
    """
    # Who changes their login leaves the old one to whoever takes it.
    if account and has(obj, "user.id") and number(obj, "user.id") != account:
        return "none"
    # A name that GitHub may add one day grants nothing here.
    return _ROLES.get(text(obj, "permission"), "none")


def _permissions(obj: Any) -> dict[str, str]:
    paths = {name: f"permissions.{name}" for name in PERMISSIONS}
    return {name: text(obj, path) for name, path in paths.items() if has(obj, path)}


def _events(obj: Any) -> tuple[str, ...]:
    return tuple(text(item, "") for item in items(obj, "events")) if has(obj, "events") else ()


def account_or_ghost(obj: Any, path: str) -> Account:
    """Read whose something is; GitHub shows nobody in place of a deleted account."""
    if not has(obj, path):
        return GHOST
    kind = text(obj, f"{path}.type") if has(obj, f"{path}.type") else "User"
    return Account(id=number(obj, f"{path}.id"), login=text(obj, f"{path}.login"), type=kind)


def _private(obj: Any, path: str) -> bool:
    """Return whether not everybody may read a repository; what is not known counts as private."""
    # GitHub's description allows to leave both out. `visibility` is "internal" where all of an enterprise may
    # read, which is not everybody; what else it may be one day, nobody knows.
    if not has(obj, f"{path}.private") or flag(obj, f"{path}.private"):
        return True
    return has(obj, f"{path}.visibility") and text(obj, f"{path}.visibility") != "public"


def _branch(obj: Any, path: str) -> Branch:
    # The fork that a pull request came from may be deleted. Then `repo` is null, and the pull request goes
    # on.
    known = has(obj, f"{path}.repo")
    return Branch(
        ref=text(obj, f"{path}.ref"),
        sha=sha(obj, f"{path}.sha"),
        repository_id=number(obj, f"{path}.repo.id") if known else None,
        repository=full_name(obj, f"{path}.repo.full_name") if known else "",
    )
