"""Reviews, and comments on lines of the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from previewbot_demo.github.conversations import Conversations
from previewbot_demo.github.model import Account, Edit, Person, PullRequest, Reaction, account, put
from previewbot_demo.github.model_reviews import LineComment, Review
from previewbot_demo.github.shapes import Json
from previewbot_demo.github.shapes_review import ReviewShapes

_NO_LINES: Mapping[str, str] = {}


class Reviews(Conversations):
    """Beginning, submitting and editing reviews; reactions to comments on lines."""

    shapes: ReviewShapes

    def review(
        self,
        number: int,
        author: Person,
        body: str = "",
        lines: Mapping[str, str] = _NO_LINES,
        state: str = "COMMENTED",
        repository: str | None = None,
    ) -> int:
        """Submit a review, with a comment on a line of each file in `lines`; return its id."""
        review = self.draft_review(number, author, body, lines, repository)
        self.submit_review(review, state)
        return review

    def comment_on_line(
        self, number: int, author: Person, path: str, body: str, repository: str | None = None
    ) -> int:
        """Write a single comment on a line, which makes a review without a body; return its id."""
        review = self.review(number, author, lines={path: body}, repository=repository)
        return next(c.id for c in self.store.state.line_comments.values() if c.review_id == review)

    def draft_review(
        self,
        number: int,
        author: Person,
        body: str = "",
        lines: Mapping[str, str] = _NO_LINES,
        repository: str | None = None,
    ) -> int:
        """Begin a review, which nobody else sees and of which nobody is told; return its id."""
        pull, who, now = self.pull_request(number, repository), self.know(account(author)), self.store.now()
        review = Review(
            self.store.next_id(), pull.repository_id, pull.number, who, body, now, now,
            state="PENDING", sha=pull.head_sha,
        )  # fmt: skip
        self._put_review(review)
        for path, text in lines.items():
            comment = LineComment(
                self.store.next_id(), pull.repository_id, pull.number, who, text, now, now,
                review_id=review.id, path=path, sha=pull.head_sha,
            )  # fmt: skip
            self._put_line_comment(comment)
        return review.id

    def submit_review(self, review_id: int, state: str = "COMMENTED") -> None:
        """Submit a review that was begun: it and its comments are shown, and told of; raises KeyError."""
        now, old = self.store.now(), self.store.state.reviews[review_id]
        review = replace(old, state=state, submitted_at=now, updated_at=now)
        self._put_review(review)
        comments = [c for c in self.store.state.line_comments.values() if c.review_id == review_id]
        for comment in comments:
            self._put_line_comment(replace(comment, updated_at=now))
        pull = self._touch_pull(review)
        home, state_now = self.store.state.repositories[pull.repository_id], self.store.state
        shown = self.shapes.pull(state_now, pull)
        told = {"action": "submitted", "review": self.shapes.review_event(state_now, review)}
        self._emit(home, "pull_request_review", review.author, told | {"pull_request": shown})
        for comment in comments:
            new = self.shapes.line_comment(state_now, state_now.line_comments[comment.id])
            told = {"action": "created", "comment": new, "pull_request": shown}
            self._emit(home, "pull_request_review_comment", review.author, told)

    def edit_review(self, review_id: int, body: str, by: Person | None = None) -> None:
        """Replace a review's text (as its author); REST shows nothing else of that. Raises KeyError."""
        old = self.store.state.reviews[review_id]
        editor, now = account(by or old.author), self.store.now()
        new = replace(old, body=body, updated_at=now, edits=(*old.edits, Edit(editor, now)))
        self._put_review(new)
        shown = self.shapes.review_event(self.store.state, new)
        pull = self._touch_pull(old)
        self._tell_of_edit("pull_request_review", editor, pull, old.body, {"review": shown})

    def edit_line_comment(self, comment_id: int, body: str, by: Person | None = None) -> None:
        """Replace the text of a comment on a line (as its author); raises KeyError."""
        old = self.store.state.line_comments[comment_id]
        editor, now = account(by or old.author), self.store.now()
        new = replace(old, body=body, updated_at=now, edits=(*old.edits, Edit(editor, now)))
        self._put_line_comment(new)
        shown = self.shapes.line_comment(self.store.state, new)
        pull = self._touch_pull(old)
        self._tell_of_edit("pull_request_review_comment", editor, pull, old.body, {"comment": shown})

    def dismiss_review(self, review_id: int) -> None:
        """Dismiss a review: it stays where it is; raises KeyError."""
        self._put_review(replace(self.store.state.reviews[review_id], state="DISMISSED"))

    def react_on_line(self, comment_id: int, author: Person, content: str) -> tuple[Reaction, bool]:
        """React to a comment on a line; return the reaction, and whether it is new."""
        comment, who = self.store.state.line_comments[comment_id], account(author)
        for reaction in comment.reactions:
            if (reaction.author, reaction.content) == (who, content):
                return reaction, False
        new = Reaction(self.store.next_id(), who, content, self.store.now())
        self._put_line_comment(replace(comment, reactions=(*comment.reactions, new)))
        return new, True

    def line_reactions(self, comment_id: int) -> list[str]:
        """Return the reactions to a comment on a line, in the order given; raises KeyError."""
        return [reaction.content for reaction in self.store.state.line_comments[comment_id].reactions]

    def _tell_of_edit(
        self, event: str, editor: Account, pull: PullRequest, before: str, written: Json
    ) -> None:
        state = self.store.state
        told = {"action": "edited", "changes": {"body": {"from": before}}, **written}
        told["pull_request"] = self.shapes.pull(state, pull)
        self._emit(state.repositories[pull.repository_id], event, editor, told)

    def _put_review(self, review: Review) -> None:
        state = self.store.state
        self.store.change(replace(state, reviews=put(state.reviews, review.id, review)))

    def _put_line_comment(self, comment: LineComment) -> None:
        state = self.store.state
        self.store.change(replace(state, line_comments=put(state.line_comments, comment.id, comment)))

    def _touch_pull(self, written: Review | LineComment) -> PullRequest:
        pull = self.store.state.pulls[written.repository_id, written.number]
        self._put_pull(replace(pull, updated_at=self.store.now()))
        return self.store.state.pulls[pull.key]
