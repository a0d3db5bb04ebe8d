"""A preview's page and its JSON, drawn for whoever asks: what each of them shows, and to whom.

The page and the JSON have one tag in common, so that the page learns by the JSON whether it is still true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from flask import Response

from previewbot.api import Preview, from_object, name_of
from previewbot.config.agents import Agent
from previewbot.config.server import Settings
from previewbot.engine.links import page_path, page_url
from previewbot.engine.view import view_of
from previewbot.pages.policy import HEADER, policy
from previewbot.pages.visitors import Visitor, Visitors
from previewbot.people.ways_back import page_behind
from previewbot.text.facts import as_json
from previewbot.text.for_reader import NOTHING_WRITTEN, Draft, ForReader, Note
from previewbot.text.qr import qr_svg
from previewbot.text.render import Renderer
from previewbot.text.telling import serving_sha

_NOT_FOUND = 404
"""What RFC 9110 has for whoever does not want to disclose whether there is something (15.5.5).

People see the page all the same; what follows a link without reading, as a test or a link checker does, does
not take it for the preview; and whoever counts addresses through is seen by what watches a gateway for that.
"""


class Previews(Protocol):
    """What pages read of the cluster."""

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None; raises RemoteError."""


def read_preview(cluster: Previews, repository_id: int, number: int) -> Preview | None:
    """Return a pull request's Preview; raises RemoteError, and ValidationError for one of no version."""
    obj = cluster.get_preview(name_of(repository_id, number))
    return from_object(obj) if obj else None


@dataclass(frozen=True)
class Told:
    """What programs are told, as JSON, and by what they know that there is no news (an ETag, unquoted)."""

    body: bytes
    tag: str


def told_of(values: Mapping[str, Any], more: str = "") -> Told:
    """Return values as JSON; `more` is what is news too, and is not in it."""
    body = json.dumps(values, ensure_ascii=False).encode()
    return Told(body, hashlib.sha256(body + more.encode(errors="replace")).hexdigest()[:32])


@dataclass(frozen=True)
class Page:
    """A preview's page to be shown: who looks at it, what came of what they did, what was not taken of it."""

    preview: Preview
    visitor: Visitor
    note: Note | None = None
    draft: Draft = NOTHING_WRITTEN


class Showing:
    """Draws what people see at the address of a pull request.

    `form_id` returns what no other form has.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: Previews,
        renderer: Renderer,
        visitors: Visitors,
        *,
        now: Callable[[], datetime],
        form_id: Callable[[], str],
    ) -> None:
        self._settings, self._cluster, self._renderer = settings, cluster, renderer
        self.visitors, self._now, self._form_id = visitors, now, form_id
        self._allowed = policy(
            renderer.style_source(),
            renderer.script_source(),
            forms=visitors.can_press(),
            images=settings.pictures is not None,
        )
        self._leads_on = policy(renderer.style_source(), renderer.script_source("guard/into_preview.js"))

    def read(self, repository_id: int, number: int, visitor: Visitor) -> Preview | None:
        """Return a pull request's Preview for somebody; raises RemoteError, and ValidationError for one of no
        version."""
        # What they may was found out by it already, so that it is not read twice for one answer.
        return visitor.preview or read_preview(self._cluster, repository_id, number)

    def facts(self, preview: Preview, visitor: Visitor) -> Told:
        """Return what the page's own script is told, with the tag that page and JSON have in common."""
        view = view_of(self._settings, preview)
        if not visitor.rights.words:
            return told_of(as_json(self._renderer.public_facts(view)))
        status = preview.status
        # What the page shows and programs are not told: title, pictures, who asked for what, what one may.
        more = repr((status.observed.title, status.replies, status.pictures, visitor.rights))
        return told_of(as_json(self._renderer.facts(view)), more)

    def page(self, page: Page, status: int = 200) -> Response:
        """Return the page of a preview."""
        view = view_of(self._settings, page.preview, self._now())
        return self.html(self._renderer.page(view, self._for(page)), status)

    def nothing(self, visitor: Visitor, number: int) -> Response:
        """Return the page that says that there is no preview: who may read the repository is led on."""
        person, repository = visitor.person, visitor.repository
        url = f"{repository.html_url}/pull/{number}" if repository is not None else ""
        return self.html(self._renderer.no_preview(url, person.login if person else ""), _NOT_FOUND)

    def closed(self, path: str) -> Response:
        """Return the page that tells nothing, the same for whatever is there and for whatever is not."""
        person = self.visitors.person()
        who = {"login": person.login if person else "", "by_proxy": person is not None and person.by_proxy}
        sign_in = "" if person else self.sign_in_url(page_behind(path))
        return self.html(self._renderer.html("closed.html", **who, sign_in_url=sign_in), _NOT_FOUND)

    def into_preview(self, url: str) -> Response:
        """Return the page that leads on to an address within a preview by itself.

        No redirect: whoever has just pressed something in a form of GitHub's, or of an identity provider,
        would be held back. What their page allows as `form-action` holds for every redirect of the answer
        (https://www.w3.org/TR/CSP3/#directive-form-action), and no preview is among it. Its script takes
        along what is after the `#`, as a redirect would (https://fetch.spec.whatwg.org/#http-redirect-fetch).
        """
        page = self._renderer.html("guard/into_preview.html", url=url)
        return Response(page, 200, {HEADER: self._leads_on}, mimetype="text/html")

    def unavailable(self, who: str = "The cluster") -> Response:
        """Return the page that says that somebody does not answer, and tries again by itself."""
        return self.html(self._renderer.html("unavailable.html", who=who), 503)

    def reader(self, path: str) -> ForReader:
        """Return for whom a page is, whatever it is about; `path` is where a sign-in leads back."""
        person = self.visitors.person()
        if person is None:
            return ForReader(sign_in_url=self.sign_in_url(path))
        return ForReader(
            login=person.login, by_proxy=person.by_proxy, csrf=person.csrf, form_id=self._form_id()
        )

    def sign_in_url(self, path: str) -> str:
        """Return where to sign in and come back to a path; empty where nobody can."""
        return f"/sign-in?{urlencode({'to': path})}" if self.visitors.can_sign_in() else ""

    def html(self, text: str, status: int) -> Response:
        """Return a page as an answer, with what it may do (Content-Security-Policy)."""
        return Response(text, status, {HEADER: self._allowed}, mimetype="text/html")

    def _for(self, page: Page) -> ForReader:
        preview, visitor = page.preview, page.visitor
        path = page_path(preview.name)
        reader = replace(
            self.reader(path),
            rights=visitor.rights,
            json_url=f"{path}.json",
            tag=f'"{self.facts(preview, visitor).tag}"',
        )
        if visitor.person is None:
            return reader
        agent = self.agent_of(preview)
        return replace(
            reader,
            agent=agent.name if agent is not None else "",
            mention=(agent.mention or "") if agent is not None else "",
            serving_sha=serving_sha(preview.status.services),
            head_sha=preview.status.observed.head_sha,
            qr=qr_svg(page_url(self._settings.public_url, preview.name)),
            note=page.note,
            draft=page.draft,
        )

    def agent_of(self, preview: Preview) -> Agent | None:
        """Return the agent that goes on if it is handed what people say; None of one that nothing wakes."""
        seen = preview.status.observed.agent
        if seen is None or not seen.is_in_table:
            return None
        found = self._settings.agents.known.by_key.get(seen.key)
        return found if found is not None and found.mention is not None else None
