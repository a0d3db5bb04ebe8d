"""What a browser may do with a page of ours, as a Content-Security-Policy (https://www.w3.org/TR/CSP3/).

Everything is forbidden, and then what a page has of its own is allowed, by its hash: whatever else came into
a page would be neither run nor loaded.
"""

from __future__ import annotations

HEADER = "Content-Security-Policy"


def policy(style: str, script: str = "", *, forms: bool = False, images: bool = False) -> str:
    """Return the policy of pages with this style; with a `script` they may run it and ask their own host.

    With `forms` they may send those to their own host, and nowhere else; with `images` they show its own.
    """
    parts = ["default-src 'none'", f"style-src {style}"]
    if script:
        parts += [f"script-src {script}", "connect-src 'self'"]
    if images:
        parts.append("img-src 'self'")
    sends = "form-action 'self'" if forms else "form-action 'none'"
    return "; ".join([*parts, "base-uri 'none'", sends, "frame-ancestors 'none'"])
