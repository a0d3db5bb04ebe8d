"""Branches of a merge queue: of which pull request each is.

GitHub tries a pull request together with those before it in a commit of its own, on a branch made for that.
https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/merging-a-pull-request-with-a-merge-queue
"""

from __future__ import annotations

import re

_BRANCH = re.compile(r"(?:refs/heads/)?gh-readonly-queue/.{1,255}/pr-([1-9][0-9]{0,17})-[0-9a-f]{40,64}")


def queued_number(branch: object) -> int:
    """Return the number of the pull request that a branch of a merge queue is of; 0 for any other branch."""
    found = _BRANCH.fullmatch(branch) if isinstance(branch, str) else None
    return int(found[1]) if found else 0
