"""Accounts, repositories, installations, labels as GitHub writes them in JSON (API version 2022-11-28).

Field lists: https://github.com/github/rest-api-description; the contract tests hold these shapes to it.
"""

from __future__ import annotations

import base64
from datetime import datetime
from http import HTTPStatus
from typing import Any

from previewbot_demo.github.model import Account, App, Installation, Repository, State
from previewbot_demo.github.webhooks import Delivery

Json = dict[str, Any]

_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_TRUE = ("has_issues", "has_projects", "has_wiki", "has_downloads", "allow_forking")
_FALSE = (
    *("has_pages", "has_discussions", "disabled"),
    *("is_template", "web_commit_signoff_required"),
)
_ACCOUNT_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_PERMISSIONS = {
    "admin": ("admin", "maintain", "push", "triage", "pull"),
    "maintain": ("maintain", "push", "triage", "pull"),
    "write": ("push", "triage", "pull"),
    "triage": ("triage", "pull"),
    "read": ("pull",),
    "none": (),
}


def iso(moment: datetime | None) -> str | None:
    """Return a time as GitHub writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def node_id(kind: str, number: object) -> str:
    """Return a global node id (https://docs.github.com/en/graphql/guides/using-global-node-ids)."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def client_id_of(app: App) -> str:
    """Return the App's client ID, which is no secret."""
    return f"Iv23li{app.id:014d}"


def permissions_of(role: str) -> dict[str, bool]:
    """Return what a role allows."""
    return {name: name in _PERMISSIONS[role] for name in _PERMISSIONS["admin"]}


def _counts(state: State, repository: Repository) -> Json:
    open_issues = sum(pull.state == "open" for pull in state.pulls_of(repository.id))
    forks = sum(other.fork_of == repository.id for other in state.repositories.values())
    counts = {"forks": forks, "open_issues": open_issues, "watchers": 0}
    return {
        **counts,
        **{f"{name}_count": number for name, number in counts.items()},
        "stargazers_count": 0,
        "subscribers_count": 0,
        "network_count": forks,
        "size": 1,
    }


class Shapes:
    """Writes JSON for a GitHub whose pages are at `web_url`, its API below that in `/api/v3`."""

    def __init__(self, web_url: str, app: App) -> None:
        self.web = web_url.rstrip("/")
        self.api = f"{self.web}/api/v3"
        self._app = app

    def account(self, account: Account) -> Json:
        """Return a `simple-user`."""
        url = f"{self.api}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("User", account.id),
            "avatar_url": f"{self.web}/-/avatars/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web}/{account.login}",
            **{name: url + tail for name, tail in _ACCOUNT_URLS.items()},
            "type": account.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def repository(self, state: State, repository: Repository) -> Json:
        """Return a `repository`, which has all fields of a `full-repository` as well."""
        url, html = f"{self.api}/repos/{repository.full_name}", f"{self.web}/{repository.full_name}"
        return {
            "id": repository.id,
            "node_id": node_id("Repository", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "owner": self.account(repository.owner),
            "description": None,
            "fork": repository.fork_of is not None,
            "url": url,
            "html_url": html,
            **{name: url + tail for name, tail in _REPOSITORY_URLS.items()},
            "clone_url": f"{html}.git",
            "git_url": f"{html}.git".replace("http", "git", 1),
            "ssh_url": f"git@github:{repository.full_name}.git",
            "svn_url": html,
            **_counts(state, repository),
            "default_branch": repository.default_branch,
            "created_at": iso(repository.created_at),
            **dict.fromkeys(("updated_at", "pushed_at"), iso(repository.pushed_at)),
            "topics": [],
            "permissions": permissions_of("read"),
            **dict.fromkeys(("mirror_url", "homepage", "language", "license"), None),
            **dict.fromkeys(_TRUE, True),
            **dict.fromkeys(_FALSE, False),
            "archived": repository.archived,
        }

    def installation(self, installation: Installation) -> Json:
        """Return an `installation`."""
        account = installation.account
        return {
            "id": installation.id,
            "account": self.account(account),
            "repository_selection": "selected",
            "access_tokens_url": f"{self.api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.web}/organizations/{account.login}/settings/installations/{installation.id}",
            "app_id": self._app.id,
            "app_slug": self._app.slug,
            "client_id": client_id_of(self._app),
            "target_id": account.id,
            "target_type": account.type,
            "permissions": dict(self._app.permissions),
            "events": list(self._app.events),
            "created_at": iso(installation.created_at),
            "updated_at": iso(installation.created_at),
            "single_file_name": None,
            "has_multiple_single_files": False,
            "single_file_paths": [],
            "suspended_by": None,
            "suspended_at": iso(installation.suspended_at),
        }

    def app(self, app: App, created_at: datetime, owner: Account) -> Json:
        """Return an App, as `performed_via_github_app` has it (an `integration`)."""
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node_id("App", app.id),
            "client_id": client_id_of(app),
            "owner": self.account(owner),
            "name": app.slug,
            "description": "",
            "external_url": self.web,
            "html_url": f"{self.web}/apps/{app.slug}",
            "created_at": iso(created_at),
            "updated_at": iso(created_at),
            "permissions": dict(app.permissions),
            "events": list(app.events),
        }

    def hook_config(self, url: str) -> Json:
        """Return a `webhook-config`."""
        return {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}

    def hook_delivery(self, delivery: Delivery) -> Json:
        """Return a `hook-delivery-item`."""
        code = delivery.status or 0
        return {
            "id": delivery.number,
            "guid": delivery.id,
            "delivered_at": iso(delivery.at),
            "redelivery": delivery.again,
            "duration": delivery.seconds,
            "status": HTTPStatus(code).phrase if code else "failed to connect to host",
            "status_code": code,
            "event": delivery.event,
            "action": delivery.payload.get("action"),
            "installation_id": (delivery.payload.get("installation") or {}).get("id"),
            "repository_id": (delivery.payload.get("repository") or {}).get("id"),
            "throttled_at": None,
        }

    def public_user(self, account: Account, since: datetime) -> Json:
        """Return a `public-user`."""
        return {
            **self.account(account),
            "name": account.login,
            **dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio"), None),
            **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
            **dict.fromkeys(("created_at", "updated_at"), iso(since)),
        }

    def label(self, repository: Repository, name: str) -> Json:
        """Return a label."""
        number = sum(ord(letter) * (place + 1) for place, letter in enumerate(name))
        return {
            "id": number,
            "node_id": node_id("Label", number),
            "url": f"{self.api}/repos/{repository.full_name}/labels/{name}",
            "name": name,
            "color": "ededed",
            "default": False,
            "description": None,
            "archived_at": None,
            "archived_by": None,
        }
