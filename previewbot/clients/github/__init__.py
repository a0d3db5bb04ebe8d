"""GitHub's REST API as previewbot needs it. No policy here: only what GitHub says and does."""

from previewbot.clients.github.app import GitHub
from previewbot.clients.github.installation import InstallationClient

__all__ = ["GitHub", "InstallationClient"]
