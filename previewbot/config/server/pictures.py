"""The settings about pictures of previews."""

from __future__ import annotations

from typing import Annotated

from previewbot.config import types as t
from previewbot.config.types import about


class PicturesSettings(t.Model):
    """Pictures of previews, before and after, which a worker of its own takes (`previewbot pictures`)."""

    url: Annotated[
        t.Url, about("where the controller and pages reach the worker", "http://previewbot-pictures:8080")
    ]
    token_file: Annotated[
        t.File,
        about(
            "the secret that they share with the worker, at least 32 characters; it is read again for each "
            "question. While it is changed, the one before may stand in a second line",
            "/etc/previewbot/pictures/token",
        ),
    ]
    public: t.Truth = about(
        "pictures also stand in the comment, at addresses that nobody guesses and anybody may open, since "
        "GitHub fetches them without a login",
        True,
        default=False,
    )
