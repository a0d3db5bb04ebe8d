"""Kubernetes' long messages, short enough for a line: their cause stands at the end, so the middle goes.
Pure.

Each layer puts its own words before those of the one below (kubelet, containerd, the registry's client), and
most of them name the image again, with its digest of 64 characters. So images are shortened first, and what
is still too long loses its middle: what was tried stands at the beginning, why it failed at the end.

Only for what is masked already (`rules/masking.py`): without its middle a line may have lost the name by
which a secret behind it is known.
"""

from __future__ import annotations

import re

DIGEST_SHOWN = 12
"""So many characters of a digest tell it from any other: Docker's own tools show as many."""

_DIGEST_RE = re.compile(rf"\b(sha256:[0-9a-f]{{{DIGEST_SHOWN}}})[0-9a-f]{{52}}\b")
_IMAGE = r"[\w.-]+(?::[0-9]{1,5})?(?:/[\w.-]+){1,20}(?::[\w.-]+)?@sha256:[0-9a-f]{12}\b"
# An image by its tag is only told from a path by the quotes that containerd and kubelet put around it.
_MENTION_RE = re.compile(rf"\"(?P<quoted>[\w.:-]+(?:/[\w.:@-]+){{1,20}})\"|(?<![\w./@:-])(?P<bare>{_IMAGE})")
_LOOSE_COLONS_RE = re.compile(r"\s{0,9}:(?:\s{0,9}:)+(?=\s)| (?=: )")


def with_short_images(message: str) -> str:
    """Return a message that says each image once, and of each digest its first characters."""
    message = _DIGEST_RE.sub(r"\g<1>", message)
    said: set[str] = set()

    def once(found: re.Match[str]) -> str:
        image = found["quoted"] or found["bare"]
        again = image in said
        said.add(image)
        return "" if again else found[0]

    shortened = _MENTION_RE.sub(once, message)
    if shortened == message:
        return message
    # What an image stood between: `failed to resolve reference "…": …: not found`.
    shortened = _LOOSE_COLONS_RE.sub(lambda loose: ":" if ":" in loose[0] else "", shortened)
    return " ".join(shortened.split()).removeprefix(": ")
