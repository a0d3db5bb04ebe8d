"""The page's address as a QR code, for whoever wants it on a phone."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_svg(url: str) -> Markup:
    """Return an SVG element that says a URL; it has no script and loads nothing."""
    # White with a margin of four modules also where the page is dark: many readers find no other
    # (ISO/IEC 18004, 5.3.8).
    drawn = segno.make(url, micro=False, error="m").svg_inline(
        scale=5, border=4, light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    # What it says stands beside it in words, so it is nothing to read aloud.
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))
