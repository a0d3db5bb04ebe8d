"""Asks GitHub whether people can sign in: does it know the App by its client id and its client secret?

It is asked with a code that nobody was given. What is wrong with the App's own credentials GitHub says before
it looks at the code
(https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors).
The callback URL cannot be asked about without a person.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from previewbot.clients.github.people_answers import SignInRefused
from previewbot.doctor.check import Check, Whose, not_checked, note, ok, safe, wrong
from previewbot.doctor.running import Question
from previewbot.errors import RemoteError, SettingsError
from previewbot.people.ways_back import SIGNED_IN

SIGNING_IN = "signing in"

_WRONG_CREDENTIALS = "incorrect_client_credentials"
_WRONG_CODE = "bad_verification_code"
_WRONG_ADDRESS = "redirect_uri_mismatch"


class Codes(Protocol):
    """Where a code is shown: `PeopleClient`."""

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> object:
        """Return a token for a code; raises SignInRefused, RemoteError and SettingsError."""


class OfSigningIn:
    """The question whether GitHub lets people sign in with the App; `public_url` is where pages are."""

    def __init__(
        self, codes: Codes, public_url: str, before: Callable[[str], tuple[str, ...]], web_url: str
    ) -> None:
        self._codes, self._callback = codes, f"{public_url.rstrip('/')}{SIGNED_IN}"
        self._before, self._web_url = before, web_url

    def questions(self) -> list[Question]:
        """Return it, as the only one."""
        return [Question(SIGNING_IN, self._ask, after=self._before(self._web_url))]

    async def _ask(self) -> Sequence[Check]:
        code, verifier = secrets.token_hex(10), secrets.token_urlsafe(64)
        try:
            await asyncio.to_thread(self._codes.exchange, code, verifier, self._callback)
        except SignInRefused as refused:
            return [_judged(refused.code, self._callback)]
        except SettingsError:
            return [not_checked(SIGNING_IN, "because of what is wrong with the client secret")]
        except RemoteError as error:
            words = f"{safe(str(error))}: whoever signs in is told to try again"
            return [wrong(SIGNING_IN, words)]
        # Nobody was given this code.
        return [note(SIGNING_IN, "GitHub gave a token for a code that nobody was given; is this GitHub?")]


def _judged(code: str, callback: str) -> Check:
    """Return what GitHub's word for a refusal says of the App."""
    if code == _WRONG_CODE:
        words = f"GitHub knows the client id and its secret; it leads people back only if {callback} is a "
        return ok(SIGNING_IN, words + "callback URL of the App, which nobody but a person can try")
    if code == _WRONG_CREDENTIALS:
        words = "GitHub knows no such client id, or takes the client secret for another's: compare "
        words += "sign_in.client_id with the App's page, and make a new client secret there"
        return wrong(SIGNING_IN, words)
    if code == _WRONG_ADDRESS:
        words = f"GitHub does not lead people back to {callback}: add it to the App's callback URLs"
        return wrong(SIGNING_IN, words, Whose.APP_OWNER)
    return note(SIGNING_IN, f"GitHub answers {code} to a code that nobody was given; try it with a browser")
