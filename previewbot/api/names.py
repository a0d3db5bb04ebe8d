"""What GitHub calls a repository and a commit: the one rule for names that become parts of addresses.

https://docs.github.com/en/rest/repos/repos#create-a-repository-for-the-authenticated-user and
https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
"""

from __future__ import annotations

import re

# A name of dots alone is taken out of an address by clients and servers, and what follows is then another
# address: `/repos/../app` is `/app`. Written without a look-ahead, which the API server's patterns lack.
FULL_NAME = r"^[A-Za-z0-9_-]{1,100}/[.]{0,99}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"
"""`owner/name`: letters, digits and `-` (`_` in an enterprise's managed users); a name may have dots too."""

_FULL_NAME_RE = re.compile(FULL_NAME)
_SHA_RE = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def is_full_name(text: str) -> bool:
    """Return whether a text is `owner/name` as GitHub has them."""
    return _FULL_NAME_RE.fullmatch(text) is not None


def is_sha(text: str) -> bool:
    """Return whether a text is the whole name of a commit (SHA-1 or SHA-256)."""
    return _SHA_RE.fullmatch(text) is not None
