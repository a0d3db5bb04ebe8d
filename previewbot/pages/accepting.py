"""Which kind of answer somebody would rather have."""

from __future__ import annotations

from flask import request

_LONGEST = 1000
"""Characters. Browsers send some 150; werkzeug takes seconds for one of 30,000 that is mostly blanks, since
its time grows with the square."""


def best_of(*kinds: str) -> str | None:
    """Return which of some media types the request that is under way would rather have; None for neither.

    Of a header that is longer than any browser's nothing is read.
    """
    if len(request.headers.get("Accept", "")) > _LONGEST:
        return None
    return request.accept_mimetypes.best_match(kinds)
