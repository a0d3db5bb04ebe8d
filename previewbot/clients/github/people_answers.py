"""What GitHub answers a person's token, as values; each raises ValueError for what is none of GitHub's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

LONGEST_SESSION = timedelta(hours=8)
"""As long as GitHub's own user tokens live; one that never expires, as an App may have them, ends with it
(https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens)."""

_LONGEST_TOKEN = 2048
"""Characters: it has to fit into a cookie, of which browsers keep 4,096 bytes."""

_WORD = re.compile("[a-z_]{1,60}")


@dataclass(frozen=True)
class Token:
    """A user access token, and how long it counts at most."""

    value: str = field(repr=False)
    lives: timedelta = LONGEST_SESSION


@dataclass(frozen=True)
class Account:
    """Whose a token is: GitHub's number of the account, and its name now."""

    id: int
    login: str


@dataclass(frozen=True)
class RepositoryAccess:
    """A repository that somebody may read: its number and its name now, and whether they may write."""

    id: int
    full_name: str
    html_url: str
    writes: bool


@dataclass(frozen=True)
class Written:
    """A comment that was written: its number, and where people see it."""

    id: int
    html_url: str


class SignInRefused(Exception):
    """GitHub gives no token; `code` is its word for why, such as `bad_verification_code`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"GitHub gives no token: {code}")


def token_in(body: bytes) -> Token:
    """Return the token of an answer; raises SignInRefused for a refusal, which has status 200 too
    (https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors)."""
    found = _object(body)
    if "error" in found:
        raise SignInRefused(code_of(found["error"]))
    value = _text(found, "access_token")
    if len(value) > _LONGEST_TOKEN or not all("!" <= sign <= "~" for sign in value):
        raise ValueError("access_token")
    seconds = found.get("expires_in")
    if type(seconds) is not int:
        # The App's owner has opted out of tokens that expire.
        return Token(value)
    return Token(value, min(timedelta(seconds=max(0, min(seconds, 10**6))), LONGEST_SESSION))


def code_of(written: object) -> str:
    """Return GitHub's word for an error, of which a log can be sure that it is one."""
    return written if isinstance(written, str) and _WORD.fullmatch(written) else "other"


def account_in(body: bytes) -> Account:
    """Return whose a token is."""
    found = _object(body)
    return Account(_number(found, "id"), _text(found, "login"))


def access_in(body: bytes, repository_id: int) -> RepositoryAccess:
    """Return a repository, and whether the person may write there: not where it is archived, whoever asks."""
    found = _object(body)
    if _number(found, "id") != repository_id:
        raise ValueError("id")
    given = found.get("permissions")
    rights = given if isinstance(given, Mapping) else {}
    writes = any(rights.get(right) is True for right in ("push", "maintain", "admin"))
    locked = found.get("archived") is True or found.get("disabled") is True
    name, url = _text(found, "full_name"), _text(found, "html_url")
    return RepositoryAccess(repository_id, name, url, writes and not locked)


def written_in(body: bytes) -> Written:
    """Return the comment that an answer has."""
    found = _object(body)
    return Written(_number(found, "id"), _text(found, "html_url"))


def message_in(body: bytes) -> str:
    """Return GitHub's words in a refusal; "" where there are none."""
    try:
        message = _object(body).get("message")
    except ValueError:
        return ""
    return message if isinstance(message, str) else ""


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    if type(value) is not int or value < 1:
        raise ValueError(key)
    return value


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(key)
    return value
