"""A button of our own check that somebody pressed: of which pull request, what it asks for, and who did.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#check-runs-and-requested-actions
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from previewbot.api import Asked
from previewbot.api.names import is_sha
from previewbot.webhook.payload import Malformed, Payload

_EXTERNAL_ID = re.compile(r"gh-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")
"""What our check runs are called in `external_id`: the name of the Preview (`name_of`)."""


@dataclass(frozen=True)
class Press:
    """What somebody asks for with a button of the check run `check_run_id`, which stands at `head_sha`.

    `login` and `account` are who, as GitHub tells; what they may is for the controller to ask.
    """

    number: int
    asked: Asked
    login: str
    account: int
    check_run_id: int
    head_sha: str


def press_of(payload: Payload, check_run: Payload, repository_id: int) -> Press | str:
    """Return the press that a delivery about a check run of ours tells of, or why it tells of none."""
    action = payload.text("action")
    if action not in ("requested_action", "rerequested"):
        # What we write ourselves comes back as `created` and `completed`.
        return "our own check"
    sender = payload.child("sender")
    if sender.values.get("type") != "User":
        return "not pressed by a person"
    asked = _asked(payload, action)
    if asked is None:
        return "a button of another version"
    found = _EXTERNAL_ID.fullmatch(str(check_run.values.get("external_id")))
    if found is None or int(found[1]) != repository_id:
        return "a check of our App's that names no pull request of this repository"
    sha = check_run.text("head_sha")
    if not is_sha(sha):
        raise Malformed("`check_run.head_sha` is no commit")
    return Press(
        number=int(found[2]),
        asked=asked,
        login=sender.login("login"),
        account=sender.number("id"),
        check_run_id=check_run.number("id"),
        head_sha=sha,
    )


def _asked(payload: Payload, action: str) -> Asked | None:
    # GitHub's own "Re-run", which every check has: whoever wants one anew means a start.
    identifier = "start" if action == "rerequested" else payload.child("requested_action").text("identifier")
    return Asked(identifier) if identifier in frozenset(Asked) else None
