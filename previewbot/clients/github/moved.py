"""Where a redirect of GitHub's leads: to the same thing in a renamed repository, or to another thing.

Pure: addresses in, whether to follow out.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_THREAD_RE = re.compile(r"/issues/([0-9]{1,18})/comments\Z")


def leads_to_another_issue(url: str, target: str) -> bool:
    """Return whether a request for an issue's comments is led to those of another issue.

    An issue that somebody moved to another repository has another number there
    (https://docs.github.com/en/rest/issues/issues#get-an-issue): what was to be written is for the readers of
    the repository that it was in.
    """
    asked = _THREAD_RE.search(urlsplit(url).path)
    led = _THREAD_RE.search(urlsplit(target).path)
    return asked is not None and (led is None or led[1] != asked[1])
