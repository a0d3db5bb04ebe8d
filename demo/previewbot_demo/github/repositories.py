"""What people do to repositories and branches, and the telling of it to the App."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from previewbot_demo.github import trees
from previewbot_demo.github.model import (
    Account,
    App,
    Commit,
    Installation,
    Person,
    PullRequest,
    Repository,
    Ruleset,
    State,
    account,
    put,
    without,
)
from previewbot_demo.github.shapes import Json, node_id
from previewbot_demo.github.shapes_run import RunShapes
from previewbot_demo.github.store import Store
from previewbot_demo.github.trees import Tree
from previewbot_demo.github.webhooks import Webhooks

Changes = Mapping[str, bytes | None]
"""File contents by path; None deletes."""


@dataclass
class Hooks:
    """What the world wants to be called for.

    `on_head(repository, number, head_sha, tree)`: a pull request was opened, reopened or pushed to: CI's cue.
    `on_branch(repository, branch, sha, tree)`: a branch of a repository itself moved, by a push or a merge.
    `on_approval(repository, number, head_sha, tree)`: somebody let the workflows of a head run.
    """

    on_head: Callable[[str, int, str, Tree], None] = lambda repository, number, sha, tree: None
    on_branch: Callable[[str, str, str, Tree], None] = lambda repository, branch, sha, tree: None
    on_approval: Callable[[str, int, str, Tree], None] = lambda repository, number, sha, tree: None


class Repositories:
    """Repositories, forks, branches, commits, installations. Methods are to be called in the running loop.

    `repository` is `owner/name`; where it may be left out, the first one is meant.
    """

    def __init__(self, store: Store, shapes: RunShapes, webhooks: Webhooks, app: App) -> None:
        self.store = store
        self.shapes = shapes
        self.webhooks = webhooks
        self.app = app
        self.hooks = Hooks()
        self.merge_seconds = 0.0

    def create_repository(
        self,
        full_name: str,
        files: Tree,
        *,
        repository_id: int | None = None,
        private: bool = True,
        installed: bool = True,
        collaborators: Mapping[str, str] | None = None,
    ) -> Repository:
        """Create a repository with one commit on `main`; `collaborators` has roles by login."""
        owner_name, _, name = full_name.partition("/")
        owner, now = self._owner(owner_name), self.store.now()
        first = self._commit(trees.apply({}, dict(files)), (), "First commit", owner)
        repository = Repository(
            id=repository_id or self.store.next_id(),
            owner=owner,
            name=name,
            private=private,
            created_at=now,
            pushed_at=now,
            branches={"main": first.sha},
            collaborators=dict(collaborators or {}),
            installed=installed,
        )
        self._put_repository(repository)
        if installed:
            self.install(owner_name)
        return repository

    def find(self, repository: str | None = None) -> Repository:
        """Return a repository; raises KeyError if there is none of this name."""
        state = self.store.state
        found = state.repository(repository) if repository else next(iter(state.repositories.values()), None)
        if found is None:
            raise KeyError(repository)
        return found

    def tree(self, ref: str, repository: str | None = None) -> Tree:
        """Return the files at a branch or a commit; raises KeyError."""
        sha = self.find(repository).branches.get(ref, ref)
        return self.store.state.commits[sha].tree

    def commit(
        self, branch: str, changes: Changes, message: str, author: Person, repository: str | None = None
    ) -> str:
        """Push a commit to a branch of the repository itself; return its SHA."""
        found = self.find(repository)
        tip = found.branches[branch]
        new = self._commit(trees.apply(self.tree(tip), changes), (tip,), message, account(author))
        self._move_branch(found.id, branch, new.sha)
        return new.sha

    def rename_repository(self, full_name: str, new_name: str) -> None:
        """Rename a repository; its old address leads to the new one from then on."""
        found = self.find(full_name)
        former = (*found.former_names, found.full_name.lower())
        self._put_repository(replace(found, name=new_name, former_names=former))
        changes = {"repository": {"name": {"from": found.name}}}
        self._tell_of_repository(
            self.find(f"{found.owner.login}/{new_name}"), "renamed", {"changes": changes}
        )

    def archive_repository(self, full_name: str, archived: bool = True) -> None:
        """Archive a repository, or end that."""
        self._put_repository(replace(self.find(full_name), archived=archived))
        self._tell_of_repository(self.find(full_name), "archived" if archived else "unarchived")

    def delete_repository(self, full_name: str) -> None:
        """Delete a repository, for example the fork behind a pull request."""
        state, found = self.store.state, self.find(full_name)
        self._tell_of_repository(found, "deleted")
        self.store.change(replace(state, repositories=without(state.repositories, found.id)))

    def set_collaborator(self, login: str, role: str, repository: str | None = None) -> None:
        """Give a role (`admin`, `maintain`, `write`, `triage`, `read`) to somebody, or `none`."""
        found = self.find(repository)
        self._put_repository(replace(found, collaborators=put(found.collaborators, login, role)))

    def protect_branch(self, branch: str, protected: bool = True, repository: str | None = None) -> None:
        """Protect a branch (the older kind of protection), or end that."""
        found = self.find(repository)
        others = found.protected - {branch}
        self._put_repository(replace(found, protected=others | {branch} if protected else others))

    def set_ruleset(
        self, pattern: str, *types: str, active: bool = True, repository: str | None = None
    ) -> None:
        """Have the branches that a pattern matches go by rules of these types; of none, by no rules again."""
        found = self.find(repository)
        others = tuple(ruleset for ruleset in found.rulesets if ruleset.pattern != pattern)
        new = (Ruleset(self.store.next_id(), pattern, types, active),) if types else ()
        self._put_repository(replace(found, rulesets=others + new))

    def branch_off(self, branch: str, repository: str | None = None) -> None:
        """Make a branch of the default branch's tip, as whoever may push can."""
        found = self.find(repository)
        tip = found.branches[found.default_branch]
        self._put_repository(replace(found, branches=put(found.branches, branch, tip)))

    def tag(self, name: str, sha: str, repository: str | None = None) -> None:
        """Give a commit a tag, as whoever may push can, whatever branch has that name."""
        found = self.find(repository)
        self._put_repository(replace(found, tags=put(found.tags, name, sha)))

    def install(self, owner: str) -> Installation:
        """Install the App in an account, if it is not yet."""
        state, owner_account = self.store.state, self._owner(owner)
        for installation in state.installations.values():
            if installation.account.id == owner_account.id:
                return installation
        new = Installation(self.store.next_id(), owner_account, self.store.now())
        self.store.change(replace(state, installations=put(state.installations, new.id, new)))
        return new

    def uninstall(self, installation_id: int) -> None:
        """Remove the App from an account: its tokens are worth nothing from then on."""
        state = self.store.state
        gone = state.installations[installation_id]
        self.store.change(replace(state, installations=without(state.installations, installation_id)))
        self._tell_of_installation(gone, "deleted")

    def suspend(self, installation_id: int, suspended: bool = True) -> None:
        """Suspend an installation, or end that."""
        state = self.store.state
        at = self.store.now() if suspended else None
        new = replace(state.installations[installation_id], suspended_at=at)
        self.store.change(replace(state, installations=put(state.installations, new.id, new)))
        self._tell_of_installation(new, "suspend" if suspended else "unsuspend")

    def know(self, person: Person) -> Account:
        """Remember an account, so that the API knows its login."""
        state, known = self.store.state, account(person)
        if state.users.get(known.login) != known:
            self.store.change(replace(state, users=put(state.users, known.login, known)))
        return known

    def _owner(self, login: str) -> Account:
        known = self.store.state.users.get(login)
        return known or self.know(Account(self.store.next_id(), login, "Organization"))

    def _put_repository(self, repository: Repository) -> None:
        state = self.store.state
        self.store.change(replace(state, repositories=put(state.repositories, repository.id, repository)))

    def _commit(self, tree: Tree, parents: tuple[str, ...], message: str, author: Account) -> Commit:
        """Store a commit; the counter makes a new test merge of the same two sides a new commit."""
        state, now = self.store.state, self.store.now()
        sha = trees.commit_sha(tree, parents, message, author.login, now, self.store.next_id())
        new = Commit(sha, tree, parents, message, self.know(author), now)
        self.store.change(replace(self.store.state, commits=put(state.commits, sha, new)))
        return new

    def _move_branch(self, repository_id: int, branch: str, sha: str) -> None:
        """Move a branch; open pull requests into it get a new test merge, as GitHub makes one when asked."""
        found = self.store.state.repositories[repository_id]
        branches = put(found.branches, branch, sha)
        self._put_repository(replace(found, branches=branches, pushed_at=self.store.now()))
        for pull in self.store.state.pulls_of(repository_id):
            if pull.state == "open" and pull.base_ref == branch:
                self._put_pull(self._with_test_merge(pull))
        self.hooks.on_branch(found.full_name, branch, sha, self.store.state.commits[sha].tree)

    def _with_test_merge(self, pull: PullRequest) -> PullRequest:
        """Return the pull request with a new test merge of head into base; under a conflict there is none."""
        if pull.conflict:
            return pull
        state = self.store.state
        base = state.repositories[pull.repository_id].branches[pull.base_ref]
        head = state.commits[pull.head_sha]
        changed = trees.changes(state.commits[pull.merge_base].tree, head.tree)
        merged = trees.apply(state.commits[base].tree, changed)
        words = f"Merge {pull.head_sha} into {base}"
        commit = self._commit(merged, (base, pull.head_sha), words, pull.author)
        known = self.store.now() + timedelta(seconds=self.merge_seconds)
        return replace(pull, merge_commit_sha=commit.sha, merge_known_at=known)

    def _put_pull(self, pull: PullRequest) -> None:
        self.store.change(self.store.state.with_pull(pull))

    def _tell_of_repository(self, repository: Repository, action: str, more: Json | None = None) -> None:
        self._emit(repository, "repository", repository.owner, {"action": action, **(more or {})})

    def _tell_of_installation(self, installation: Installation, action: str) -> None:
        """Tell the App of itself; GitHub sends this to every App, whatever it listens to."""
        sender = self.shapes.account(installation.account)
        payload = {"action": action, "installation": self.shapes.installation(installation), "sender": sender}
        self.webhooks.send("installation", payload)

    def _emit(self, repository: Repository, event: str, sender: Account, payload: Json) -> None:
        """Tell the App, if it covers the repository and listens to such events."""
        state = self.store.state
        installation = state.installation_of(repository)
        if installation is None or installation.suspended_at or event not in self.app.events:
            return
        whole = payload | {
            "repository": self.shapes.repository(state, repository),
            "sender": self.shapes.account(sender),
            "installation": {
                "id": installation.id,
                "node_id": node_id("IntegrationInstallation", installation.id),
            },
        }
        if repository.owner.type == "Organization":
            whole["organization"] = _organization(self.shapes, state, repository)
        self.webhooks.send(event, whole)


def _organization(shapes: RunShapes, state: State, repository: Repository) -> Json:
    url = f"{shapes.api}/orgs/{repository.owner.login}"
    names = ("repos", "events", "hooks", "issues")
    return {
        "login": repository.owner.login,
        "id": repository.owner.id,
        "node_id": node_id("Organization", repository.owner.id),
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in names},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{shapes.web}/-/avatars/{repository.owner.id}",
        "description": None,
    }
