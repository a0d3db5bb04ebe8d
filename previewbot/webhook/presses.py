"""Buttons of our own check that somebody pressed: of which pull request, what is asked for, and by whom.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#check-runs-and-requested-actions
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from previewbot.api import ASKED_IN_CHECKS, Asked, AskedIn
from previewbot.api.check_runs import VERDICT_CHECK_NAME
from previewbot.api.names import is_sha
from previewbot.webhook.payload import Malformed, Payload

_EXTERNAL_ID = re.compile(r"gh-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")
"""What our check runs are called in `external_id`: the name of the Preview (`name_of`)."""

_PLACES = {"check_run": AskedIn.CHECK_RUN, "check_suite": AskedIn.CHECK_SUITE}


@dataclass(frozen=True)
class Press:
    """What somebody asks for with a button of a check run, or of a suite of them, at `head_sha`.

    `place` says which of the two, and `place_id` is its number. `login` and `account` are who, as GitHub
    tells; what they may is for the controller to ask.
    """

    number: int
    asked: Asked
    login: str
    account: int
    place: AskedIn
    place_id: int
    head_sha: str


def presses_of(event: str, payload: Payload, subject: Payload) -> tuple[Press, ...] | str:
    """Return the presses that a delivery about a check of ours tells of, or why it tells of none.

    `subject` is the `check_run` or the `check_suite`. Whoever has all checks of a commit run again means
    those of each pull request that has it.
    """
    action, is_suite = payload.text("action"), event == "check_suite"
    if action != "rerequested" and (is_suite or action != "requested_action"):
        # What we write ourselves comes back as `created` and `completed`.
        return "our own check"
    sender = payload.child("sender")
    if sender.values.get("type") != "User":
        return "not pressed by a person"
    if not is_suite and subject.values.get("name") == VERDICT_CHECK_NAME:
        # "Re-run" is no verdict, and means no start either.
        return "the check of verdicts, at which nothing is pressed"
    asked, repository_id = _asked(payload, action), payload.child("repository").number("id")
    if asked is None:
        return "a button of another version"
    numbers = subject.pull_requests(repository_id) if is_suite else _named(subject, repository_id)
    if not numbers:
        return "a check of our App's that names no pull request of this repository"
    sha = subject.text("head_sha")
    if not is_sha(sha):
        raise Malformed(f"`{event}.head_sha` is no commit")
    login, account, place_id = sender.login("login"), sender.number("id"), subject.number("id")
    return tuple(
        Press(number, asked, login, account, _PLACES[event], place_id, sha)
        for number in dict.fromkeys(numbers)
    )


def _named(check_run: Payload, repository_id: int) -> tuple[int, ...]:
    found = _EXTERNAL_ID.fullmatch(str(check_run.values.get("external_id")))
    return (int(found[2]),) if found is not None and int(found[1]) == repository_id else ()


def _asked(payload: Payload, action: str) -> Asked | None:
    # GitHub's own "Re-run" and "Re-run all checks": whoever wants one anew means a start.
    identifier = "start" if action == "rerequested" else payload.child("requested_action").text("identifier")
    return Asked(identifier) if identifier in ASKED_IN_CHECKS else None
