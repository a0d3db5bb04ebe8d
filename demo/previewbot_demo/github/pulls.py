"""What people and agents do to pull requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from previewbot_demo.github import trees
from previewbot_demo.github.model import (
    Account,
    Commit,
    Happening,
    Person,
    PullRequest,
    Repository,
    account,
    put,
)
from previewbot_demo.github.repositories import Changes, Repositories
from previewbot_demo.github.shapes import Json
from previewbot_demo.github.trees import Tree


class PullRequests(Repositories):
    """Opening, pushing to, closing, merging, reopening, labelling and editing pull requests."""

    def open_pull_request(
        self,
        repository: str,
        author: Person,
        branch: str,
        changes: Changes,
        title: str,
        body: str = "",
        message: str = "",
        *,
        fork: str = "",
        draft: bool = False,
        base: str = "",
    ) -> int:
        """Make a branch with one commit and open a pull request of it; return its number.

        `fork` is the login of the fork's owner; it is made if it is not there. `base` is the default branch.
        """
        found, who = self.find(repository), self.know(account(author))
        base_ref = base or found.default_branch
        tip = found.branches[base_ref]
        home = self._fork(found, fork) if fork else found
        head = self._commit(trees.apply(self.tree(tip), changes), (tip,), message or title, who)
        self._set_branch(home, branch, head.sha)
        pull = self._new_pull(found, home, head, branch=branch, base_ref=base_ref)
        pull = replace(pull, title=title, body=body, draft=draft)
        self._put_pull(self._with_test_merge(pull))
        self._told(pull, "opened", who, "opened this pull request")
        self._head_moved(pull)
        return pull.number

    def _new_pull(
        self, found: Repository, home: Repository, head: Commit, *, branch: str, base_ref: str
    ) -> PullRequest:
        """Return a pull request of one commit, still without its words."""
        now, tip = self.store.now(), found.branches[base_ref]
        return PullRequest(
            id=self.store.next_id(),
            number=self.store.state.next_number(found.id),
            repository_id=found.id,
            author=head.author,
            head_repository_id=home.id,
            head_owner=home.owner,
            head_ref=branch,
            head_sha=head.sha,
            base_ref=base_ref,
            base_sha=tip,
            merge_base=tip,
            commits=(head.sha,),
            created_at=now,
            updated_at=now,
            merge_known_at=now,
        )

    def pull_request(self, number: int, repository: str | None = None) -> PullRequest:
        """Return a pull request; raises KeyError."""
        return self.store.state.pulls[self.find(repository).id, number]

    def head_tree(self, number: int, repository: str | None = None) -> Tree:
        """Return the files at a pull request's head."""
        return self.store.state.commits[self.pull_request(number, repository).head_sha].tree

    def push(
        self,
        number: int,
        changes: Changes,
        message: str,
        repository: str | None = None,
        author: Person | None = None,
    ) -> str:
        """Push a commit to a pull request's branch (as its author); return the new head SHA."""
        pull = self.pull_request(number, repository)
        who, before = self.know(account(author or pull.author)), pull.head_sha
        new = self._commit(trees.apply(self.head_tree(number, repository), changes), (before,), message, who)
        home = self.store.state.repositories[pull.head_repository_id]
        self._set_branch(home, pull.head_ref, new.sha)
        base = self.store.state.repositories[pull.repository_id].branches[pull.base_ref]
        moved = replace(pull, head_sha=new.sha, commits=(*pull.commits, new.sha), base_sha=base)
        self._put_pull(self._with_test_merge(replace(moved, updated_at=self.store.now())))
        self._told(
            moved, "synchronize", who, f"pushed {new.sha[:7]}: {message}", before=before, after=new.sha
        )
        self._head_moved(moved)
        return new.sha

    def close(self, number: int, repository: str | None = None, by: Person | None = None) -> None:
        """Close a pull request without merging it; nothing if it is closed."""
        pull = self.pull_request(number, repository)
        if pull.state == "open":
            who, now = self._who(pull, by), self.store.now()
            self._put_pull(replace(pull, closed_at=now, updated_at=now, ended_by=who))
            self._told(pull, "closed", who, "closed this pull request")

    def merge(self, number: int, repository: str | None = None, by: Person | None = None) -> None:
        """Merge a pull request: its base moves to the merge; raises ValueError under a conflict."""
        pull = self.pull_request(number, repository)
        if pull.state != "open":
            return
        if pull.conflict or pull.merge_commit_sha is None:
            raise ValueError("a pull request with a conflict cannot be merged")
        who, now = self._who(pull, by), self.store.now()
        self._put_pull(replace(pull, closed_at=now, merged_at=now, updated_at=now, ended_by=who))
        self._told(pull, "closed", who, f"merged this pull request into {pull.base_ref}")
        self._move_branch(pull.repository_id, pull.base_ref, pull.merge_commit_sha)

    def reopen(self, number: int, repository: str | None = None, by: Person | None = None) -> None:
        """Reopen a closed pull request; raises ValueError if it was merged."""
        pull = self.pull_request(number, repository)
        if pull.merged_at:
            raise ValueError("a merged pull request cannot be reopened")
        if pull.state == "closed":
            opened = replace(pull, closed_at=None, ended_by=None, updated_at=self.store.now())
            self._put_pull(self._with_test_merge(opened))
            self._told(pull, "reopened", self._who(pull, by), "reopened this pull request")
            self._head_moved(opened)

    def label(self, number: int, name: str, repository: str | None = None, by: Person | None = None) -> None:
        """Add a label."""
        pull = self.pull_request(number, repository)
        if name not in pull.labels:
            self._labels(pull, (*pull.labels, name), "labeled", name, by)

    def unlabel(
        self, number: int, name: str, repository: str | None = None, by: Person | None = None
    ) -> None:
        """Remove a label."""
        pull = self.pull_request(number, repository)
        if name in pull.labels:
            kept = tuple(label for label in pull.labels if label != name)
            self._labels(pull, kept, "unlabeled", name, by)

    def edit(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        repository: str | None = None,
        by: Person | None = None,
    ) -> None:
        """Change a pull request's title or text."""
        pull = self.pull_request(number, repository)
        changes = {
            name: {"from": old}
            for name, old, new in (("title", pull.title, title), ("body", pull.body, body))
            if new is not None
        }
        new_title, new_body = (
            title if title is not None else pull.title,
            body if body is not None else pull.body,
        )
        self._put_pull(replace(pull, title=new_title, body=new_body, updated_at=self.store.now()))
        self._told(pull, "edited", self._who(pull, by), "edited this pull request", changes=changes)

    def set_draft(self, number: int, draft: bool, repository: str | None = None) -> None:
        """Make a pull request a draft, or ready for review."""
        pull = self.pull_request(number, repository)
        if pull.draft != draft:
            self._put_pull(replace(pull, draft=draft, updated_at=self.store.now()))
            action = "converted_to_draft" if draft else "ready_for_review"
            words = "made this a draft" if draft else "marked this as ready for review"
            self._told(pull, action, pull.author, words)

    def set_conflict(self, number: int, conflict: bool, repository: str | None = None) -> None:
        """Make a pull request conflict with its base, or not. GitHub sends no event for this."""
        pull = replace(self.pull_request(number, repository), conflict=conflict)
        self._put_pull(self._with_test_merge(pull))

    def _labels(
        self, pull: PullRequest, labels: tuple[str, ...], action: str, name: str, by: Person | None
    ) -> None:
        self._put_pull(replace(pull, labels=labels, updated_at=self.store.now()))
        shape = self.shapes.label(self.store.state.repositories[pull.repository_id], name)
        words = f"{'added' if action == 'labeled' else 'removed'} the label {name}"
        self._told(pull, action, self._who(pull, by), words, label=shape)

    def _fork(self, origin: Repository, owner: str) -> Repository:
        full_name = f"{owner}/{origin.name}"
        found = self.store.state.repository(full_name)
        if found is not None:
            return found
        person = self.store.state.users.get(owner) or self.know(Account(self.store.next_id(), owner))
        fork = replace(
            origin,
            id=self.store.next_id(),
            owner=person,
            fork_of=origin.id,
            installed=False,
            collaborators={},
        )
        self._put_repository(fork)
        return fork

    def _set_branch(self, repository: Repository, branch: str, sha: str) -> None:
        found = self.store.state.repositories[repository.id]
        self._put_repository(replace(found, branches=put(found.branches, branch, sha)))

    def _head_moved(self, pull: PullRequest) -> None:
        repository = self.store.state.repositories[pull.repository_id]
        tree = self.store.state.commits[pull.head_sha].tree
        self.hooks.on_head(repository.full_name, pull.number, pull.head_sha, tree)

    def waits_for_approval(self, number: int, repository: str | None = None) -> bool:
        """Return whether workflows of the head wait for somebody to approve them."""
        pull = self.pull_request(number, repository)
        runs = self.store.state.workflow_runs.values()
        return any(run.sha == pull.head_sha and run.conclusion == "action_required" for run in runs)

    def approve_workflows(self, number: int, repository: str | None = None) -> None:
        """Let the workflows of the head run that wait for it, as the button on a pull request's page does."""
        pull = self.pull_request(number, repository)
        home = self.store.state.repositories[pull.repository_id]
        if self.waits_for_approval(number, repository):
            tree = self.store.state.commits[pull.head_sha].tree
            self.hooks.on_approval(home.full_name, number, pull.head_sha, tree)

    def _who(self, pull: PullRequest, by: Person | None) -> Account:
        return self.know(account(by or pull.author))

    def _told(self, pull: PullRequest, action: str, who: Account, words: str, **more: Any) -> None:
        """Note it in the timeline and send the event; the payload shows the pull request as it is now."""
        state, now = self.store.state, self.store.now()
        happening = Happening(self.store.next_id(), pull.repository_id, pull.number, who, words, now)
        self.store.change(replace(state, happenings=(*state.happenings, happening)))
        shape = self.shapes.full_pull(self.store.state, self.store.state.pulls[pull.key], now)
        payload: Json = {"action": action, "number": pull.number, "pull_request": shape, **more}
        self._emit(state.repositories[pull.repository_id], "pull_request", who, payload)
