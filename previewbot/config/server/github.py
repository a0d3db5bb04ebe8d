"""The settings about GitHub: which one, and as which App."""

from __future__ import annotations

from typing import Annotated

from previewbot.config import types as t
from previewbot.config.types import about

DEFAULT_WRITES = 80
"""What github.com takes in a minute, by
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits."""


class GitHubSettings(t.Model):
    """Which GitHub, and as which App."""

    api_url: Annotated[
        t.Url, about("GitHub's API; `https://HOST/api/v3` for Enterprise Server", "https://api.github.com")
    ]
    web_url: Annotated[t.Url, about("GitHub as people open it", "https://github.com")]
    app_id: Annotated[t.WholeNumber, about("the number of the App", 4242)]
    ca_file: t.File | None = about(
        "trusted besides the system's CAs, for an Enterprise Server with a CA of its own",
        "/etc/previewbot/ca.pem",
        default=None,
    )
    private_key_file: t.File | None = about(
        "controller only; or set `PREVIEWBOT_GITHUB__PRIVATE_KEY`", "/etc/previewbot/app.pem", default=None
    )
    webhook_secret_file: t.File | None = about(
        "web only; or set `PREVIEWBOT_GITHUB__WEBHOOK_SECRET`", "/etc/previewbot/webhook-secret", default=None
    )
    trusted_apps: tuple[t.WholeNumber, ...] = about(
        "numbers of other Apps, such as an assistant's, whose commands in a person's name count; never for "
        "approving a fork",
        [4243],
        default=(),
    )
    writes_a_minute: t.WholeNumber = about(
        "how many writes GitHub takes in a minute for one installation; deployments and checks leave half of "
        "them to comments. More, where an Enterprise Server has no such limit",
        DEFAULT_WRITES,
        default=DEFAULT_WRITES,
    )
