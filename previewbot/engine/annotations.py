"""What an object of ours says of itself to whoever audits the cluster: for whom it was made, and why.

The API server's audit log keeps a created object with its annotations, long after the object, the Preview
and the pull request's branch are gone. Who it is for and why decides nothing: that is never read back, and no
spec hash covers it. The commit and the hash are what the next pass goes by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from previewbot.api import GROUP, Preview
from previewbot.text.cutting import cut_at_the_end
from previewbot.text.unseen import one_line_of

AGENT = f"{GROUP}/agent"
"""The coding agent, by the name that the comment has too, such as `Copilot`."""
AUTHOR = f"{GROUP}/author"
"""The login of the account that opened the pull request."""
PULL_REQUEST = f"{GROUP}/pull-request"
"""Like `acme/shop#42`."""
TRIGGER = f"{GROUP}/trigger"
"""What asked for the preview, in the words of `status.observed.trigger`."""
STARTED_BY = f"{GROUP}/started-by"
"""The login of the person whose `/preview start` it runs by; of a fork's commit, who approved it."""
HEAD_SHA = f"{GROUP}/head-sha"
"""The commit that is run, or led to."""
SPEC_HASH = f"{GROUP}/spec-hash"
"""The hash of the object's spec: if what is desired has another, the object is not what it should be."""
MIGRATIONS_HASH = f"{GROUP}/migrations-hash"
"""The hash of what of the object's spec is patched in place: of a database branch its migrations."""

LONGEST = {AGENT: 100, AUTHOR: 100, PULL_REQUEST: 200, TRIGGER: 200, STARTED_BY: 100}
"""Characters that a value may have; the admission policy in the chart bounds them alike."""
IDENTITY = tuple(LONGEST)
"""The keys of `who_and_why`."""


def who_and_why(preview: Preview) -> dict[str, str]:
    """Return for whom something of a preview is made, and who or what started it; what is unknown is left
    out.

    It is as far as known at this moment: an object that is not changed later goes on saying who started it
    then.
    """
    spec, observed = preview.spec, preview.status.observed
    values = {
        AGENT: observed.agent.name if observed.agent else "",
        AUTHOR: observed.author,
        PULL_REQUEST: f"{spec.repository}#{spec.number}",
        TRIGGER: observed.trigger,
        STARTED_BY: preview.status.lifecycle.started_by,
    }
    cleaned = {key: _cleaned(value, LONGEST[key]) for key, value in values.items()}
    return {key: value for key, value in cleaned.items() if value}


def hash_of(spec: Mapping[str, Any]) -> str:
    """Return what `SPEC_HASH` says of a spec."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


def _cleaned(value: str, longest: int) -> str:
    """Return a value on one line, without characters that a terminal would obey or nobody would see."""
    # A login is GitHub's word, and a label in a trigger's words some collaborator's. In an auditor's terminal
    # a line break would look like another record, and half a character (a lone surrogate, which JSON can
    # hold) could not even be sent to the API server.
    words = ("".join(filter(str.isprintable, word)) for word in one_line_of(value).split())
    return cut_at_the_end(" ".join(filter(None, words)), longest)
