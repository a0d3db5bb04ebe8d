"""Comments and reactions, of people and of the App; and what CI says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from previewbot_demo.github.issues import Issues
from previewbot_demo.github.model import (
    Account,
    App,
    Comment,
    Edit,
    Person,
    PullRequest,
    Reaction,
    Repository,
    Run,
    State,
    account,
    put,
    without,
)
from previewbot_demo.github.model_issues import Issue
from previewbot_demo.github.shapes import Json
from previewbot_demo.github.shapes_run import ACTIONS


class Conversations(Issues):
    """Comments on pull requests, reactions, check runs and workflow runs."""

    def comment(
        self, number: int, author: Person, body: str, repository: str | None = None, via: App | None = None
    ) -> int:
        """Write a comment as a person, or as an App does with that person's token; return its id."""
        pull = self.pull_request(number, repository)
        return self.write_comment(pull, self.know(account(author)), body, via).id

    def write_comment(
        self, thread: PullRequest | Issue, author: Account, body: str, via: App | None
    ) -> Comment:
        """Write a comment; the pull request or the issue counts as updated."""
        now = self.store.now()
        new = Comment(self.store.next_id(), thread.repository_id, thread.number, author, body, now, now, via)
        self._put_comment(new)
        self._comment_event("created", new, author)
        return new

    def edit_comment(self, comment_id: int, body: str, by: Person | None = None) -> Comment:
        """Replace a comment's text (as its author); raises KeyError."""
        old = self.store.state.comments[comment_id]
        now, editor = self.store.now(), account(by or old.author)
        new = replace(old, body=body, updated_at=now, edits=(*old.edits, Edit(editor, now)))
        self._put_comment(new)
        self._comment_event("edited", new, editor, changes={"body": {"from": old.body}})
        return new

    def delete_comment(self, comment_id: int, by: Person | None = None) -> None:
        """Delete a comment (as its author); raises KeyError."""
        old, state = self.store.state.comments[comment_id], self.store.state
        self.store.change(replace(state, comments=without(state.comments, comment_id)))
        self._touch(old)
        self._comment_event("deleted", old, account(by or old.author))

    def comments(self, number: int, repository: str | None = None) -> list[Comment]:
        """Return the comments of a pull request, oldest first."""
        return self.store.state.conversation(self.pull_request(number, repository))

    def comments_on_issue(self, number: int, repository: str | None = None) -> list[Comment]:
        """Return the comments of an issue, oldest first; raises KeyError."""
        return self.store.state.conversation(self.issue(number, repository))

    def reactions(self, comment_id: int) -> list[str]:
        """Return the reactions to a comment, in the order given; raises KeyError."""
        return [reaction.content for reaction in self.store.state.comments[comment_id].reactions]

    def react(self, comment_id: int, author: Person, content: str) -> tuple[Reaction, bool]:
        """Give a reaction; return it, and whether it is new (giving it twice is giving it once)."""
        comment, who = self.store.state.comments[comment_id], account(author)
        for reaction in comment.reactions:
            if (reaction.author, reaction.content) == (who, content):
                return reaction, False
        new = Reaction(self.store.next_id(), who, content, self.store.now())
        state = self.store.state
        changed = replace(comment, reactions=(*comment.reactions, new))
        self.store.change(replace(state, comments=put(state.comments, comment_id, changed)))
        return new, True

    def set_check(
        self,
        sha: str,
        name: str,
        status: str,
        conclusion: str | None = None,
        repository: str | None = None,
        *,
        run: int = 0,
        app: str = "github-actions",
    ) -> int:
        """Set what a check says of a commit (`queued`, `in_progress`, `completed`); return its id.

        A new check and a completed one each send their event. It is a job of a workflow's `run`, or what
        another `app` says.
        """
        state, found = self.store.state, self._home_of(sha, repository)
        before = _run(state.checks.values(), found, sha, name)
        made = self._run(before, found, sha, name, status, conclusion)
        suite = state.workflow_runs[run].check_suite if run else 0
        check = replace(made, suite=suite, app=app)
        self.store.change(replace(self.store.state, checks=put(state.checks, check.id, check)))
        if before is None:
            self._check_event("created", check)
        if check.status == "completed":
            self._check_event("completed", check)
        return check.id

    def put_check(self, run: Run, *, began: bool) -> Run:
        """Store what the App itself says by a check run, with GitHub's events; return it."""
        state = self.store.state
        was = state.checks.get(run.id)
        self.store.change(replace(state, checks=put(state.checks, run.id, run)))
        if began:
            self._check_event("created", run, self.app.bot)
        if run.status == "completed" and (was is None or was.status != "completed"):
            self._check_event("completed", run, self.app.bot)
        return run

    def press(self, run_id: int, identifier: str, who: Person) -> None:
        """Press a button of a check run of the App; raises KeyError if it has none of this name now.

        GitHub shows them to people with write access, below a run that is completed
        (https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#check-runs-and-requested-actions).
        """
        run = self.store.state.checks[run_id]
        buttons = run.report.buttons if run.report and run.status == "completed" else ()
        if identifier not in [button.identifier for button in buttons]:
            raise KeyError(identifier)
        pressed: Json = {"requested_action": {"identifier": identifier}}
        self._check_event("requested_action", run, self.know(account(who)), **pressed)

    def set_workflow_run(
        self,
        sha: str,
        name: str,
        status: str,
        conclusion: str | None = None,
        repository: str | None = None,
        *,
        file: str = "build.yml",
    ) -> int:
        """Set the state of a workflow run: `completed`/`action_required` waits for a person's approval."""
        state, found = self.store.state, self._home_of(sha, repository)
        before = _run(state.workflow_runs.values(), found, sha, name)
        run = replace(self._run(before, found, sha, name, status, conclusion), file=file)
        self.store.change(replace(state, workflow_runs=put(state.workflow_runs, run.id, run)))
        return run.id

    def _home_of(self, sha: str, repository: str | None) -> Repository:
        """Return the repository whose CI builds a commit: the base of its pull request."""
        state = self.store.state
        if repository is None:
            for pull in state.pulls.values():
                if sha in pull.commits:
                    return state.repositories[pull.repository_id]
        return self.find(repository)

    def _run(
        self, before: Run | None, home: Repository, sha: str, name: str, status: str, conclusion: str | None
    ) -> Run:
        now = self.store.now()
        if before is not None:
            return replace(before, status=status, conclusion=conclusion, updated_at=now)
        return Run(self.store.next_id(), home.id, sha, name, status, conclusion, now, now)

    def _put_comment(self, comment: Comment) -> None:
        state = self.store.state
        self.store.change(replace(state, comments=put(state.comments, comment.id, comment)))
        self._touch(comment)

    def _touch(self, comment: Comment) -> None:
        key, state, now = (comment.repository_id, comment.number), self.store.state, self.store.now()
        if key in state.pulls:
            self._put_pull(replace(state.pulls[key], updated_at=now))
        else:
            self._put_issue(replace(state.issues[key], updated_at=now))

    def _comment_event(self, action: str, comment: Comment, sender: Account, **more: Json) -> None:
        state = self.store.state
        pull = state.pulls.get((comment.repository_id, comment.number))
        if pull is None:
            # GitHub sends these too. What web answers to them is held in tests/unit/test_events.py.
            return
        payload: Json = {
            "action": action,
            "issue": self.shapes.issue(state, pull),
            "comment": self.shapes.comment(state, comment),
            **more,
        }
        self._emit(state.repositories[comment.repository_id], "issue_comment", sender, payload)

    def _check_event(self, action: str, run: Run, sender: Account = ACTIONS, **more: Json) -> None:
        state: State = self.store.state
        payload: Json = {"action": action, "check_run": self.shapes.check_run_event(state, run), **more}
        self._emit(state.repositories[run.repository_id], "check_run", sender, payload)


def _run(runs: Iterable[Run], repository: Repository, sha: str, name: str) -> Run | None:
    key = (repository.id, sha, name)
    return next((r for r in runs if (r.repository_id, r.sha, r.name) == key), None)
