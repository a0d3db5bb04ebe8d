"""GitHub's JSON, complete by its published description, with what a test wants changed in it."""

from __future__ import annotations

import base64
from typing import Any

API = "https://api.github.com"
WEB = "https://github.com"
HEAD = "a1" * 20
BASE = "b2" * 20
MERGE = "c3" * 20
EARLIER = "2026-03-01T09:00:00Z"
LATER = "2026-03-01T10:30:00Z"


def _words(text: str) -> list[str]:
    return text.split()


_REPOSITORY_URLS = _words(
    "archive assignees blobs branches collaborators comments commits compare contents contributors "
    "deployments downloads events forks git_commits git_refs git_tags issue_comment issue_events issues keys "
    "labels languages merges milestones notifications pulls releases stargazers statuses subscribers "
    "subscription tags teams trees hooks git ssh clone svn"
)
_REPOSITORY_COUNTS = _words(
    "forks forks_count stargazers_count watchers watchers_count size open_issues open_issues_count"
)
_USER_URLS = _words(
    "avatar followers following gists starred subscriptions organizations repos events received_events"
)


def user(login: str = "octocat", id: int = 1, type: str = "User") -> dict[str, Any]:
    """Return an account."""
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": id,
        "node_id": f"U_{id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/{login}",
        "type": type,
        "site_admin": False,
        **{f"{name}_url": f"{url}/{name}" for name in _USER_URLS},
    }


def repository(full_name: str = "acme/shop", id: int = 77, **changes: Any) -> dict[str, Any]:
    """Return a repository."""
    owner, name = full_name.split("/")
    url = f"{API}/repos/{full_name}"
    return {
        "id": id,
        "node_id": f"R_{id}",
        "name": name,
        "full_name": full_name,
        "owner": user(owner, id=9, type="Organization"),
        "private": True,
        "html_url": f"{WEB}/{full_name}",
        "description": None,
        "fork": False,
        "url": url,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": "main",
        "has_pages": False,
        "disabled": False,
        "pushed_at": LATER,
        "created_at": EARLIER,
        "updated_at": LATER,
        **{f"{name}_url": f"{url}/{name}" for name in _REPOSITORY_URLS},
        **dict.fromkeys(_REPOSITORY_COUNTS, 0),
        **changes,
    }


def label(name: str) -> dict[str, Any]:
    """Return a label."""
    url = f"{API}/repos/acme/shop/labels/{name}"
    common = {"id": 5, "node_id": "L_5", "url": url, "color": "ededed", "default": False}
    return {**common, "name": name, "description": None, "archived_by": None}


def pull_request_row(number: int = 7, **changes: Any) -> dict[str, Any]:
    """Return a pull request as the listing shows it."""
    url = f"{API}/repos/acme/shop/pulls/{number}"
    names = ("issue", "commits", "review_comments", "review_comment", "comments", "statuses")
    links = ("self", "html", *names)
    return {
        "url": url,
        "id": 1000 + number,
        "node_id": f"PR_{number}",
        "html_url": f"{WEB}/acme/shop/pull/{number}",
        "diff_url": f"{WEB}/acme/shop/pull/{number}.diff",
        "patch_url": f"{WEB}/acme/shop/pull/{number}.patch",
        **{f"{name}_url": f"{url}/{name}" for name in names},
        "number": number,
        "state": "open",
        "locked": False,
        "title": "Cheaper shipping",
        "user": user("devin-ai-integration[bot]", id=158243242, type="Bot"),
        "body": "Does it.",
        "labels": [label("preview")],
        "assignee": None,
        "milestone": None,
        "created_at": EARLIER,
        "updated_at": LATER,
        "closed_at": None,
        "merged_at": None,
        "draft": False,
        "merge_commit_sha": MERGE,
        "head": branch("devin/shipping", HEAD),
        "base": branch("main", BASE),
        "_links": {name: {"href": f"{url}/{name}"} for name in links},
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        **changes,
    }


def branch(ref: str, sha: str, repo: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return one side of a pull request."""
    repo = repo or repository()
    return {"label": f"acme:{ref}", "ref": ref, "sha": sha, "user": user("acme", id=9), "repo": repo}


def pull_request(number: int = 7, **changes: Any) -> dict[str, Any]:
    """Return a pull request as it is shown alone."""
    counts = dict.fromkeys(("comments", "review_comments", "commits", "additions", "deletions"), 1)
    alone = {
        "merged": False,
        "mergeable": True,
        "mergeable_state": "clean",
        "merged_by": None,
        "maintainer_can_modify": False,
        "changed_files": 3,
        **counts,
    }
    return {**pull_request_row(number), **alone, **changes}


def comment(id: int = 501, body: str = "Hello", **changes: Any) -> dict[str, Any]:
    """Return a comment on a pull request."""
    return {
        "id": id,
        "node_id": f"IC_{id}",
        "url": f"{API}/repos/acme/shop/issues/comments/{id}",
        "html_url": f"{WEB}/acme/shop/pull/7#issuecomment-{id}",
        "issue_url": f"{API}/repos/acme/shop/issues/7",
        "user": user(),
        "body": body,
        "created_at": EARLIER,
        "updated_at": EARLIER,
        "author_association": "MEMBER",
        "performed_via_github_app": None,
        **changes,
    }


def changed_file(filename: str, status: str = "modified", **changes: Any) -> dict[str, Any]:
    """Return a changed file."""
    urls = {f"{name}_url": f"{WEB}/acme/shop/{name}/{filename}" for name in ("blob", "raw", "contents")}
    counts = dict.fromkeys(("additions", "deletions", "changes"), 1)
    return {"sha": "d4" * 20, "filename": filename, "status": status, **urls, **counts, **changes}


def commit(sha: str = HEAD, message: str = "Ship cheaper", **changes: Any) -> dict[str, Any]:
    """Return a commit of a pull request."""
    person = {"name": "Ada", "email": "ada@example.com", "date": EARLIER}
    url = f"{API}/repos/acme/shop/commits/{sha}"
    tree = {"sha": BASE, "url": url}
    git = {"url": url, "author": person, "committer": person, "message": message, "comment_count": 0}
    return {
        "url": url,
        "sha": sha,
        "node_id": "C_1",
        "html_url": f"{WEB}/acme/shop/commit/{sha}",
        "comments_url": f"{url}/comments",
        "commit": {**git, "tree": tree},
        "author": user(),
        "committer": user(),
        "parents": [],
        **changes,
    }


def content(text: bytes, path: str = ".github/preview.yaml", **changes: Any) -> dict[str, Any]:
    """Return a file's content."""
    url = f"{API}/repos/acme/shop/contents/{path}"
    urls = {name: url for name in ("url", "git_url", "html_url", "download_url")}
    return {
        "type": "file",
        "encoding": "base64",
        "size": len(text),
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "content": base64.encodebytes(text).decode(),
        "sha": "e5" * 20,
        "_links": {"self": url, "git": url, "html": url},
        **urls,
        **changes,
    }


def installation(id: int = 33, suspended_at: str | None = None) -> dict[str, Any]:
    """Return an installation of our App."""
    url = f"{API}/app/installations/{id}"
    return {
        "id": id,
        "account": user("acme", id=9),
        "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{API}/installation/repositories",
        "html_url": f"{WEB}/settings/installations/{id}",
        "app_id": 4242,
        "target_id": 9,
        "target_type": "Organization",
        "permissions": {"metadata": "read"},
        "events": ["pull_request"],
        "created_at": EARLIER,
        "updated_at": EARLIER,
        "single_file_name": None,
        "app_slug": "previewbot",
        "suspended_by": user() if suspended_at else None,
        "suspended_at": suspended_at,
    }


def permission(granted: str = "write", role: str | None = None) -> dict[str, Any]:
    """Return what somebody may do in a repository."""
    return {"permission": granted, "role_name": role or granted, "user": None}
