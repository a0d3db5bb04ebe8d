"""Where somebody may be led back to after a sign-in or a form: pages of ours, and nothing else. Pure."""

from __future__ import annotations

import re

from previewbot.rules.guard_refusals import ENTER

HOME = "/"
SIGNED_IN = "/sign-in/done"
"""Where GitHub leads somebody back who has let the App act for them: a callback URL of the App."""

LONGEST_TO = 1500
"""Characters of where a way into a preview leads, as they stand in an address: a cookie holds all of it."""

_NUMBER = "[1-9][0-9]{0,18}"
_LIST = "/previews"
_PAGE = rf"/p/{_NUMBER}/{_NUMBER}"
# What filters and paths within a preview consist of, as a form or a script of ours writes them.
_QUERY = r"(\?[A-Za-z0-9._~=&+/:%-]{0,1000})?"
# The way through the guard into a preview, whose address is judged anew when somebody comes back
# (`pages.entering`).
_ENTER = rf"{re.escape(ENTER)}\?to=[A-Za-z0-9._~%-]{{1,{LONGEST_TO}}}&way=[A-Za-z0-9_-]{{43}}"
_OURS = re.compile(rf"({_PAGE}|{_LIST}){_QUERY}|{_ENTER}")
_BEGINS = re.compile(rf"{_PAGE}(?=/|$)|{_LIST}$")


def way_back(wanted: str) -> str:
    """Return where to lead somebody who wants to go there: to a page of a preview, the list, or home.

    Never to another host: what else an address may be, such as `//host` or `/\\host`, browsers read in their
    own ways (https://url.spec.whatwg.org/#relative-slash-state), so only what is known to be ours is taken.
    """
    return wanted if _OURS.fullmatch(wanted) else HOME


def page_behind(path: str) -> str:
    """Return the page on which a form stands that is sent to this path."""
    found = _BEGINS.match(path)
    return found[0] if found else HOME
