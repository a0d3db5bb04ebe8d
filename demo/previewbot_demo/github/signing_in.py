"""How people let the App act for them: OAuth with PKCE, as GitHub has it for Apps.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import jinja2
from aiohttp import web

from previewbot_demo.github.model import Account, App
from previewbot_demo.github.store import Clock
from previewbot_demo.github.users import LIFETIME, UserTokens

AUTHORIZE = "/login/oauth/authorize"
ACCESS_TOKEN = "/login/oauth/access_token"  # noqa: S105 - an address
LOGOUT = "/logout"

_CODE_LASTS = timedelta(minutes=10)
_REFRESH_SECONDS = 15_897_600
_COOKIE = "user_session"
_ASKED = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method")
_DOCS = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting"
_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self' {back}; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Somebody:
    """Who may sign in here, and what they are, for whoever plays them."""

    account: Account
    words: str


@dataclass(frozen=True)
class _Code:
    owner: Account
    challenge: str
    redirect_uri: str
    until: datetime


class SigningIn:
    """Serves the pages of a sign-in and gives tokens for codes; the world fills `people`.

    GitHub leads back to `callback_url` alone. Who has let the App act for them once, in the same browser, is
    led back at once the next time, until they log out.
    """

    def __init__(
        self,
        app: App,
        tokens: UserTokens,
        clock: Clock,
        know: Callable[[Account], Account],
        callback_url: str = "",
    ) -> None:
        self._app, self._tokens, self._clock, self._know = app, tokens, clock, know
        self.callback_url = callback_url
        self.people: Sequence[Somebody] = ()
        self._codes: dict[str, _Code] = {}
        self._sessions: dict[str, Account] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("previewbot_demo", "pages"), autoescape=True
        )

    def answers(self, path: str) -> bool:
        """Return whether a path is one of these."""
        return path in (AUTHORIZE, ACCESS_TOKEN, LOGOUT)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request."""
        if request.path == ACCESS_TOKEN:
            return web.json_response(self._token(await _form(request)) if request.method == "POST" else {})
        if request.path == LOGOUT:
            self._sessions.pop(request.cookies.get(_COOKIE, ""), None)
            return _see_other("/")
        if request.method == "POST":
            return await self._pressed(request)
        asked = {name: request.query.get(name, "") for name in _ASKED}
        wrong = self._wrong(asked)
        if wrong is not None:
            return wrong
        known = self._sessions.get(request.cookies.get(_COOKIE, ""))
        return self._page(asked) if known is None else _see_other(self._allowed(known, asked))

    async def _pressed(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return web.Response(status=403, text="Only this site's own pages may do that.")
        form = await _form(request)
        asked = {name: form.get(name, "") for name in _ASKED}
        wrong = self._wrong(asked)
        if wrong is not None:
            return wrong
        who = next((each.account for each in self.people if each.account.login == form.get("as")), None)
        if who is None:
            words = "The user has denied your application access."
            return self._led_back(asked, error="access_denied", error_description=words)
        response = _see_other(self._allowed(self._know(who), asked))
        session = secrets.token_hex(16)
        self._sessions[session] = who
        response.set_cookie(_COOKIE, session, path="/log", httponly=True, samesite="Lax")
        return response

    def _wrong(self, asked: Mapping[str, str]) -> web.Response | None:
        """Return the answer where nobody can be asked: another App, or another address to lead back to."""
        if asked["client_id"] != self._tokens.client_id:
            return web.Response(status=404, text="Not Found")
        if (asked["redirect_uri"] or self.callback_url) != self.callback_url:
            words = "The redirect_uri is not associated with this application."
            return self._led_back(asked, error="redirect_uri_mismatch", error_description=words)
        return None

    def _allowed(self, who: Account, asked: Mapping[str, str]) -> str:
        """Return where GitHub leads somebody back who lets the App act for them."""
        code = secrets.token_hex(10)
        until = self._clock() + _CODE_LASTS
        method = asked["code_challenge_method"]
        # GitHub takes S256 alone; a challenge of any other kind is one that no verifier fits.
        challenge = asked["code_challenge"] if method in ("", "S256") else "!"
        self._codes[code] = _Code(who, challenge, asked["redirect_uri"], until)
        return _with(self.callback_url, {"code": code, "state": asked["state"]})

    def _led_back(self, asked: Mapping[str, str], **said: str) -> web.Response:
        more = {"error_uri": f"{_DOCS}-authorization-request-errors", "state": asked["state"]}
        return _see_other(_with(self.callback_url, said | more))

    def _token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return a token for a code, which counts once; what is refused has status 200 too."""
        if not self._tokens.proves(form.get("client_id", ""), form.get("client_secret", "")):
            words = "The client_id and/or client_secret passed are incorrect."
            return _refused("incorrect_client_credentials", words)
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.until <= self._clock() or not _fits(code, form.get("code_verifier", "")):
            return _refused("bad_verification_code", "The code passed is incorrect or expired.")
        if form.get("redirect_uri", "") != code.redirect_uri:
            words = "The redirect_uri MUST match the registered callback URL for this application."
            return _refused("redirect_uri_mismatch", words)
        return {
            "access_token": self._tokens.new(code.owner).value,
            "expires_in": int(LIFETIME.total_seconds()),
            "refresh_token": f"ghr_{secrets.token_hex(38)}",
            "refresh_token_expires_in": _REFRESH_SECONDS,
            "scope": "",
            "token_type": "bearer",
        }

    def _page(self, asked: Mapping[str, str]) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        template = self._templates.get_template("authorize.html")
        text = template.render(app=self._app.slug, people=self.people, asked=asked, nonce=nonce)
        parts = urlsplit(self.callback_url)
        # A browser holds a form to this also where its answer leads on.
        policy = _POLICY.format(nonce=nonce, back=f"{parts.scheme}://{parts.netloc}")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": policy}
        return web.Response(text=text, content_type="text/html", headers=headers)


def _fits(code: _Code, verifier: str) -> bool:
    if not code.challenge:
        return True
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(hashed, code.challenge.encode())


def _refused(error: str, words: str) -> dict[str, str]:
    uri = f"{_DOCS}-oauth-app-access-token-request-errors"
    return {"error": error, "error_description": words, "error_uri": uri}


def _with(url: str, query: Mapping[str, str]) -> str:
    return f"{url}?{urlencode(query)}"


def _see_other(url: str) -> web.Response:
    return web.Response(status=302, headers={"Location": url, "Cache-Control": "no-store"})


async def _form(request: web.BaseRequest) -> dict[str, str]:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
