"""What the answers at public_url mean: judged here, asked elsewhere."""

from __future__ import annotations

from previewbot.doctor.check import Check, Whose, note, ok, safe, wrong

WEB = "public_url"
UNSIGNED = "X-Hub-Signature-256 is missing"
"""What previewbot's web says to a webhook that nobody signed."""

DIFFERENT = "the signature does not match"
"""What it says to one that was signed with another secret than its own."""


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
