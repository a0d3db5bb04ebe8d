"""What the comment, the page, the answers and the conditions are rendered from."""

from __future__ import annotations

from previewbot.api import Preview
from previewbot.config.server import Settings
from previewbot.engine.links import page_url
from previewbot.engine.mirrord import header
from previewbot.text.render import View


def view_of(settings: Settings, preview: Preview) -> View:
    """Return a Preview with the addresses that its texts name."""
    web_url = settings.github.web_url.rstrip("/")
    return View(
        preview=preview,
        page_url=page_url(settings.public_url, preview.name),
        pull_request_url=f"{web_url}/{preview.spec.repository}/pull/{preview.spec.number}",
        header=header(preview.spec.environment_key),
    )
