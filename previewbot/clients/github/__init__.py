"""GitHub's REST API as previewbot needs it. No policy here: only what GitHub says and does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from previewbot.clients.github.app import GitHub
    from previewbot.clients.github.installation import InstallationClient

__all__ = ["GitHub", "InstallationClient"]


def __getattr__(name: str) -> object:
    # Imported when they are asked for: pages, which asks as people only, does without aiohttp and gidgethub,
    # a quarter of its memory.
    if name == "GitHub":
        from previewbot.clients.github.app import GitHub

        return GitHub
    if name == "InstallationClient":
        from previewbot.clients.github.installation import InstallationClient

        return InstallationClient
    raise AttributeError(name)
