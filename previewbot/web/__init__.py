"""The web process: takes GitHub's webhooks, shows the reviewers' pages. Holds no private key."""

from previewbot.web.app import create_app
from previewbot.web.server import serve

__all__ = ["create_app", "serve"]
