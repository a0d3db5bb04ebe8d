"""The check runs that previewbot itself writes; what others report of a commit is in `runs`.

https://docs.github.com/en/rest/checks/runs; writing takes the permission `checks: write`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from previewbot.api.check_runs import CHECK_NAME, CheckRunContent, OwnCheckRun
from previewbot.clients.github import kept
from previewbot.clients.github.fields import number, number_or_zero, text, text_or_empty
from previewbot.clients.github.sending import Sending


class CheckRuns:
    """Writes our checks of a repository, `owner/name`; raises what GitHub's answer means.

    Without the permission that is Forbidden, with its name in the words.
    """

    def __init__(self, api: Sending) -> None:
        self._api = api

    async def own(
        self, repository: str, head_sha: str, app_id: int, name: str = CHECK_NAME
    ) -> list[OwnCheckRun]:
        """Return the runs of this name and App for a commit, also those that a newer one replaced.

        https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
        """
        query = f"check_name={quote(name)}&app_id={app_id}&filter=all"
        url = f"/repos/{repository}/commits/{head_sha}/check-runs?{query}"
        return await self._api.items(url, kept.OWN_CHECK_RUNS, _own_from, "check_runs")

    async def create(self, repository: str, head_sha: str, content: CheckRunContent) -> int:
        """Begin a check run for a commit; return its id."""
        body = {"name": content.name, "head_sha": head_sha, **_body_of(content)}
        answer = await self._api.send("POST", f"/repos/{repository}/check-runs", kept.WRITTEN_CHECK_RUN, body)
        return number(answer, "id")

    async def update(self, repository: str, check_run_id: int, content: CheckRunContent) -> None:
        """Say something else; one that was completed is begun again where it is in progress now."""
        url = f"/repos/{repository}/check-runs/{check_run_id}"
        await self._api.send("PATCH", url, kept.WRITTEN_CHECK_RUN, _body_of(content))


def _own_from(obj: Any) -> OwnCheckRun:
    return OwnCheckRun(
        id=number(obj, "id"),
        external_id=text_or_empty(obj, "external_id"),
        completed=text(obj, "status") == "completed",
        conclusion=text_or_empty(obj, "conclusion"),
        annotations=number_or_zero(obj, "output.annotations_count"),
    )


def _body_of(content: CheckRunContent) -> dict[str, Any]:
    output: dict[str, Any] = {"title": content.output.title, "summary": content.output.summary}
    # What is left out stays as it was; so a text that is over is sent as an empty one.
    output["text"] = content.output.text
    if content.annotations:
        output["annotations"] = [
            {
                "path": each.path,
                "start_line": each.line,
                "end_line": each.line,
                "annotation_level": "failure",
                "message": each.message,
            }
            for each in content.annotations
        ]
    body: dict[str, Any] = {
        "external_id": content.external_id,
        "details_url": content.details_url,
        "status": "in_progress" if content.conclusion is None else "completed",
        "output": output,
        "actions": [
            {"label": each.label, "description": each.description, "identifier": each.identifier}
            for each in content.actions
        ],
    }
    return body if content.conclusion is None else body | {"conclusion": str(content.conclusion)}
