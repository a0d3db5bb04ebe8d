"""What somebody says of a preview, as a comment in that person's own name.

    <!-- previewbot verdict says=work sha=0123456789abcdef0123456789abcdef01234567 path=/cart -->
    **Needs work**: [`/cart`](https://…/cart) in the preview of 0123456789abcdef0123456789abcdef01234567

    @copilot Please change this pull request so that it does what is said here:

    The sum is wrong.

What a person writes is a person's: none of it gives a command, or passes for words of previewbot's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, unquote, urljoin

from jinja2 import FileSystemLoader, Template

from previewbot.api.verdicts import SaidVerdict as SaidVerdict
from previewbot.api.verdicts import Says
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.environment import for_comments, templates_directory
from previewbot.text.markdown import fenced
from previewbot.text.unseen import seen

LONGEST_WORDS = 4_000
"""Characters of the words of a verdict."""

LONGEST_PATH = 300
"""Characters of the path looked at; of a longer one only its page is named."""

HANDED = "Please change this pull request so that it does what is said here:"
"""What stands behind the mention that wakes an agent; it is read again, to tell it from a person's words."""

TOLD = (
    "What stood between `<!--` and `-->` was left out: nobody sees it on GitHub.",
    "A block was left out that looks like the one in which previewbot tells programs facts.",
    "What begins with `/preview` is shown as code: it is no command, since you said it here.",
    f"Only the first {LONGEST_WORDS:,} characters are kept.",
)
"""What may have been changed of somebody's words, in words for them."""

_HIDDEN, _FACTS, _COMMAND, CUT = TOLD

QUOTED_PATH = 12 * LONGEST_PATH
"""Characters of the path in a marker: one may be four bytes, and each is written with three characters."""

_MARKER_RE = re.compile(
    r"\A<!-- previewbot verdict says=(good|work) sha=([0-9a-f]{40}|[0-9a-f]{64})"
    rf" path=(/[!-~]{{0,{QUOTED_PATH}}}) -->(?:\r?\n|\Z)"
)
_HANDED_RE = re.compile(rf"\A@[A-Za-z0-9-]{{1,60}} {re.escape(HANDED)}(?:\n|\Z)")

# https://spec.commonmark.org/0.31.2/#html-comment; what is never closed hides all that comes after it.
_HIDDEN_RE = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))", re.DOTALL)
_FACTS_RE = re.compile(
    r"^[ \t]{0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n\s*+\{\s*+\"previewbot\"\s*+:"
    r".*?(?:^[ \t]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
# Nothing is looked at twice (`*+`), so that a line of nothing but blanks takes no time.
_FENCE_RE = re.compile(r"^[ \t>]*+(?:(?:[-+*]|\d{1,9}[.)])[ \t]*+)?(?:```|~~~)", re.MULTILINE)
# What may stand before it: signs of Markdown, what is written for a blank, a name; and elements of HTML.
_BEFORE = r"[\s>*_`~#\\+.):(\[|-]|\d{1,9}[.)]|&[#\w]{1,20};|@[A-Za-z0-9\[\]-]{1,50}[,:]?\s"
_COMMAND_RE = re.compile(rf"\A(?:{_BEFORE}|<[^>]*>)*/preview", re.IGNORECASE)
# Bounded, since it is looked for from each sign on.
_WITHIN_A_LINE_RE = re.compile(rf"[>\])](?:{_BEFORE}|<[^>]{{0,200}}>){{0,50}}/preview", re.IGNORECASE)
"""Behind an element of HTML, which may begin a line where the text has none."""


@dataclass(frozen=True)
class Cleaned:
    """Somebody's words as they may stand in a comment; `told` says of it what was changed (`TOLD`)."""

    text: str
    told: tuple[str, ...] = ()


def verdict_comment(
    says: Says, sha: str, path: str, words: str, *, preview_url: str, hand_to: str = ""
) -> str:
    """Return the comment that is a verdict on `path` as the commit `sha` shows it.

    `words` are cleaned here, too. `preview_url` is the preview's link, from which the path goes on; empty
    where there is none. `hand_to` is the mention that wakes an agent (`@copilot`); empty hands it to none.
    Raises ValueError for a commit's name that is none.
    """
    path = path_of(path)
    marker = f"<!-- previewbot verdict says={says} sha={sha} path={in_a_marker(path)} -->"
    if not _MARKER_RE.match(marker):
        raise ValueError(f"not the name of a commit: {sha!r}")
    text = _template().render(
        says=says,
        sha=sha,
        path=path,
        url=address_of(preview_url, path),
        words=cleaned(words).text,
        hand_to=hand_to,
        handed=HANDED,
    )
    return f"{marker}\n{text.strip()}\n"


@cache
def _template() -> Template:
    return for_comments(FileSystemLoader(templates_directory())).get_template("verdict.md")


def is_verdict(body: str) -> bool:
    """Return whether a text begins as a verdict does."""
    return _MARKER_RE.match(body) is not None


def parse_verdict(body: str) -> SaidVerdict | None:
    """Return what a comment says that begins as a verdict does, at its very beginning; None for any other."""
    found = _MARKER_RE.match(body)
    if found is None:
        return None
    # Whoever edits a comment before anybody has read it writes there what no form of ours would let through.
    _, _, rest = seen(_lines_of(body[found.end() :])).partition("\n")
    return SaidVerdict(
        says=Says(found[1]),
        sha=found[2],
        path=path_of(unquote(found[3], errors="replace")),
        words=_HANDED_RE.sub("", rest.strip()).strip(),
    )


def path_of(text: str) -> str:
    """Return the path of an address on the preview, with what is asked of it; `/` for what is none.

    Nothing in it leads to another host, and nobody sees less of it than a program does.
    """
    path, _, _ = seen(text).strip().partition("#")
    path = "".join(path.split())
    # Two slashes, also turned round, begin another host's name (https://url.spec.whatwg.org/#relative-state).
    if not path.startswith("/") or path[1:2] in ("/", "\\"):
        return "/"
    if len(path) > LONGEST_PATH:
        path = path.partition("?")[0]
    return path if len(path) <= LONGEST_PATH else "/"


def cleaned(words: str) -> Cleaned:
    """Return somebody's words without what nobody sees, and with nothing in them that is or looks like a
    command, or like what previewbot writes."""
    shown_to_all = without_what_nobody_sees(words)
    text, told = shown_to_all.text, list(shown_to_all.told)
    shown = _commands_as_code(text)
    if shown != text:
        told.append(_COMMAND)
    if len(shown) > LONGEST_WORDS:
        told.append(CUT)
        # The cut may fall into a block of code, in which a command stood.
        shown = _commands_as_code(cut_at_the_end(text, LONGEST_WORDS - 20))
    return Cleaned(shown.strip(), tuple(told))


def without_what_nobody_sees(words: str) -> Cleaned:
    """Return somebody's words without what only programs see of them."""
    told: list[str] = []
    # No form takes as many; of what anybody may send, no more is looked at.
    text = seen(_lines_of(words[: 4 * LONGEST_WORDS])).strip()
    # What is left of one that stood in another may be one again.
    without = _until_it_stays(text, _HIDDEN_RE)
    if without != text:
        told.append(_HIDDEN)
    text, before = _until_it_stays(without, _FACTS_RE), without
    if text != before:
        told.append(_FACTS)
    # Each may leave behind what makes the other.
    return Cleaned(_until_it_stays(text, _HIDDEN_RE).strip(), tuple(told))


def _lines_of(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _until_it_stays(text: str, unwanted: re.Pattern[str]) -> str:
    while (after := unwanted.sub("", text)) != text:
        text = after
    return text


def _commands_as_code(text: str) -> str:
    """Return a text in which each line that begins with a command is a block of code of its own."""
    lines = text.split("\n")
    found = [bool(_COMMAND_RE.match(line)) for line in lines]
    within = _WITHIN_A_LINE_RE.search(text)
    if not any(found) and not within:
        return text
    if within or "<" in text or _FENCE_RE.search(text):
        # Whether a line is code already, and where one begins, is a matter of all that comes before.
        return fenced(lines)
    return "\n".join(fenced([line]) if is_one else line for line, is_one in zip(lines, found, strict=True))


def in_a_marker(text: str, safe: str = "/?=&+,;:@~") -> str:
    """Return a text as it stands in a marker: without blanks, and with nothing that ends the marker."""
    return quote(text, safe=safe).replace("--", "%2D%2D")


def address_of(preview_url: str, path: str) -> str:
    """Return the address of a path on a preview; empty where the preview has no link that just works."""
    # What would end the link is quoted, and what is quoted already stays.
    return urljoin(preview_url, quote(path, safe="/?=&+,;:@~%")) if preview_url else ""
