"""What people do to issues. GitHub sends no event of them that the App listens to."""

from __future__ import annotations

from dataclasses import replace

from previewbot_demo.github.model import Person, account, put, without
from previewbot_demo.github.model_issues import Issue, closed_by
from previewbot_demo.github.pulls import PullRequests


class Issues(PullRequests):
    """Opening, editing, closing, deleting and moving issues."""

    def open_issue(self, author: Person, title: str, body: str = "", repository: str | None = None) -> int:
        """Open an issue; return its number."""
        found, now, who = self.find(repository), self.store.now(), self.know(account(author))
        number = self.store.state.next_number(found.id)
        self._put_issue(Issue(self.store.next_id(), found.id, number, who, title, body, now, now))
        return number

    def issue(self, number: int, repository: str | None = None) -> Issue:
        """Return an issue; raises KeyError."""
        return self.store.state.issues[self.find(repository).id, number]

    def edit_issue(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        repository: str | None = None,
    ) -> None:
        """Change an issue's title or text."""
        old = self.issue(number, repository)
        new = replace(
            old, title=old.title if title is None else title, body=old.body if body is None else body
        )
        self._put_issue(replace(new, updated_at=self.store.now()))

    def close_issue(self, number: int, repository: str | None = None) -> None:
        """Close an issue."""
        now = self.store.now()
        self._put_issue(replace(self.issue(number, repository), closed_at=now, updated_at=now))

    def delete_issue(self, number: int, repository: str | None = None) -> None:
        """Delete an issue."""
        state = self.store.state
        key = self.issue(number, repository).key
        self.store.change(replace(state, issues=without(state.issues, key)))

    def transfer_issue(self, number: int, to: str, repository: str | None = None) -> int:
        """Move an issue to another repository; return the number that it has there."""
        old, home = self.issue(number, repository), self.find(to)
        self.delete_issue(number, repository)
        moved = replace(old, repository_id=home.id, number=self.store.state.next_number(home.id))
        self._put_issue(moved)
        return moved.number

    def closes(self, number: int, repository: str | None = None) -> list[Issue]:
        """Return the issues that merging a pull request closes."""
        return closed_by(self.store.state, self.pull_request(number, repository))

    def _put_issue(self, issue: Issue) -> None:
        state = self.store.state
        self.store.change(replace(state, issues=put(state.issues, issue.key, issue)))
