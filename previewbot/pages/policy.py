"""What a browser may do with a page of ours, as a Content-Security-Policy (https://www.w3.org/TR/CSP3/).

Everything is forbidden, and then what a page has of its own is allowed, by its hash: whatever else came into
a page would be neither run nor loaded.
"""

from __future__ import annotations

HEADER = "Content-Security-Policy"


def policy(style: str, script: str = "") -> str:
    """Return the policy of pages with this style; with a `script` they may run it and ask their own host."""
    parts = ["default-src 'none'", f"style-src {style}"]
    if script:
        parts += [f"script-src {script}", "connect-src 'self'"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])
