"""Pull requests in the town, and what comes of them on the node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from previewbot_demo.tasks import COPILOT
from tests.node.conftest import Installation
from tests.node.node import Node
from tests.node.town import Town

OPEN = "[Open the preview]"


@dataclass(frozen=True)
class Pull:
    """A pull request, and its preview."""

    installation: Installation
    repository: str
    number: int

    @property
    def town(self) -> Town:
        """Where it is."""
        return self.installation.town

    @property
    def node(self) -> Node:
        """Where its preview is."""
        return self.installation.node

    @property
    def name(self) -> str:
        """The name of its Preview."""
        return f"gh-{self.town.github.find(self.repository).id}-{self.number}"

    def comment(self) -> str:
        """Return the App's comment, empty while there is none."""
        found = self.town.github.comments(self.number, self.repository)
        return next((comment.body for comment in found if comment.by_app), "")

    def says(self, *words: str) -> bool:
        """Return whether the comment says all of this."""
        text = self.comment()
        return all(word in text for word in words)

    def has_link(self) -> bool:
        """Return whether the comment has a link."""
        return self.says(OPEN)

    def status(self) -> dict[str, Any]:
        """Return the status of its Preview."""
        found: dict[str, Any] = self.node.get("preview", self.name).get("status") or {}
        return found

    def push(self, files: Mapping[str, bytes | None]) -> None:
        """Push a commit."""

        async def work() -> None:
            self.town.github.push(self.number, files, "Mend it", self.repository)

        self.town.do(work())

    def close(self) -> None:
        """Close it."""

        async def work() -> None:
            self.town.github.close(self.number, self.repository)

        self.town.do(work())


def opened(installation: Installation, repository: str, branch: str, files: Mapping[str, bytes]) -> Pull:
    """Have an agent open a pull request."""

    async def work() -> int:
        github = installation.town.github
        return github.open_pull_request(repository, COPILOT, f"copilot/{branch}", files, branch)

    return Pull(installation, repository, installation.town.do(work()))
