"""Pull requests, files, commits, comments, runs as GitHub writes them in JSON (API version 2022-11-28)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from urllib.parse import quote

from previewbot_demo.github import trees
from previewbot_demo.github.model import Comment, Commit, PullRequest, Reaction, Repository, Run, State
from previewbot_demo.github.shapes import Json, Shapes, iso, node_id

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")

_TIMES = ("created_at", "updated_at", "closed_at", "merged_at")
_SHARED_WITH_ISSUE = (
    *("id", "node_id", "number", "title", "user", "labels", "state", "locked", "assignee", "assignees"),
    *("milestone", "created_at", "updated_at", "closed_at", "author_association", "body", "draft"),
    *("html_url", "active_lock_reason"),
)
_PULL_REQUEST_RULE = {
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_approving_review_count": 0,
    "required_review_thread_resolution": False,
}
_MEMBERS = frozenset({"admin", "maintain", "write"})


def association(repository: Repository, login: str) -> str:
    """Return how an author is related to a repository."""
    if login == repository.owner.login:
        return "OWNER"
    return "MEMBER" if repository.collaborators.get(login) in _MEMBERS else "NONE"


def changes_of(state: State, pull: PullRequest) -> list[trees.FileChange]:
    """Return a pull request's changed files: its head against where it left the base."""
    return trees.compare(state.commits[pull.merge_base].tree, state.commits[pull.head_sha].tree)


class PullShapes(Shapes):
    """Writes what belongs to pull requests."""

    def pull(self, state: State, pull: PullRequest) -> Json:
        """Return a `pull-request-simple`, a row of a listing."""
        repository = state.repositories[pull.repository_id]
        links = self._links(repository, pull)
        html = links["html"]
        return {
            "url": links["self"],
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            **{f"{name}_url": links[name] for name in links if name != "self"},
            "number": pull.number,
            "state": pull.state,
            "locked": False,
            "title": pull.title,
            "user": self.account(pull.author),
            "body": pull.body or None,
            "labels": [self.label(repository, name) for name in pull.labels],
            **{name: iso(getattr(pull, name)) for name in _TIMES},
            "merge_commit_sha": pull.merge_commit_sha,
            "draft": pull.draft,
            "head": self._head(state, pull),
            "base": self._base(state, pull),
            "_links": {name: {"href": link} for name, link in links.items()},
            "author_association": association(repository, pull.author.login),
            **dict.fromkeys(("milestone", "assignee", "auto_merge", "active_lock_reason"), None),
            **{name: [] for name in ("assignees", "requested_reviewers", "requested_teams")},
        }

    def full_pull(self, state: State, pull: PullRequest, now: datetime) -> Json:
        """Return a `pull-request`; `mergeable` is null until GitHub has worked it out."""
        files = changes_of(state, pull)
        known = now >= pull.merge_known_at and pull.state == "open"
        mergeable = not pull.conflict if known else None
        return self.pull(state, pull) | {
            "merged": pull.merged_at is not None,
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": ("dirty" if pull.conflict else "clean") if known else "unknown",
            "merged_by": self.account(pull.ended_by) if pull.merged_at and pull.ended_by else None,
            "comments": len(state.conversation(pull)),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": len(pull.commits),
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
        }

    def issue(self, state: State, pull: PullRequest) -> Json:
        """Return the issue that a pull request is as well, as `issue_comment` events have it."""
        repository = state.repositories[pull.repository_id]
        whole = self.pull(state, pull)
        url = whole["issue_url"]
        return {
            "url": url,
            "repository_url": f"{self.api}/repos/{repository.full_name}",
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            **{name: whole[name] for name in _SHARED_WITH_ISSUE},
            "comments": len(state.conversation(pull)),
            "reactions": self.rollup((), url),
            "timeline_url": f"{url}/timeline",
            "performed_via_github_app": None,
            "state_reason": None,
            "pull_request": {
                name: whole[name] for name in ("url", "html_url", "diff_url", "patch_url", "merged_at")
            },
        }

    def _links(self, repository: Repository, pull: PullRequest) -> dict[str, str]:
        api = f"{self.api}/repos/{repository.full_name}"
        url, issue = f"{api}/pulls/{pull.number}", f"{api}/issues/{pull.number}"
        return {
            "self": url,
            "html": f"{self.web}/{repository.full_name}/pull/{pull.number}",
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{pull.head_sha}",
        }

    def _head(self, state: State, pull: PullRequest) -> Json:
        repository = state.repositories.get(pull.head_repository_id)
        return {
            "label": f"{pull.head_owner.login}:{pull.head_ref}",
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "user": self.account(pull.head_owner),
            "repo": self.repository(state, repository) if repository else None,
        }

    def _base(self, state: State, pull: PullRequest) -> Json:
        repository = state.repositories[pull.repository_id]
        return {
            "label": f"{repository.owner.login}:{pull.base_ref}",
            "ref": pull.base_ref,
            "sha": pull.base_sha,
            "user": self.account(repository.owner),
            "repo": self.repository(state, repository),
        }

    def file(self, repository: Repository, sha: str, change: trees.FileChange) -> Json:
        """Return a `diff-entry`."""
        html, api = f"{self.web}/{repository.full_name}", f"{self.api}/repos/{repository.full_name}"
        shape: Json = {
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": f"{html}/blob/{sha}/{change.path}",
            "raw_url": f"{html}/raw/{sha}/{change.path}",
            "contents_url": f"{api}/contents/{change.path}?ref={sha}",
        }
        if change.patch:
            shape["patch"] = change.patch
        if change.previous:
            shape["previous_filename"] = change.previous
        return shape

    def commit(self, repository: Repository, commit: Commit) -> Json:
        """Return a `commit`."""
        api, html = f"{self.api}/repos/{repository.full_name}", f"{self.web}/{repository.full_name}"
        address = f"{commit.author.id}+{commit.author.login}@users.noreply.github.com"
        person = {"name": commit.author.login, "email": address, "date": iso(commit.at)}
        tree = trees.tree_sha(commit.tree)
        parents = [
            {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{html}/commit/{sha}"}
            for sha in commit.parents
        ]
        return {
            "sha": commit.sha,
            "node_id": node_id("Commit", commit.sha),
            "url": f"{api}/commits/{commit.sha}",
            "html_url": f"{html}/commit/{commit.sha}",
            "comments_url": f"{api}/commits/{commit.sha}/comments",
            "commit": {
                "author": person,
                "committer": person,
                "message": commit.message,
                "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
                "url": f"{api}/git/commits/{commit.sha}",
                "comment_count": 0,
                "verification": {"verified": False, "reason": "unsigned"}
                | dict.fromkeys(("signature", "payload", "verified_at"), None),
            },
            "author": self.account(commit.author),
            "committer": self.account(commit.author),
            "parents": parents,
        }

    def git_ref(self, repository: Repository, branch: str, sha: str) -> Json:
        """Return a `git-ref` of a branch."""
        api = f"{self.api}/repos/{repository.full_name}/git"
        return {
            "ref": f"refs/heads/{branch}",
            "node_id": f"REF_{branch}",
            "url": f"{api}/refs/heads/{quote(branch)}",
            "object": {"type": "commit", "sha": sha, "url": f"{api}/commits/{sha}"},
        }

    def branch(self, repository: Repository, name: str, tip: Commit) -> Json:
        """Return a `branch-with-protection`; a branch that rules cover is called protected as well."""
        path = quote(name)
        url = f"{self.api}/repos/{repository.full_name}/branches/{path}"
        classic = name in repository.protected
        checks = {"enforcement_level": "off", "contexts": [], "checks": []}
        return {
            "name": name,
            "commit": self.commit(repository, tip),
            "_links": {"self": url, "html": f"{self.web}/{repository.full_name}/tree/{path}"},
            "protected": classic or any(ruleset.covers(name) for ruleset in repository.rulesets),
            "protection": {"enabled": classic, "required_status_checks": checks},
            "protection_url": f"{url}/protection",
        }

    def branch_rules(self, repository: Repository, name: str) -> list[Json]:
        """Return the `repository-rule-detailed` of each active rule for branches of a name."""
        return [
            {
                "type": kind,
                "ruleset_source_type": "Repository",
                "ruleset_source": repository.full_name,
                "ruleset_id": ruleset.id,
                **({"parameters": _PULL_REQUEST_RULE} if kind == "pull_request" else {}),
            }
            for ruleset in repository.rulesets
            if ruleset.covers(name)
            for kind in ruleset.types
        ]

    def git_commit(self, repository: Repository, commit: Commit) -> Json:
        """Return a `git-commit`."""
        whole = self.commit(repository, commit)
        kept = {name: whole[name] for name in ("sha", "node_id", "html_url", "parents")}
        return kept | {k: v for k, v in whole["commit"].items() if k != "comment_count"}

    def comment(self, state: State, comment: Comment) -> Json:
        """Return an `issue-comment`."""
        repository = state.repositories[comment.repository_id]
        api = f"{self.api}/repos/{repository.full_name}"
        url = f"{api}/issues/comments/{comment.id}"
        via = comment.via
        app = self.app(via, repository.created_at, repository.owner) if via is not None else None
        return {
            "url": url,
            "html_url": f"{self.web}/{repository.full_name}/pull/{comment.number}#issuecomment-{comment.id}",
            "issue_url": f"{api}/issues/{comment.number}",
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "user": self.account(comment.author),
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "author_association": association(repository, comment.author.login),
            "body": comment.body,
            "reactions": self.rollup(comment.reactions, url),
            "performed_via_github_app": app,
        }

    def rollup(self, reactions: tuple[Reaction, ...], url: str) -> Json:
        """Return how often each reaction was given."""
        counts = Counter(reaction.content for reaction in reactions)
        numbers = {name: counts[name] for name in REACTIONS}
        return {"url": f"{url}/reactions", "total_count": len(reactions), **numbers}

    def reaction(self, reaction: Reaction) -> Json:
        """Return a `reaction`."""
        return {
            "id": reaction.id,
            "node_id": node_id("Reaction", reaction.id),
            "user": self.account(reaction.author),
            "content": reaction.content,
            "created_at": iso(reaction.at),
        }

    def pull_reference(self, state: State, pull: PullRequest) -> Json:
        """Return a `pull-request-minimal`, as runs name their pull requests."""
        repository = state.repositories[pull.repository_id]
        url = f"{self.api}/repos/{repository.full_name}"
        short = {"id": repository.id, "url": url, "name": repository.name}
        return {
            "id": pull.id,
            "number": pull.number,
            "url": f"{url}/pulls/{pull.number}",
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": short},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": short},
        }

    def pulls_of_run(self, state: State, run: Run) -> list[Json]:
        """Return the open pull requests whose head a run is about; those from forks are not named."""
        return [
            self.pull_reference(state, pull)
            for pull in state.pulls_of(run.repository_id)
            if pull.head_sha == run.sha
            and pull.head_repository_id == run.repository_id
            and pull.state == "open"
        ]
