"""What a page has beside the preview: whom it is for, what they may do, what came of what they did."""

from __future__ import annotations

from dataclasses import dataclass, field

from previewbot.api.rights import Rights

HANDED_OVER = "hand"
"""What the button says that means: it needs work, and its agent is to do it."""


@dataclass(frozen=True)
class Note:
    """What came of what somebody just did, first on the page: `words`, and where it can be read (`url`).

    `bad`: it was not done, and the words say what to do.
    """

    words: str
    url: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Draft:
    """What somebody wrote and what was not taken, so that nothing of it is lost: their words and the path."""

    words: str = ""
    path: str = ""


NOTHING_WRITTEN = Draft()


@dataclass(frozen=True)
class ForReader:
    """Whom a page is for.

    Without a `login` nobody is signed in; `sign_in_url` is where they can, empty where nobody can. Who comes
    `by_proxy` has no account at GitHub that anybody knows of, and cannot sign out here. `csrf` and
    `form_id` go into each form: the first shows that it came from a page of ours, the second makes a form
    that is sent twice one request. `agent` is who the words may be handed to, by `mention`; empty where it is
    not known how to wake that agent. `serving_sha` is the one commit that answers now, of which a verdict is;
    `head_sha` the newest, which a start is of. `json_url` and `tag` are what the page asks for news, and what
    it knows already. `qr` is an SVG of the page's address.
    """

    rights: Rights = field(default_factory=Rights)
    login: str = ""
    by_proxy: bool = False
    csrf: str = field(default="", repr=False)
    form_id: str = ""
    sign_in_url: str = ""
    agent: str = ""
    mention: str = ""
    serving_sha: str = ""
    head_sha: str = ""
    json_url: str = ""
    tag: str = ""
    qr: str = ""
    note: Note | None = None
    draft: Draft = NOTHING_WRITTEN


EVERYBODY = ForReader(rights=Rights(state=True))
"""Whoever reaches a page that is public."""
