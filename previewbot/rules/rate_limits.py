"""Whether GitHub's refusal is a rate limit, and how long it asks us to wait.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit:
both limits answer 403 or 429. `retry-after` says how long; else, when `x-ratelimit-remaining` is 0,
`x-ratelimit-reset` says until when (epoch seconds); else a minute is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_WAIT = 60.0
"""Seconds to wait where GitHub names no time."""

LONGEST_WAIT = 3_600.0
"""Seconds; GitHub's own window. A skewed clock or a broken header must not silence us for days."""


def rate_limit_wait(status: int, headers: Mapping[str, str], message: str, now: float) -> float | None:
    """Return the seconds to wait if the answer is a rate limit, else None; `now` is epoch seconds.

    `headers` must be found by their lower-case names.
    """
    if status not in (403, 429):
        return None
    # First, since a secondary limit sends it while `x-ratelimit-remaining` still shows requests that are
    # left.
    asked = retry_after(headers)
    if asked is not None:
        return asked
    if headers.get("x-ratelimit-remaining") == "0":
        reset = number(headers.get("x-ratelimit-reset"))
        return DEFAULT_WAIT if reset is None else within_bounds(reset - now)
    # A 403 usually means that we may not do this. The wording is the only sign of a secondary limit that
    # carries no header.
    text = message.lower()
    if status == 429 or "rate limit" in text or "abuse detection" in text:
        return DEFAULT_WAIT
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `retry-after` header, bounded, or None if there is none in seconds."""
    seconds = number(headers.get("retry-after"))
    return None if seconds is None else within_bounds(seconds)


def within_bounds(seconds: float) -> float:
    """Return seconds to wait that are neither none nor more than an hour."""
    return min(max(seconds, 1.0), LONGEST_WAIT)


def number(text: str | None) -> float | None:
    """Return the number in a header, or None where there is none."""
    # `retry-after` may also be a date, and `isdigit` is true for digits of other scripts that `float` may not
    # take.
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return float(text)
