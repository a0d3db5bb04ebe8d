"""Every text a person reads, from `templates/`: the comment, the answers to commands, the page, the headline.

Text from users is escaped for the place it goes to: see `markdown`, `hypertext` and `plain`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateNotFound, UndefinedError

from previewbot.api import Reply, RequestId, RequestKind, Said
from previewbot.api.check_runs import LONGEST_OUTPUT, LONGEST_TITLE, CheckOutput
from previewbot.api.deployments import LONGEST_DESCRIPTION, Word
from previewbot.text import environment
from previewbot.text.blast_radius import blast_radius
from previewbot.text.block import block
from previewbot.text.checks import (
    BUTTONS,
    PAGE_BUTTONS,
    CheckSaid,
    VerdictsSaid,
    answers_on_the_page,
    is_on_its_way,
    steady,
)
from previewbot.text.cutting import cut_at_the_end, cut_to_bytes
from previewbot.text.environment import templates_directory
from previewbot.text.facts import Facts
from previewbot.text.for_reader import EVERYBODY, ForReader
from previewbot.text.markers import notice_marker, reply_marker, status_marker
from previewbot.text.notices import Told
from previewbot.text.quoting import (
    for_programs_of_the_page,
    for_the_page,
    with_short_details,
    without_logs,
)
from previewbot.text.standing import standing_of
from previewbot.text.telling import facts_of
from previewbot.text.view import View

__all__ = [
    "COMMENT_LIMIT",
    "HEADLINE_BYTES",
    "HEADLINE_LIMIT",
    "CannotBeSaid",
    "Renderer",
    "View",
    "templates_directory",
]

COMMENT_LIMIT = 65_536
"""GitHub's limit of a comment, in characters."""

HEADLINE_LIMIT = 300
"""The length of a headline, in characters."""

HEADLINE_BYTES = 1_024
"""The API server's limit of an Event's note, in bytes (events.k8s.io/v1)."""

_APART = "\n\n"

_DETAIL_IN_A_HEADLINE = 160
"""Characters of what Kubernetes says of a pod, so that its end, which has the cause, is in the line."""


class CannotBeSaid(Exception):
    """An answer's words are another version's, or need what that version did not store."""


class Renderer:
    """Renders the templates; the same values give the same text. It compiles each template once."""

    def __init__(self, directory: Path | None = None) -> None:
        loader = FileSystemLoader(directory or templates_directory())
        self._comments = environment.for_comments(loader)
        self._pages = environment.for_pages(loader)
        self._terminals = environment.for_terminals(loader)
        self._facts = environment.for_facts(loader)
        self._public_facts = environment.for_facts(loader, everybody=True)

    def comment(self, view: View) -> str:
        """Return the status comment, marker included, within GitHub's limit."""
        # Should the status be lost, this is what keeps old commands from being carried out a second time.
        last = view.preview.status.requests.newest_comment
        marker = status_marker(view.preview.spec.environment_key, last)
        text = self._comments.get_template("comment.md").render(_values(_for_comments(view)))
        facts = self._comments.get_template("_facts.md").render(block=block(self.facts(view)))
        whole = f"{marker}\n{_tidy(text)}\n{facts}\n"
        if len(whole) <= COMMENT_LIMIT:
            return whole
        # GitHub refuses a longer comment as a whole, and then people would see nothing at all. What programs
        # read then comes first: the cut may fall into a fence, and what follows would be in it.
        return f"{marker}\n{facts}\n\n{_tidy(text)}"[:COMMENT_LIMIT]

    def reply(
        self,
        said: Iterable[Said],
        request: RequestId,
        view: View,
        author: str = "",
        edit: int = 0,
        *,
        refused: bool = False,
    ) -> str:
        """Return the answer to what one comment, or an edit of it, asks for, marked so that it is given once.

        It stands in the conversation: of what `author` wrote elsewhere it says where. `refused`: whoever asks
        may not. Raises `CannotBeSaid`.
        """
        text = self._answer(said, view)
        if request.kind != RequestKind.ISSUE_COMMENT:
            is_body = request.kind == RequestKind.REVIEW
            about = {"request": request, "author": author, "is_body": is_body}
            text = (
                self._comments.get_template("_in_review.md").render(_values(_for_comments(view)) | about)
                + text
            )
        return f"{reply_marker(request, edit, refused=refused)}\n{_tidy(text)}"[:COMMENT_LIMIT]

    def _answer(self, said: Iterable[Said], view: View) -> str:
        values = _values(_for_comments(view))
        try:
            texts = [
                self._comments.get_template(f"replies/{each.words}.md").render(
                    values | _with_types(each.values)
                )
                for each in said
            ]
        except (TemplateNotFound, UndefinedError) as error:
            raise CannotBeSaid(str(error)) from error
        return _APART.join(texts)

    def _pressed(self, reply: Reply, view: View, buttons: Mapping[str, str] = BUTTONS) -> str:
        """Return what somebody pressed at a check, or on a page, and what is said to that."""
        try:
            text = self._answer(reply.said, view).strip()
        except CannotBeSaid:
            # Stored by another version. That it was pressed is said all the same.
            text = ""
        values = {"login": reply.author, "button": buttons.get(reply.command, ""), "text": text}
        refused = reply.reaction == "confused"
        head = self._comments.get_template("check_pressed.md").render(values, refused=refused).strip()
        return f"{head}\n\n{text}".strip()

    def notice(self, view: View, occasion: str, told: Told) -> str:
        """Return what tells people once that a preview is `ready` or has `failed`, with its marker."""
        values = _values(_for_comments(view)) | {"told": told}
        text = self._comments.get_template(f"notices/{occasion}.md").render(values)
        return f"{notice_marker(view.preview.name, occasion)}\n{_tidy(text)}"[:COMMENT_LIMIT]

    def check(self, view: View, said: CheckSaid) -> CheckOutput:
        """Return what the check of a commit says, within GitHub's limits."""
        shown = _for_comments(replace(view, preview=steady(view.preview)))
        values = _values(shown) | {"said": said, "on_its_way": is_on_its_way(shown.preview, said)}
        title = self._terminals.get_template("check_title.txt").render(values)
        summary = self._comments.get_template("check.md").render(values)
        pressed = [self._pressed(reply, shown) for reply in said.answers]
        summary = "\n\n".join([summary.rstrip(), *pressed]) if pressed else summary
        text = self._comments.get_template("check_text.md").render(values)
        return CheckOutput(
            title=" ".join(title.split())[:LONGEST_TITLE],
            summary=cut_to_bytes(_tidy(summary), LONGEST_OUTPUT),
            text=cut_to_bytes(_tidy(text).strip(), LONGEST_OUTPUT),
        )

    def verdict_check(self, view: View, said: VerdictsSaid) -> CheckOutput:
        """Return what the check of verdicts says of a commit, within GitHub's limits."""
        values = _values(view) | {"said": said}
        title = self._terminals.get_template("verdict_check_title.txt").render(values)
        summary = self._comments.get_template("verdict_check.md").render(values)
        return CheckOutput(
            title=cut_at_the_end(_first_line(title), LONGEST_TITLE),
            summary=cut_to_bytes(_tidy(summary), LONGEST_OUTPUT),
        )

    def deployment(self, view: View, word: Word) -> str:
        """Return what stands beside the state of a deployment, as plain text within GitHub's limit."""
        shorter = replace(view, preview=with_short_details(view.preview, _DETAIL_IN_A_HEADLINE))
        values = _values(_for_comments(shorter)) | {"word": word}
        text = self._terminals.get_template("deployment.txt").render(values)
        return cut_at_the_end(_first_line(text), LONGEST_DESCRIPTION)

    def headline(self, view: View) -> str:
        """Return what the comment says first, as one plain line: for conditions and Events.

        Whatever comments may quote: who reads these may read the pods too, or was given leave to.
        """
        return self._headline(self._terminals, view)

    def _headline(self, reader: Environment, view: View) -> str:
        shorter = replace(view, preview=with_short_details(view.preview, _DETAIL_IN_A_HEADLINE))
        text = reader.get_template("headline.txt").render(_values(shorter))
        return cut_to_bytes(_first_line(text)[:HEADLINE_LIMIT], HEADLINE_BYTES)

    def facts(self, view: View) -> Facts:
        """Return what is known, for programs of those who may read the pull request and its comment."""
        # What is told in relation to the reader's clock would change by the minute.
        view = replace(_for_comments(view), now=None)
        return facts_of(view, self._headline(self._facts, view))

    def public_facts(self, view: View) -> Facts:
        """Return what is known, for programs of whoever can reach the page: no more than it shows."""
        preview = for_programs_of_the_page(view.preview, logs=view.logs)
        view = replace(view, preview=preview, now=None)
        return facts_of(view, self._headline(self._public_facts, view))

    def page(self, view: View, reader: ForReader = EVERYBODY) -> str:
        """Return the HTML of a preview's page, with no more in it than its reader may read."""
        if not reader.rights.words:
            preview, withheld = for_the_page(view.preview, logs=view.logs)
            shown, answered = replace(view, preview=preview), []
        else:
            withheld, shown = False, _for_comments(view)
            replies = answers_on_the_page(view.preview.status)
            pressed = [self._pressed(each, shown, PAGE_BUTTONS) for each in replies]
            answered = [self._pages.filters["markdown"](text) for text in pressed]
        values = {"withheld": withheld, "reader": reader, "answered": answered}
        return self.html("page.html", **_values(shown), **values)

    def no_preview(self, pull_request_url: str = "", login: str = "") -> str:
        """Return the page that says that there is no preview now, and where its pull request is, if known."""
        return self.html("no_preview.html", pull_request_url=pull_request_url, login=login)

    def style_source(self) -> str:
        """Return the pages' one style as a Content-Security-Policy names it: by its hash."""
        return self._source("page.css")

    def script_source(self, template: str = "page.js") -> str:
        """Return a page's one script in the same way; that of pages that follow along, if none is named."""
        return self._source(template)

    def _source(self, template: str) -> str:
        # https://www.w3.org/TR/CSP3/#grammardef-hash-source
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.html(template).encode()).digest()).decode()}'"

    def html(self, template: str, **values: object) -> str:
        """Return another HTML page, escaped as all are."""
        return self._pages.get_template(template).render(**values)


def _for_comments(view: View) -> View:
    return view if view.logs else replace(view, preview=without_logs(view.preview))


def _values(view: View) -> dict[str, object]:
    status = view.preview.status
    return {
        "view": view,
        "p": view.preview,
        "s": status,
        "standing": standing_of(status),
        "radius": blast_radius(status),
    }


def _with_types(values: Mapping[str, str]) -> dict[str, object]:
    """Values are stored as text; a moment among them is written as people read it."""
    return {key: datetime.fromisoformat(value) if key == "until" else value for key, value in values.items()}


def _first_line(text: str) -> str:
    """Return the first line, and with it the list or the command that it announces."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    first, *rest = lines or [""]
    if not first.endswith(":"):
        return first
    listed = list(takewhile(lambda line: line.startswith("- "), rest)) or rest[:1]
    return f"{first} {'; '.join(line.removeprefix('- ') for line in listed)}"


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
