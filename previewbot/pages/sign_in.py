"""Signing in with GitHub, and out again.

`/sign-in` leads to GitHub, where the person lets the App act for them, and GitHub leads back to
`/sign-in/done` with a code, for which it gives a token
(https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app).
In between a second cookie holds what only this browser may end: the state, so that nobody signs somebody in
as somebody else, and the verifier, without which the code is of no use to whoever sees it.
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote

from flask import Blueprint, Response, request

from previewbot.clients.github.people import SessionOver
from previewbot.clients.github.people_answers import Account, SignInRefused, Token
from previewbot.config.server import Settings
from previewbot.errors import RemoteError, SettingsError, TryLater
from previewbot.pages.forms import check_form, refusal
from previewbot.pages.visits import see
from previewbot.people.cookies import forget, keep, sent
from previewbot.people.person import Person
from previewbot.people.sealing import Keys, Sealing
from previewbot.people.sessions import Sessions
from previewbot.people.ways_back import SIGNED_IN, way_back
from previewbot.rules.seldom import Kind, Seldom
from previewbot.text.render import Renderer

PLACE = "/sign-in"
OUT = "/sign-out"
STARTED_COOKIE = "__Host-previewbot-sign-in"

_LASTS = timedelta(minutes=10)
"""From the first click to GitHub's answer; its code counts as long."""
_DENIED, _STALE, _UNAVAILABLE = 403, 400, 503
_AT_ONCE = 8
"""So many codes are shown to GitHub at once: anybody may bring one, which need not be GitHub's."""
_PATIENCE_SECONDS = 2.0

log = logging.getLogger(__name__)


class People(Protocol):
    """What is asked of GitHub: `PeopleClient`."""

    def authorize_url(self, *, state: str, verifier: str, redirect_uri: str) -> str:
        """Return where a person lets the App act for them."""

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Token:
        """Return the token for a code; raises SignInRefused, RemoteError and SettingsError."""

    def who(self, token: str) -> Account:
        """Return whose a token is; raises RemoteError."""

    def revoke(self, token: str) -> None:
        """Have GitHub take a token no more; raises RemoteError and SettingsError."""


@dataclass(frozen=True)
class _Started:
    """A sign-in under way: what GitHub is to answer with, what proves it was us, and where it leads."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    to: str


class _Failed(Exception):
    """A sign-in comes to nothing; `page` says why."""

    def __init__(self, page: str, status: int) -> None:
        self.page, self.status = page, status
        super().__init__(page)


def blueprint(
    settings: Settings,
    sessions: Sessions,
    github: People,
    keys: Keys,
    renderer: Renderer,
    now: Callable[[], datetime],
) -> Blueprint:
    """Return the routes of signing in and out, and what answers where a session is over."""
    routes, signing = Blueprint("sign_in", __name__), _SigningIn(settings, github, keys, now)

    def led_to(path: str) -> Response:
        # With our own host, whatever host was asked for.
        return see(f"{settings.public_url}{path}")

    def failed(error: _Failed, to: str) -> Response:
        page = renderer.html(f"sign_in/{error.page}.html", to=to)
        return Response(page, error.status, mimetype="text/html")

    @routes.get(PLACE)
    def sign_in() -> Response:
        to = way_back(request.args.get("to", ""))
        if sessions.current() is not None:
            return led_to(to)
        try:
            return signing.begun(to)
        except _Failed as error:
            return failed(error, to)

    @routes.get(SIGNED_IN)
    def done() -> Response:
        started, to = None, _way_in(request.args.get("state", ""))
        try:
            started = signing.started()
            person, until = signing.person(started)
            response = led_to(started.to)
            sessions.begin(response, person, until)
        except SettingsError as error:
            response = failed(signing.unusable(error), to)
        except _Failed as error:
            if error.page == _STALE_PAGE and sessions.current() is not None:
                # Another tab was faster, or somebody went back: they are signed in, and need no other answer.
                return led_to(to)
            response = failed(error, to)
        # One that was not this browser's own ends nothing: else any page could end it by a link.
        if started is not None:
            forget(response, STARTED_COOKIE)
        return response

    @routes.post(OUT)
    def sign_out() -> Response:
        person = check_form(sessions.current())
        response = led_to(way_back(request.form.get("to", "")))
        sessions.end(response)
        try:
            github.revoke(person.token)
        except (RemoteError, SettingsError) as error:
            # The browser has forgotten it all the same, and the token ends by itself within hours.
            log.warning("a token could not be revoked at a sign-out", extra={"error": str(error)})
        return response

    @routes.app_errorhandler(SessionOver)
    def session_over(error: SessionOver) -> Response:
        if request.path.endswith(".json"):
            response = Response('{"message": "sign in again"}', 401, mimetype="application/json")
        elif request.method in ("GET", "HEAD"):
            wanted = request.full_path if request.query_string else request.path
            response = led_to(f"{PLACE}?to={quote(way_back(wanted), safe='/')}")
        else:
            response = refusal(renderer, _SIGNED_OUT)
        sessions.end(response)
        return response

    return routes


class _SigningIn:
    """The steps of a sign-in, each of which may fail in words."""

    def __init__(self, settings: Settings, github: People, keys: Keys, now: Callable[[], datetime]) -> None:
        self._github, self._now, self._said = github, now, Seldom()
        self._sealing = Sealing("sign-in", keys)
        # Made of the settings: who can choose the host that is asked for must not choose where GitHub leads.
        self._redirect_uri = f"{settings.public_url}{SIGNED_IN}"
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def begun(self, to: str) -> Response:
        """Return the way to GitHub, with the cookie that lets this browser end there what it began."""
        state, verifier = _state_for(to), secrets.token_urlsafe(64)
        until = int((self._now() + _LASTS).timestamp())
        values = {"state": state, "verifier": verifier, "to": to, "until": until}
        try:
            sealed = self._sealing.seal(values)
        except SettingsError as error:
            raise self.unusable(error) from error
        url = self._github.authorize_url(state=state, verifier=verifier, redirect_uri=self._redirect_uri)
        response = see(url)
        keep(response, STARTED_COOKIE, sealed, _LASTS)
        return response

    def started(self) -> _Started:
        """Return the sign-in that GitHub answers now; raises _Failed unless this browser began it."""
        try:
            values = self._sealing.opened(sent(STARTED_COOKIE)) or {}
        except SettingsError as error:
            raise self.unusable(error) from error
        state, verifier, to = (str(values.get(key, "")) for key in ("state", "verifier", "to"))
        until = values.get("until")
        lasts = isinstance(until, int) and until > self._now().timestamp()
        given = request.args.get("state", "").encode(errors="replace")
        if not state or not lasts or not hmac.compare_digest(given, state.encode()):
            raise _Failed(_STALE_PAGE, _STALE)
        return _Started(state, verifier, way_back(to))

    def person(self, started: _Started) -> tuple[Person, datetime]:
        """Return who has signed in, and until when; raises _Failed, and SettingsError."""
        refused = request.args.get("error")
        if refused is not None:
            # An address says so, which anybody can write: the log believes the words that GitHub has for it.
            raise self._refused(refused if refused in _IN_ADDRESSES else "other")
        code = request.args.get("code", "")
        if not code:
            raise _Failed(_STALE_PAGE, _STALE)
        try:
            with self._turn():
                asked_at = self._now()
                token = self._github.exchange(code, started.verifier, self._redirect_uri)
                account = self._github.who(token.value)
        except SignInRefused as error:
            raise self._refused(error.code) from error
        except RemoteError as error:
            if self._said.is_due(Kind.SIGN_IN, error.what, self._now()):
                log.warning("a sign-in failed, as GitHub did not answer it", extra={"error": str(error)})
            raise _Failed("unreachable", _UNAVAILABLE) from error
        person = Person(account.id, account.login, token.value, csrf=secrets.token_urlsafe(32))
        return person, asked_at + token.lives

    def unusable(self, error: SettingsError) -> _Failed:
        """Return the failure of who cannot sign in since a file of ours cannot be read, and say so."""
        if self._said.is_due(Kind.COOKIE_KEYS, str(error), self._now()):
            log.error("nobody can sign in", extra={"error": str(error)})
        return _Failed("not_ready", _UNAVAILABLE)

    def _refused(self, code: str) -> _Failed:
        """Return the failure that GitHub's word for it means: whose it is to put right."""
        page, status = _REFUSALS.get(code, ("refused", _UNAVAILABLE))
        if page == "refused" and self._said.is_due(Kind.SIGN_IN, code, self._now()):
            log.error("GitHub lets nobody sign in with this App", extra={"error": code})
        return _Failed(page, status)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._free.acquire(timeout=_PATIENCE_SECONDS):
            raise TryLater("a sign-in", message="too many are under way")
        try:
            yield
        finally:
            self._free.release()


_IN_ADDRESSES = frozenset({"access_denied", "application_suspended", "redirect_uri_mismatch"})
"""GitHub's words in the address to which it leads back
(https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors)."""

_SIGNED_OUT, _STALE_PAGE = "signed_out", "stale"
_LONGEST_IN_STATE = 200
"""Characters of a way back: the state stands in GitHub's address, which must not become too long."""
_REFUSALS = {
    "access_denied": ("denied", _DENIED),
    "bad_verification_code": (_STALE_PAGE, _STALE),
    "unverified_user_email": ("unverified", _DENIED),
}
"""GitHub's words that the person can do something about; all others are the platform team's
(https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors)."""


def _state_for(to: str) -> str:
    """Return a new state. It has the way back too, for a browser that has lost its cookie meanwhile.

    Each tab that signs in replaces the cookie of the one before, whose answer is then led on all the same.
    Who makes a state of their own chooses a page of ours with it, and nothing more.
    """
    way = base64.urlsafe_b64encode(to.encode()).decode("ascii") if len(to) <= _LONGEST_IN_STATE else ""
    return f"{secrets.token_urlsafe(32)}.{way}"


def _way_in(state: str) -> str:
    """Return the way back that a state has, home if it has none of ours."""
    try:
        return way_back(base64.urlsafe_b64decode(state.rpartition(".")[2]).decode())
    except ValueError:
        return way_back("")
