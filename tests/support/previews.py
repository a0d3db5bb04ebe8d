"""Previews for tests: a small one, changed where a test says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from previewbot.api import Poke, Preview, Spec, Status
from previewbot.rules.environment_keys import environment_key

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEAD = "3f2c1ab" + "0" * 33
OLDER = "9ab01fe" + "0" * 33


def a_preview(*, name: str = "gh-812-42", uid: str = "uid-1", **status: Any) -> Preview:
    """Return a Preview of acme/shop#42 with this status."""
    _, repository_id, number = name.split("-")
    return Preview(
        name=name,
        uid=uid,
        resource_version="1",
        generation=1,
        created_at=NOW,
        deleting=False,
        spec=Spec(
            github_host="github.com",
            repository_id=int(repository_id),
            number=int(number),
            repository="acme/shop",
            installation_id=7,
            app_id=4242,
            environment_key=environment_key("github.com", int(repository_id), int(number), "acme/shop"),
        ),
        poke=Poke(),
        status=Status(**status),
    )
