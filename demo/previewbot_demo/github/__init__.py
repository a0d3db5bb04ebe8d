"""GitHub in memory: REST API, signed webhooks, pull request pages, and people and agents who use it."""

from previewbot_demo.github.model import Account, Comment, PullRequest, Repository
from previewbot_demo.github.pages import Button
from previewbot_demo.github.server import FakeGitHub

__all__ = ["Account", "Button", "Comment", "FakeGitHub", "PullRequest", "Repository"]
