"""What our App says at the stand-in for GitHub, laid down by a test, and whoever asks for it with a token."""

from __future__ import annotations

import json
from typing import Any

from previewbot.api.check_runs import CheckOutput, CheckRunContent, Conclusion
from previewbot.api.deployments import DeploymentState, DeploymentStatus
from previewbot.api.reference import Reference
from previewbot.asking.access import Access
from previewbot.asking.github import GitHubSource
from tests.support.github_town import Town

SHOP = "acme/shop"
LINK = "https://shop-1.preview.example.com/"
HEADER = "baggage: mirrord-session=pabcdefghij-shop-1"
MARKER = "<!-- previewbot status key=pabcdefghij-shop-1 command=0 -->"


def block(sha: str, phase: str = "Ready", **more: Any) -> str:
    """Return the status comment with its block, as previewbot writes it."""
    values: dict[str, Any] = {"previewbot": 1, "repository": SHOP, "number": 1, "phase": phase}
    values |= {"head_sha": sha, "header": HEADER, "words": f"It is {phase}."}
    if phase in ("Ready", "Idle"):
        values |= {"serving_sha": sha, "url": LINK, "proven": "Yes"}
    inner = json.dumps(values | more, indent=1)
    return f"{MARKER}\n### Open the preview\n\n<details>\n\n```json\n{inner}\n```\n\n</details>"


class Says:
    """Our App, which says what a test wants of the pull request `number`."""

    def __init__(self, town: Town, number: int) -> None:
        self.town, self.number = town, number
        self.preview = f"gh-{town.repository.id}-{number}"

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.town.github.pull_request(self.number).head_sha

    async def deployment(self, state: str = "", sha: str = "", environment: str = "preview") -> int:
        """Deploy a commit, and say how that went; return the deployment's number."""
        client = self.town.client.deployments
        made = await client.create(SHOP, environment, sha or self.head, self.preview)
        if state:
            await self.deployment_status(made.id, state)
        return made.id

    async def deployment_status(self, deployment: int, state: str) -> None:
        """Say how a deployment goes."""
        url = LINK if state == "success" else ""
        status = DeploymentStatus(DeploymentState(state), f"it is {state}", url)
        await self.town.client.deployments.say(SHOP, deployment, status)

    async def check(self, conclusion: str = "", preview: str = "") -> int:
        """Write a check run for the head; without a conclusion it goes on."""
        output = CheckOutput(f"The check says {conclusion or 'wait'}", "…")
        ended = Conclusion(conclusion) if conclusion else None
        content = CheckRunContent(
            preview or self.preview, ended, output, "https://previews.example.com/p/1/1"
        )
        return await self.town.client.checks.create(SHOP, self.head, content)

    def comment(self, text: str) -> int:
        """Write a comment as the App."""
        app = self.town.github.app
        return self.town.github.comment(self.number, app.bot, text, via=app)


def asking(town: Town, **more: Any) -> GitHubSource:
    """Return whoever asks the stand-in, with a token of its installation unless another is given."""
    access = Access(**{"api_url": f"{town.url}/api/v3", "token": town.token, **more})
    return GitHubSource(town.http, access)


def reference(number: int = 1) -> Reference:
    """Return how the pull request is named."""
    return Reference(SHOP, number)
