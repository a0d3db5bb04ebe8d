"""Reviews and comments on lines as GitHub writes them in JSON (API version 2022-11-28)."""

from __future__ import annotations

from previewbot_demo.github.model import State
from previewbot_demo.github.model_reviews import LineComment, Review
from previewbot_demo.github.shapes import Json, iso, node_id
from previewbot_demo.github.shapes_pull import association
from previewbot_demo.github.shapes_run import RunShapes


class ReviewShapes(RunShapes):
    """Writes what belongs to reviews. Of none of it GitHub tells the App that wrote it."""

    def review(self, state: State, review: Review) -> Json:
        """Return a `pull-request-review`."""
        repository = state.repositories[review.repository_id]
        html = f"{self.web}/{repository.full_name}/pull/{review.number}#pullrequestreview-{review.id}"
        pull = f"{self.api}/repos/{repository.full_name}/pulls/{review.number}"
        return {
            "id": review.id,
            "node_id": node_id("PullRequestReview", review.id),
            "user": self.account(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": html,
            "pull_request_url": pull,
            "author_association": association(repository, review.author.login),
            "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
            "submitted_at": iso(review.submitted_at),
            "commit_id": review.sha,
        }

    def review_event(self, state: State, review: Review) -> Json:
        """Return a review as its events have it: no body is null there, and the state in small letters."""
        whole = self.review(state, review)
        changed = {"body": review.body or None, "state": review.state.lower()}
        return whole | changed | {"updated_at": iso(review.updated_at)}

    def line_comment(self, state: State, comment: LineComment) -> Json:
        """Return a `pull-request-review-comment`."""
        repository = state.repositories[comment.repository_id]
        api = f"{self.api}/repos/{repository.full_name}"
        url, pull = f"{api}/pulls/comments/{comment.id}", f"{api}/pulls/{comment.number}"
        html = f"{self.web}/{repository.full_name}/pull/{comment.number}#discussion_r{comment.id}"
        links = {"self": url, "html": html, "pull_request": pull}
        return {
            "url": url,
            "pull_request_review_id": comment.review_id,
            "id": comment.id,
            "node_id": node_id("PullRequestReviewComment", comment.id),
            "diff_hunk": "@@ -1 +1 @@",
            "path": comment.path,
            "commit_id": comment.sha,
            "original_commit_id": comment.sha,
            "user": self.account(comment.author),
            "body": comment.body,
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "html_url": html,
            "pull_request_url": pull,
            "author_association": association(repository, comment.author.login),
            "_links": {name: {"href": link} for name, link in links.items()},
            "reactions": self.rollup(comment.reactions, url),
            **dict.fromkeys(("start_line", "original_start_line", "start_side"), None),
            **dict.fromkeys(("line", "original_line", "position", "original_position"), comment.line),
            "side": "RIGHT",
            "subject_type": "line",
        }
