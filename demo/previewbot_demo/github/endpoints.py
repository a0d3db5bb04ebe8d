"""What can be read and written: one method per endpoint, named after it.

Reference: https://docs.github.com/en/rest?apiVersion=2022-11-28
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote

from previewbot_demo.github import trees
from previewbot_demo.github.answers import (
    Answer,
    ApiError,
    Call,
    Listing,
    invalid,
    not_found,
    not_granted,
    since_of,
)
from previewbot_demo.github.auth import Doorkeeper
from previewbot_demo.github.checks import CheckEndpoints, latest
from previewbot_demo.github.deployments import DeploymentEndpoints
from previewbot_demo.github.model import Comment, PullRequest, Run, State
from previewbot_demo.github.model_issues import Issue
from previewbot_demo.github.reviews import Reviews
from previewbot_demo.github.shapes import iso, permissions_of
from previewbot_demo.github.shapes_pull import REACTIONS, changes_of
from previewbot_demo.github.users import UserEndpoints

_MOST_FILES = 3_000
_MOST_COMMITS = 250
_LONGEST_BODY = 65_536

_LEGACY = {"maintain": "write", "triage": "read"}


class Endpoints:
    """Answers calls whose sender may make them."""

    def __init__(self, github: Reviews, doorkeeper: Doorkeeper) -> None:
        self._github = github
        self._shapes = github.shapes
        self._doorkeeper = doorkeeper
        self.checks = CheckEndpoints(github)
        self.deployments = DeploymentEndpoints(github)
        self.users = UserEndpoints(github, doorkeeper.users)

    def authenticated_app(self, call: Call) -> Answer:
        """`GET /app`."""
        home = self._github.find()
        counted = {"installations_count": len(call.state.installations)}
        return Answer(self._shapes.app(self._github.app, home.created_at, home.owner) | counted)

    def hook_config(self, call: Call) -> Answer:
        """`GET /app/hook/config`: the App's webhook, its secret in asterisks."""
        return Answer(self._shapes.hook_config(self._github.webhooks.url))

    def hook_deliveries(self, call: Call) -> Listing:
        """`GET /app/hook/deliveries`, newest first: what was sent and answered, or not."""
        sent = [delivery for delivery in self._github.webhooks.deliveries if delivery.at is not None]
        return Listing([self._shapes.hook_delivery(delivery) for delivery in reversed(sent)])

    def user(self, call: Call) -> Answer:
        """`GET /users/{username}`, also for the App's bot account."""
        login, bot = unquote(call.args["username"]), self._github.app.bot
        user = bot if login == bot.login else call.state.users.get(login)
        if user is None:
            raise not_found()
        return Answer(self._shapes.public_user(user, self._github.find().created_at))

    def installations(self, call: Call) -> Listing:
        """`GET /app/installations`."""
        return Listing([self._shapes.installation(found) for found in call.state.installations.values()])

    def app_installation(self, call: Call) -> Answer:
        """`GET /app/installations/{installation_id}`."""
        installation = call.state.installations.get(int(call.args["installation_id"]))
        if installation is None:
            raise not_found()
        return Answer(self._shapes.installation(installation))

    def repository_installation(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/installation`."""
        installation = call.state.installation_of(call.repo)
        if installation is None:
            raise not_found()
        return Answer(self._shapes.installation(installation))

    def create_token(self, call: Call) -> Answer:
        """`POST /app/installations/{installation_id}/access_tokens`."""
        installation = self._github.store.state.installations.get(int(call.args["installation_id"]))
        if installation is None:
            raise not_found()
        token = self._doorkeeper.new_token(installation)
        body = {
            "token": token.value,
            "expires_at": iso(token.expires_at),
            "permissions": dict(self._github.app.permissions),
            "repository_selection": "selected",
        }
        return Answer(body, status=HTTPStatus.CREATED)

    def installation_repositories(self, call: Call) -> Listing:
        """`GET /installation/repositories`."""
        covered = [
            self._shapes.repository(call.state, repository)
            for repository in call.state.repositories.values()
            if call.state.installation_of(repository) == call.installation
        ]
        return Listing(covered, "repositories", {"repository_selection": "selected"})

    def pulls(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/pulls`, with `state`."""
        wanted = call.query.get("state", "open")
        pulls = [p for p in call.state.pulls_of(call.repo.id) if p.state == wanted]
        return Listing([self._shapes.pull(call.state, pull) for pull in pulls])

    def pull(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/pulls/{pull_number}`."""
        return Answer(self._shapes.full_pull(call.state, _pull(call), call.now))

    def files(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/pulls/{pull_number}/files`: 3,000 at most."""
        pull = _pull(call)
        changes = changes_of(call.state, pull)[:_MOST_FILES]
        return Listing([self._shapes.file(call.repo, pull.head_sha, change) for change in changes])

    def commits(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/pulls/{pull_number}/commits`: 250 at most."""
        commits = [call.state.commits[sha] for sha in _pull(call).commits[:_MOST_COMMITS]]
        return Listing([self._shapes.commit(call.repo, commit) for commit in commits])

    def branch(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/branches/{branch}`."""
        name = unquote(call.args["branch"])
        sha = call.repo.branches.get(name)
        if sha is None:
            raise ApiError(404, "Branch not found")
        return Answer(self._shapes.branch(call.repo, name, call.state.commits[sha]))

    def branch_rules(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/rules/branches/{branch}`: the active ones, also of a branch to come."""
        return Listing(self._shapes.branch_rules(call.repo, unquote(call.args["branch"])))

    def git_commit(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/git/commits/{commit_sha}`."""
        commit = call.state.commits.get(call.args["commit_sha"])
        if commit is None:
            raise not_found()
        return Answer(self._shapes.git_commit(call.repo, commit))

    def git_tree(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/git/trees/{tree_sha}` of a tree or a commit, with `recursive`."""
        sha = unquote(call.args["tree_sha"])
        commit = call.state.commits.get(sha)
        tree = commit.tree if commit else _tree_of(call.state, sha)
        if tree is None:
            raise not_found()
        return Answer(self._shapes.git_tree(call.repo, tree, whole="recursive" in call.query))

    def matching_refs(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/git/matching-refs/{ref}`: of branches, whose names begin so."""
        wanted = unquote(call.args["ref"])
        return Listing(
            [
                self._shapes.git_ref(call.repo, name, sha)
                for name, sha in sorted(call.repo.branches.items())
                if f"heads/{name}".startswith(wanted)
            ]
        )

    def git_blob(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/git/blobs/{file_sha}`."""
        sha = call.args["file_sha"]
        found = (trees.file_named(commit.tree, sha) for commit in call.state.commits.values())
        data = next((each for each in found if each is not None), None)
        if data is None:
            raise not_found()
        return Answer(self._shapes.git_blob(call.repo, data))

    def contents(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/contents/{path}`, with `ref`."""
        path = unquote(call.args["path"]).strip("/")
        ref = call.query.get("ref") or call.repo.default_branch
        sha = call.repo.commit_at(ref)
        if sha not in call.state.commits:
            raise ApiError(404, f"No commit found for the ref {ref}")
        tree = call.state.commits[sha].tree
        found = trees.followed(tree, path)
        if found is not None:
            return Answer(self._shapes.content(call.repo, ref, path, found))
        entries = self._shapes.directory(call.repo, ref, path, tree)
        if not entries:
            raise not_found()
        return Answer(entries)

    def check_runs(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/commits/{ref}/check-runs`, where `ref` is a SHA; with `check_name`,
        `app_id` and `filter`."""
        sha = call.args["ref"]
        if sha not in call.state.commits:
            raise invalid(f"No commit found for SHA: {sha}")
        runs = latest(_runs(call.state.checks.values(), call, sha), call.query, self._shapes.app_ids())
        return Listing([self._shapes.check_run(call.state, run) for run in runs], "check_runs")

    def workflow_runs(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/actions/runs`, with `head_sha` and `status`, a conclusion too."""
        runs = _runs(call.state.workflow_runs.values(), call, call.query.get("head_sha"))
        wanted = call.query.get("status")
        runs = [run for run in runs if wanted in (None, run.status, run.conclusion)]
        return Listing([self._shapes.workflow_run(call.state, run) for run in runs], "workflow_runs")

    def comments(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/issues/{issue_number}/comments`, with `since` (a time of updating)."""
        found = call.state.conversation(_thread(call, call.state))
        since = since_of(call.query.get("since"))
        return Listing(
            [self._shapes.comment(call.state, c) for c in found if since is None or c.updated_at >= since]
        )

    def repository_comments(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/issues/comments`, with `sort=updated` and `direction=desc`."""
        if (call.query.get("sort"), call.query.get("direction")) != ("updated", "desc"):
            raise invalid("the stand-in knows this order only")
        found = [c for c in call.state.comments.values() if c.repository_id == call.repo.id]
        ordered = sorted(found, key=lambda comment: (comment.updated_at, comment.id), reverse=True)
        return Listing([self._shapes.comment(call.state, comment) for comment in ordered])

    def comment(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/issues/comments/{comment_id}`."""
        return Answer(self._shapes.comment(call.state, _comment(call, call.state)))

    def create_comment(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/issues/{issue_number}/comments`."""
        thread, app = _thread(call, self._github.store.state), self._github.app
        # GitHub goes by what is commented on: `pull_requests: write` is none for an issue.
        if not isinstance(thread, PullRequest) and app.permissions.get("issues") != "write":
            raise not_granted("issues=write; pull_requests=write")
        new = self._github.write_comment(thread, call.person or app.bot, _body(call), app)
        return Answer(self._shapes.comment(self._github.store.state, new), status=HTTPStatus.CREATED)

    def update_comment(self, call: Call) -> Answer:
        """`PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}`."""
        old = _comment(call, self._github.store.state)
        new = self._github.edit_comment(old.id, _body(call), by=self._github.app.bot)
        return Answer(self._shapes.comment(self._github.store.state, new))

    def delete_comment(self, call: Call) -> Answer:
        """`DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`."""
        old = _comment(call, self._github.store.state)
        self._github.delete_comment(old.id, by=self._github.app.bot)
        return Answer(None, status=HTTPStatus.NO_CONTENT)

    def create_reaction(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions`: 200 if it is there already."""
        content = _reaction(call)
        comment = _comment(call, self._github.store.state)
        reaction, new = self._github.react(comment.id, self._github.app.bot, content)
        return Answer(self._shapes.reaction(reaction), status=HTTPStatus.CREATED if new else HTTPStatus.OK)

    def reviews(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews`, in the order of submitting."""
        pull = _pull(call)
        found = [r for r in call.state.reviews.values() if (r.repository_id, r.number) == pull.key]
        shown = sorted((r.submitted_at, r.id, r) for r in found if r.submitted_at is not None)
        return Listing([self._shapes.review(call.state, review) for _, _, review in shown])

    def review_comments(self, call: Call) -> Listing:
        """`GET /repos/{owner}/{repo}/pulls/{pull_number}/comments`, with `since` (a time of updating) and
        `sort=updated`, oldest first."""
        pull, since = _pull(call), since_of(call.query.get("since"))
        if (call.query.get("sort"), call.query.get("direction")) != ("updated", "asc"):
            raise invalid("the stand-in knows this order only")
        found = [c for c in call.state.line_comments.values() if (c.repository_id, c.number) == pull.key]
        submitted = {r.id for r in call.state.reviews.values() if r.submitted_at is not None}
        shown = [c for c in found if c.review_id in submitted and (since is None or c.updated_at >= since)]
        ordered = sorted(shown, key=lambda comment: (comment.updated_at, comment.id))
        return Listing([self._shapes.line_comment(call.state, comment) for comment in ordered])

    def create_line_reaction(self, call: Call) -> Answer:
        """`POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions`: 200 if it is there already."""
        content = _reaction(call)
        comment = self._github.store.state.line_comments.get(int(call.args["comment_id"]))
        if comment is None or comment.repository_id != call.repo.id:
            raise not_found()
        reaction, new = self._github.react_on_line(comment.id, self._github.app.bot, content)
        return Answer(self._shapes.reaction(reaction), status=HTTPStatus.CREATED if new else HTTPStatus.OK)

    def permission(self, call: Call) -> Answer:
        """`GET /repos/{owner}/{repo}/collaborators/{username}/permission`; bots are no users here."""
        login = unquote(call.args["username"])
        user = call.state.users.get(login)
        if user is None or user.type != "User":
            raise ApiError(404, f"{login} is not a user")
        role = call.repo.collaborators.get(login, "none" if call.repo.private else "read")
        body = {"permission": _LEGACY.get(role, role), "role_name": role}
        shape = self._shapes.account(user) | {"permissions": permissions_of(role), "role_name": role}
        return Answer(body | {"user": shape})


def _tree_of(state: State, sha: str) -> trees.Tree | None:
    """Return the folder with this name, of whichever commit; None if there is none."""
    found = (trees.folder_named(commit.tree, sha) for commit in reversed([*state.commits.values()]))
    return next((folder for folder in found if folder is not None), None)


def _pull(call: Call) -> PullRequest:
    pull = call.state.pulls.get(_key(call))
    if pull is None:
        raise not_found()
    return pull


def _thread(call: Call, state: State) -> PullRequest | Issue:
    thread = state.pulls.get(_key(call)) or state.issues.get(_key(call))
    if thread is None:
        raise not_found()
    return thread


def _key(call: Call) -> tuple[int, int]:
    """Return repository and number of the pull request that the path names, as such or as an issue."""
    number = call.args.get("pull_number") or call.args["issue_number"]
    return call.repo.id, int(number)


def _comment(call: Call, state: State) -> Comment:
    comment = state.comments.get(int(call.args["comment_id"]))
    if comment is None or comment.repository_id != call.repo.id:
        raise not_found()
    return comment


def _reaction(call: Call) -> str:
    content = call.body.get("content")
    if content not in REACTIONS:
        raise invalid("Validation Failed", {"resource": "Reaction", "code": "invalid", "field": "content"})
    return str(content)


def _runs(runs: Iterable[Run], call: Call, sha: str | None) -> list[Run]:
    """Return the repository's runs, newest first, of one commit if one is asked for."""
    found = (run for run in runs if run.repository_id == call.repo.id and sha in (None, run.sha))
    return sorted(found, key=lambda run: -run.id)


def _body(call: Call) -> str:
    body = call.body.get("body")
    if not isinstance(body, str) or not body.strip():
        raise invalid(
            "Validation Failed", {"resource": "IssueComment", "code": "missing_field", "field": "body"}
        )
    if len(body) > _LONGEST_BODY:
        message = "Body is too long (maximum is 65536 characters)"
        details = {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": message}
        raise invalid("Validation Failed", details)
    return body
