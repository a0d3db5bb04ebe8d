"""What a tool says where it cannot answer: which mistake it is, whose, and what to do next."""

from __future__ import annotations

from previewbot.api.names import is_sha
from previewbot.api.reference import Reference, reference_from
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater, Unauthorized
from previewbot.rules.masking import one_line

_SOON = 30


class CannotAnswer(Exception):
    """A tool cannot answer; the words say why, and what to do."""


def pull_request_in(text: str) -> Reference:
    """Return which pull request somebody means; raises CannotAnswer."""
    try:
        return reference_from(text)
    except ValueError as error:
        raise CannotAnswer(one_line(str(error))) from None


def commit_in(text: str) -> str:
    """Return a commit's whole name, "" for none; raises CannotAnswer."""
    sha = text.strip().lower()
    if sha and not is_sha(sha):
        raise CannotAnswer(
            f"{one_line(text)!r} is no whole commit: give all 40 digits, as `git rev-parse HEAD` prints, "
            "or leave `sha` out for the newest one."
        )
    return sha


def words_of(error: RemoteError, whom: str, subject: str) -> str:
    """Return why `whom` did not tell of `subject`, and what to do."""
    said = one_line(error.message)
    if isinstance(error, Unauthorized):
        return (
            f"{whom} does not accept the token or bearer that this server was started with ({said or 401}). "
            "Say so to whoever set it up."
        )
    if isinstance(error, Forbidden):
        return (
            f"{whom} does not let this token read {subject}: {said}. It needs to read pull requests, "
            "deployments and checks there. Say so to whoever set it up."
        )
    if isinstance(error, NotFound):
        return (
            f"{whom} knows no {subject}, or this token may not see it ({said or error.status}). Check the "
            "name and the number; if they are right, say so to whoever set it up."
        )
    if isinstance(error, TryLater):
        after = round(error.after or _SOON)
        return f"{whom} does not answer now: {said or 'no answer'}. Call the tool again in {after} s."
    return f"{whom} does not tell of {subject}: {said or error.status}."
