"""What somebody says of a preview who came by a sign-on proxy: previewbot quotes them in its own comment.

    <!-- previewbot quote request=4711 says=work sha=0123… name=Pia by=0123456789ab path=/cart -->
    **Needs work**, says **Pia** (not a GitHub account): [`/cart`](https://…/cart) in the preview of 0123…

    > The sum is wrong.

Nobody at GitHub vouches for these words. So they are shown as they were typed and do nothing: they mention
nobody, lead nowhere, and no line of them begins where a command would.
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote

from jinja2 import FileSystemLoader, Template

from previewbot.api.preview_request import MARK_DIGITS, Actor, Saying
from previewbot.api.verdicts import SaidVerdict, Says, called
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.environment import for_comments, templates_directory
from previewbot.text.markdown import md, unescaped
from previewbot.text.numbers import number_in
from previewbot.text.unseen import one_line_of
from previewbot.text.verdicts import (
    CUT,
    LONGEST_WORDS,
    QUOTED_PATH,
    Cleaned,
    address_of,
    in_a_marker,
    path_of,
    without_what_nobody_sees,
)

LONGEST_NAME = 100
"""Characters of what somebody is called."""

_QUOTED_NAME = 12 * LONGEST_NAME
"""A character may be four bytes, and each is written with three characters."""

_MARKER_RE = re.compile(
    r"\A<!-- previewbot quote request=([0-9]{1,19}) says=(good|work) sha=([0-9a-f]{40}|[0-9a-f]{64})"
    rf" name=([!-~]{{1,{_QUOTED_NAME}}}) by=([0-9a-f]{{{MARK_DIGITS}}})"
    rf" path=(/[!-~]{{0,{QUOTED_PATH}}}) -->(?:\r?\n|\Z)"
)


def quotable(words: str) -> Cleaned:
    """Return somebody's words as they are quoted: lines without what nobody sees, cut; `told` says what was
    changed of them (`TOLD`)."""
    found = without_what_nobody_sees(words)
    lines: list[str] = []
    for line in map(one_line_of, found.text.split("\n")):
        if line or (lines and lines[-1]):
            lines.append(line)
    text = "\n".join(lines).strip()
    if len(text) <= LONGEST_WORDS:
        return Cleaned(text, found.told)
    return Cleaned(cut_at_the_end(text, LONGEST_WORDS).strip(), (*found.told, CUT))


def name_of_somebody(name: str) -> str:
    """Return what somebody is called as it is shown everywhere: one line, cut."""
    return one_line_of(name)[:LONGEST_NAME].strip()


def _path(text: str) -> str:
    """Return the path that somebody looked at, in which nothing looks like a mention.

    GitHub tells nobody of one in code or in an address. What wakes agents searches the comment as it was
    written, and this one is by an App of the organisation.
    """
    # It may be too long then.
    return path_of(path_of(text).replace("@", "%40"))


def quote_comment(request: int, actor: Actor, saying: Saying, *, preview_url: str, nth: int = 1) -> str:
    """Return the comment in which previewbot quotes somebody who said this in a request of that number.

    Words, name and path are cleaned here, whatever was done with them before. `preview_url` is the preview's
    link, from which the path goes on; empty where there is none. `nth` is which of all of that name they are.
    Raises ValueError for a name or the name of a commit that are none.
    """
    name, path = name_of_somebody(actor.name), _path(saying.path)
    fields = (
        f"request={request} says={saying.says} sha={saying.sha} name={in_a_marker(name, '')} by={actor.mark}"
    )
    marker = f"<!-- previewbot quote {fields} path={in_a_marker(path)} -->"
    if not _MARKER_RE.match(marker):
        raise ValueError(f"nothing to quote: {name!r} of {saying.sha!r}")
    text = _template().render(
        says=saying.says,
        sha=saying.sha,
        name=called(name, nth),
        path=path,
        url=address_of(preview_url, path),
        lines=[f"> {md(line)}".rstrip() for line in quotable(saying.words).text.split("\n")],
        has_words=bool(quotable(saying.words).text),
    )
    return f"{marker}\n{text.strip()}\n"


def parse_quote(body: str) -> SaidVerdict | None:
    """Return what a comment says that begins as a quotation does, at its very beginning; None for any other.

    Anybody can write one, or change a comment of previewbot's into one: only what it wrote itself counts.
    """
    found = _MARKER_RE.match(body)
    request = number_in(found[1]) if found is not None else 0
    if found is None or not request:
        return None
    lines = body[found.end() :].replace("\r\n", "\n").split("\n")
    quoted = [unescaped(line[1:]).strip() for line in lines if line.startswith(">")]
    return SaidVerdict(
        says=Says(found[2]),
        sha=found[3],
        path=_path(unquote(found[6], errors="replace")),
        words=quotable("\n".join(quoted)).text,
        name=name_of_somebody(unquote(found[4], errors="replace")),
        request=request,
        mark=found[5],
    )


@cache
def _template() -> Template:
    return for_comments(FileSystemLoader(templates_directory())).get_template("quote.md")
