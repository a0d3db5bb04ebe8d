"""The pages of the fake GitHub: the list of pull requests, and a pull request with its conversation.

Every button is a plain form, so that a tour can press it over HTTP as a person does in a browser.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jinja2
from aiohttp import web
from markupsafe import Markup

from previewbot_demo.github import deployments
from previewbot_demo.github.checks import shown_on
from previewbot_demo.github.conversations import Conversations
from previewbot_demo.github.markdown import render
from previewbot_demo.github.model import Account, Comment, Happening, PullRequest, Repository, Run
from previewbot_demo.github.shapes_pull import changes_of

SUGGESTIONS = (
    "/preview status",
    "/preview extend 2h",
    "/preview stop",
    "/preview start",
    "/preview help",
    "/preview strat",
)
EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "rocket": "🚀",
    "eyes": "👀",
}

# A table's cells say by a style of their own where their words stand; nothing else of a comment has one.
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "style-src-attr 'unsafe-inline'; img-src http: https: data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
_ALICE = Account(501, "alice")
_MOST_LINES = 200
_REPO = r"/(?P<repository>[^/]+/[^/]+)"
_PULL = _REPO + r"/pull/(?P<number>\d+)"
_ISSUE = _REPO + r"/issues/(?P<number>\d+)"
_RUN = _REPO + r"/(?P<kind>runs|actions/runs)/(?P<id>\d+)"
_ACTION = _PULL + r"/(?P<action>comment|push|close|merge|reopen|approve|check)"


@dataclass(frozen=True)
class Button:
    """A big button over the list; `press` opens a pull request and returns its number."""

    name: str
    label: str
    press: Callable[[], int]
    hint: str = ""


class Pages:
    """Serves the pages; the world fills `buttons`, `push`, `people` (who may comment) and `suggestions`."""

    def __init__(self, github: Conversations) -> None:
        self._github = github
        loader = jinja2.PackageLoader("previewbot_demo", "pages")
        self._templates = jinja2.Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters |= {
            "markdown": lambda text: Markup(_scrollable(render(text))),
            "clock": _clock,
            "state_of": words_for,
        }
        self.buttons: list[Button] = []
        self.push: Callable[[str, int], None] | None = None
        self.people: Sequence[Account] = (_ALICE,)
        self.suggestions: Sequence[str] = SUGGESTIONS

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request for a page, or the press of a button on one."""
        try:
            if request.method == "POST":
                return await self._post(request)
            return self._get(request.path)
        except KeyError:
            return self._page("missing.html", http_status=404)
        except ValueError as error:
            return web.Response(status=409, text=str(error))

    def _get(self, path: str) -> web.Response:
        if path == "/":
            return self._list(self._github.find())
        if found := re.fullmatch(_REPO + "(?:/pulls)?/?", path):
            return self._list(self._github.find(found["repository"]))
        if found := re.fullmatch(_PULL + "(?P<live>/live)?", path):
            pull = self._github.pull_request(int(found["number"]), found["repository"])
            return self._page("pull_live.html" if found["live"] else "pull.html", **self._view(pull))
        if found := re.fullmatch(_ISSUE, path):
            issue = self._github.issue(int(found["number"]), found["repository"])
            return self._page("issue.html", issue=issue, repository=found["repository"])
        if found := re.fullmatch(_RUN, path):
            state = self._github.store.state
            runs = state.checks if found["kind"] == "runs" else state.workflow_runs
            return self._page("run.html", run=runs[int(found["id"])], repository=found["repository"])
        raise KeyError(path)

    async def _post(self, request: web.BaseRequest) -> web.Response:
        """Press a button, then lead on to the pull request's page."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return web.Response(status=403, text="Only this site's own pages may do that.")
        if found := re.fullmatch(_REPO + "/tasks/(?P<name>[^/]+)", request.path):
            button = next((b for b in self.buttons if b.name == found["name"]), None)
            if button is None:
                raise KeyError(found["name"])
            return _see_other(f"/{found['repository']}/pull/{button.press()}")
        found = re.fullmatch(_ACTION, request.path)
        if found is None:
            raise KeyError(request.path)
        form = await request.post()
        words = {name: value for name, value in form.items() if isinstance(value, str)}
        self._act(found["repository"], int(found["number"]), found["action"], words)
        return _see_other(f"/{found['repository']}/pull/{found['number']}")

    def _act(self, repository: str, number: int, action: str, form: Mapping[str, str]) -> None:
        who = next((p for p in self.people if p.login == form.get("as")), self.people[0])
        body = form.get("body", "").replace("\r\n", "\n").strip()
        if action == "comment":
            if body:
                self._github.comment(number, who, body, repository)
        elif action == "push":
            if self.push is not None:
                self.push(repository, number)
        elif action == "check":
            self._github.press(int(form["run"]), form["identifier"], who)
        elif action == "approve":
            self._github.approve_workflows(number, repository)
        elif action == "close":
            self._github.close(number, repository, by=who)
        elif action == "merge":
            self._github.merge(number, repository, by=who)
        else:
            self._github.reopen(number, repository, by=who)

    def _list(self, repository: Repository) -> web.Response:
        pulls = self._github.store.state.pulls_of(repository.id)
        return self._page("pulls.html", repository=repository.full_name, pulls=pulls, buttons=self.buttons)

    def _view(self, pull: PullRequest) -> dict[str, Any]:
        state = self._github.store.state
        repository = state.repositories[pull.repository_id]
        checks = shown_on(state, repository.id, pull.head_sha)
        # A workflow shows by its jobs. One that waits for an approval has none yet.
        with_jobs = {check.check_suite for check in checks}
        workflows = [
            run
            for run in state.workflow_runs.values()
            if (run.repository_id, run.sha) == (repository.id, pull.head_sha)
            and run.check_suite not in with_jobs
        ]
        return {
            "repository": repository.full_name,
            "pull": pull,
            "fork": pull.head_repository_id != pull.repository_id,
            "status": "merged"
            if pull.merged_at
            else "draft"
            if pull.draft and not pull.closed_at
            else pull.state,
            "checks": [*checks, *workflows],
            "deployments": deployments.shown_on(state, repository.id, pull.commits),
            "timeline": self._timeline(pull),
            "files": changes_of(state, pull),
            "closes": [
                {"issue": each, "repository": state.repositories[each.repository_id].full_name}
                for each in self._github.closes(pull.number, repository.full_name)
            ],
            "most_lines": _MOST_LINES,
            "people": self.people,
            "suggestions": self.suggestions,
            "can_push": self.push is not None,
            "waits": self._github.waits_for_approval(pull.number, repository.full_name),
        }

    def _timeline(self, pull: PullRequest) -> list[dict[str, Any]]:
        """Return comments and what else happened, oldest first."""
        state = self._github.store.state
        happened = [h for h in state.happenings if (h.repository_id, h.number) == pull.key]
        entries: list[Comment | Happening] = [*state.conversation(pull), *happened]
        return [
            {"key": f"happening-{entry.id}", "happening": entry}
            if isinstance(entry, Happening)
            else {"key": f"issuecomment-{entry.id}", "comment": entry, "reactions": _counted(entry)}
            for entry in sorted(entries, key=lambda entry: entry.id)
        ]

    def _page(self, template: str, *, http_status: int = 200, **values: Any) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        text = self._templates.get_template(template).render(values, nonce=nonce)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
        return web.Response(status=http_status, text=text, content_type="text/html", headers=headers)


def words_for(run: Run) -> str:
    """Return a run's state in words."""
    return (run.conclusion or run.status).replace("_", " ")


def _scrollable(html: str) -> str:
    """Return a comment with each table in a box that scrolls by itself, by keyboard too."""
    box = '<div class="scroll" role="region" tabindex="0" aria-label="Table">'
    return html.replace("<table>", f"{box}<table>").replace("</table>", "</table></div>")


def _counted(comment: Comment) -> list[tuple[str, str, int]]:
    """Return each reaction as emoji, name and how often it was given."""
    contents = [reaction.content for reaction in comment.reactions]
    return [(EMOJI[name], name, contents.count(name)) for name in dict.fromkeys(contents)]


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S UTC")


def _see_other(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
