"""What the answers at public_url mean: judged here, asked elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from previewbot.doctor.check import Check, Whose, note, ok, safe, wrong

WEB, PAGES, ENTERING = "public_url", "public_url: pages", "public_url: the way into previews"
UNSIGNED = "X-Hub-Signature-256 is missing"
"""What previewbot's web says to a webhook that nobody signed."""

DIFFERENT = "the signature does not match"
"""What it says to one that was signed with another secret than its own."""


_TITLE = '"title": "previewbot"'
"""What begins the description that pages gives of its JSON (`pages/openapi.py`)."""

_ON_PAGES = (
    "/, /p, everything below /p/, /p.json, /previews, /previews.json and /openapi.json, where people sign in "
    "also /sign-in, everything below /sign-in/ and /sign-out, with a guard /enter,"
)


def is_webs(headers: Mapping[str, str]) -> bool:
    """Return whether an answer without a page in it has the headers that our web gives (`bare_app`)."""
    return _is_ours(headers) and headers.get("Content-Type", "").startswith("text/plain")


def is_pages(headers: Mapping[str, str]) -> bool:
    """Return whether an answer has the headers that pages give, and is a page: web has none."""
    return _is_ours(headers) and headers.get("Content-Type", "").startswith("text/html")


def _is_ours(headers: Mapping[str, str]) -> bool:
    return headers.get("X-Robots-Tag") == "noindex" and headers.get("Referrer-Policy") == "no-referrer"


def leads_in(url: str, status: int, *, is_pages: bool) -> Check:
    """Return whether people whom the guard sends to the sign-in get to pages."""
    if status == 404 and is_pages:
        return ok(ENTERING, f"pages answer at {url}, where the guard leads people")
    if status == 404:
        words = f"{url} leads nowhere, and the guard leads people there: lead it to the Service of pages"
        return wrong(ENTERING, words, Whose.PLATFORM_TEAM)
    words = (
        f"something else than pages answers at {url} ({status}), where the guard leads people: fine if it "
        "is a sign-on proxy that leads them on to pages, else lead it to the Service of pages"
    )
    return note(ENTERING, words)


def no_pages(url: str, why: str) -> Check:
    """Return that nothing answered from here: people come from elsewhere."""
    return note(PAGES, f"{url} cannot be reached from here ({safe(why)})")


def shown(url: str, status: int, text: str, *, is_webs: bool) -> Check:
    """Return whether it was previewbot's pages that answered; `is_webs`: our web did."""
    if status == 200 and _TITLE in text:
        return ok(PAGES, f"previewbot's pages answer at {url}")
    if status == 404 and is_webs:
        words = (
            f"web answers at {url}, which takes webhooks alone: lead {_ON_PAGES} to the Service of pages "
            "(docs/operations.md, “Upgrade, and back”)"
        )
        return wrong(PAGES, words, Whose.PLATFORM_TEAM)
    if status in (502, 503, 504):
        words = (
            f"{url} answers {status}: what stands before pages does not reach it; see its Service and pods"
        )
        return wrong(PAGES, words)
    words = (
        f"something else than previewbot's pages answers at {url} ({status}): links that do not serve lead "
        f"people there. Unless they come another way, lead {_ON_PAGES} to the Service of pages"
    )
    return note(PAGES, words)


def unreachable(url: str, why: str) -> Check:
    """Return that nothing answered from here: GitHub and people come from elsewhere."""
    words = (
        f"{url} cannot be reached from here ({safe(why)}); whether GitHub reaches it, its deliveries say, "
        "and people need it for pages only"
    )
    return note(WEB, words)


def answered(url: str, status: int, text: str, *, signed: bool) -> Check:
    """Return whether it was previewbot's web that answered, and whether its secret is ours."""
    if status == 401 and text.startswith(UNSIGNED):
        return ok(WEB, f"previewbot's web answers at {url}")
    if signed and status == 200 and text.strip() == "pong":
        return ok(WEB, f"previewbot's web answers at {url}, and takes what is signed with our webhook secret")
    if signed and status == 401 and text.startswith(DIFFERENT):
        words = (
            f"web at {url} has another webhook secret than the one here: restart it, as it "
            "reads its Secret once"
        )
        return wrong(WEB, words)
    if status in (502, 503, 504):
        words = f"{url} answers {status}: what stands before web does not reach it; see its Service and pods"
        return wrong(WEB, words)
    words = (
        f"something else than previewbot's web answers at {url} ({status}: {safe(text[:200])}): lead "
        "/webhook there to web's Service (ingress or httpRoute of the chart), past any sign-in"
    )
    return wrong(WEB, words, Whose.PLATFORM_TEAM)
