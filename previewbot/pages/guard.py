"""The guard: `/auth`, which a gateway asks about each request for a preview before it passes it on.

Nobody is asked in turn: a cookie, a ticket or a bearer is judged by the guard's keys alone, so that previews
open while GitHub and the API server are away. What is not known to count is refused, in words for whoever
reads it: 302 to the sign-in for somebody in a browser, 401 for everything else.

How gateways ask: https://gateway-api.sigs.k8s.io/geps/gep-1494/ and
https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter (the original
request, with `/auth` before its path), https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/
(a request of its own, with the original one in `X-Forwarded-…`). All of them pass an answer that is none of
200 to 299 on to the browser.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter

from previewbot.config.server import GatewaySettings, Settings
from previewbot.engine import guarded
from previewbot.engine.links import gateway_url, host
from previewbot.errors import SettingsError
from previewbot.pages.accepting import best_of
from previewbot.pages.exactly import Exactly
from previewbot.pages.guard_words import ANOTHER, MISDIRECTED, NOBODY, UNUSABLE, WORDS_OF
from previewbot.people.cookies import keep, sent
from previewbot.people.passes import COOKIE, WAY_COOKIE, WAY_LASTS, Passes, is_nonce, new_nonce, way_of
from previewbot.people.sealing import Keys
from previewbot.people.ways_back import LONGEST_TO
from previewbot.rules import guard_bearers
from previewbot.rules.guard_bearers import Standing
from previewbot.rules.guard_bearers import standing as worth
from previewbot.rules.guard_refusals import ENTER, Refusal
from previewbot.rules.guard_refusals import HEADER as MARK
from previewbot.rules.seldom import Kind, Seldom
from previewbot.text.render import Renderer

PLACE = "/auth"

_FOUND, _UNKNOWN, _FORBIDDEN, _UNAVAILABLE = 302, 401, 403, 503
_READS = ("GET", "HEAD")
_WHOLE_PAGES = ("document", "empty")
_REFUSAL_OF = {Standing.WRONG: Refusal.WRONG_BEARER, Standing.ENDED: Refusal.ENDED}
_SCHEME = "Previewbot"
"""One that browsers do not know, so that none asks for a password (RFC 9110, 11.6.1)."""
_SHOWN = 100
"""Characters of a header in the log."""

log = logging.getLogger(__name__)


class Answer(StrEnum):
    """What the guard answered, as the metric counts it."""

    PASSED = "passed"
    """Whoever asks may go on."""
    LET_IN = "let_in"
    """A ticket or a bearer was changed for the cookie of one preview."""
    SIGN_IN = "sign_in"
    REFUSED = "refused"
    NO_COOKIE = "no_cookie"
    """A ticket did not count, mostly since the browser kept no cookie."""
    MISDIRECTED = "misdirected"
    """The gateway does not ask as the settings say."""
    UNUSABLE = "unusable"
    """The guard's keys cannot be read."""


@dataclass(frozen=True)
class _Asked:
    """The request that a gateway asks about: for which preview, which path and query in it, and how."""

    key: str
    within: str
    method: str

    @property
    def reads(self) -> bool:
        return self.method in _READS


class Guard:
    """Answers gateways; `keys` returns those that count now, and raises SettingsError."""

    def __init__(
        self,
        settings: Settings,
        gateway: GatewaySettings,
        keys: Keys,
        renderer: Renderer,
        now: Callable[[], datetime],
        metrics: CollectorRegistry,
    ) -> None:
        assert gateway.guard is not None
        self._gateway, self._guard, self._url = gateway, gateway.guard, settings.public_url
        self._pages, self._keys, self._now = guarded.host_in(settings.public_url), keys, now
        self._passes, self._renderer, self._said = Passes(keys, now), renderer, Seldom()
        self._counted = Counter(
            "previewbot_guard_answers",
            "What the guard before previews answered",
            ["answer"],
            registry=metrics,
        )
        for each in Answer:
            self._counted.labels(each.value)

    def answer(self) -> Response | None:
        """Return the answer to the request that is under way; None if no gateway asks with it."""
        if not _is_asked(_raw_path()):
            # A gateway that leaves out `/auth` asks for a page of ours, and would take it for a yes.
            return self._misdirected("no request for /auth") if self._key() else None
        try:
            return self._judged()
        except SettingsError as error:
            if self._said.is_due(Kind.GUARD, "keys_file", self._now()):
                log.error("the guard lets nobody in: its keys cannot be read", extra={"error": str(error)})
            return self._refusal(Answer.UNUSABLE, Refusal.UNUSABLE, _UNAVAILABLE, UNUSABLE)

    def _judged(self) -> Response:
        key = self._key()
        if not key:
            return self._misdirected(f"{self._guard.host_in} names no preview")
        asked = self._asked(key)
        if self._passes.lets_in(sent(COOKIE), host(self._gateway, key)):
            return self._with_cookie(asked)
        bearer = request.headers.get(guard_bearers.HEADER)
        if bearer is not None:
            found = worth(self._keys(), bearer, key, self._gateway.domain, self._now())
            return self._passed() if found is Standing.COUNTS else self._refused(bearer, key, found)
        if asked.reads and guarded.values_in(asked.within, guarded.BEARER):
            return self._by_bearer(asked)
        if asked.reads and guarded.values_in(asked.within, guarded.TICKET):
            return self._by_ticket(asked)
        if not _is_navigation():
            return self._unknown()
        return self._to_sign_in(asked) if asked.reads else self._not_sent(asked)

    def _refused(self, bearer: str, key: str, found: Standing) -> Response:
        """Refuse a bearer; of previewbot's own question as a stranger in a way that only the guard can."""
        response = self._unknown(_REFUSAL_OF[found])
        proof = guard_bearers.proof(self._keys(), bearer, key, self._gateway.domain, self._now())
        if proof:
            response.headers[MARK] = f"{response.headers[MARK]} {proof}"
        return response

    def _with_cookie(self, asked: _Asked) -> Response:
        origin, site = (request.headers.get(name, "") for name in ("Origin", "Sec-Fetch-Site"))
        if guarded.is_another_preview(self._gateway, asked.key, origin=origin, site=site, reads=asked.reads):
            return self._unknown(words=ANOTHER)
        bare = guarded.without(asked.within)
        # Not to be read by the pull request's own code, also where another tab was faster.
        return self._passed() if bare == asked.within or not asked.reads else self._led_on(asked, bare)

    def _by_bearer(self, asked: _Asked) -> Response:
        given = guarded.values_in(asked.within, guarded.BEARER)[0]
        found = worth(self._keys(), given, asked.key, self._gateway.domain, self._now())
        if found is not Standing.COUNTS:
            return self._unknown(_REFUSAL_OF[found])
        return self._let_in(asked, min(guard_bearers.end_of(given), self._now() + self._guard.lasts))

    def _by_ticket(self, asked: _Asked) -> Response:
        tickets = guarded.values_in(asked.within, guarded.TICKET)
        nonce = sent(WAY_COOKIE)
        if len(tickets) == 1 and self._passes.takes(tickets[0], host(self._gateway, asked.key), nonce):
            return self._let_in(asked, self._now() + self._guard.lasts)
        if not _is_navigation():
            return self._unknown()
        # Led on by itself, a browser that keeps no cookies would be led round for ever.
        again = self._address(asked, guarded.without(asked.within))
        return self._page(Answer.NO_COOKIE, _FORBIDDEN, "guard/no_cookie.html", again)

    def _not_sent(self, asked: _Asked) -> Response:
        # To where the form was sent there may be no page to open.
        response = self._page(Answer.REFUSED, _UNKNOWN, "guard/not_sent.html", self._address(asked, "/"))
        response.headers["WWW-Authenticate"] = _SCHEME
        return response

    def _page(self, answer: Answer, status: int, template: str, again: str) -> Response:
        page = self._renderer.html(template, again=again)
        response = Response(page, status, {MARK: Refusal.UNKNOWN}, mimetype="text/html")
        return self._count(answer, response)

    def _let_in(self, asked: _Asked, until: datetime) -> Response:
        response = self._led_on(asked, guarded.without(asked.within))
        lasts = timedelta(seconds=int((until - self._now()).total_seconds()))
        keep(response, COOKIE, self._passes.cookie(host(self._gateway, asked.key), until), lasts)
        return self._count(Answer.LET_IN, response)

    def _to_sign_in(self, asked: _Asked) -> Response:
        kept = sent(WAY_COOKIE)
        # One nonce for all tabs of a browser: the ways of several through the sign-in do not end each other.
        nonce = kept if is_nonce(kept) else new_nonce()
        to = guarded.way_in(self._gateway, asked.key, asked.within, LONGEST_TO)
        response = _to(f"{self._url}{ENTER}?to={to}&way={way_of(nonce)}")
        keep(response, WAY_COOKIE, nonce, WAY_LASTS)
        return self._count(Answer.SIGN_IN, response)

    def _led_on(self, asked: _Asked, within: str) -> Response:
        return _to(self._address(asked, within))

    def _address(self, asked: _Asked, within: str) -> str:
        # Of the settings and never of the request: who asks must not choose where anybody is led.
        return gateway_url(self._gateway, asked.key, within)

    def _passed(self) -> Response:
        return self._count(Answer.PASSED, Response("", 200, mimetype="text/plain"))

    def _unknown(self, why: Refusal = Refusal.UNKNOWN, words: str = "") -> Response:
        words = words or WORDS_OF.get(why, NOBODY)
        response = self._refusal(Answer.REFUSED, why, _UNKNOWN, words)
        response.headers["WWW-Authenticate"] = _SCHEME
        return response

    def _misdirected(self, why: str) -> Response:
        if self._said.is_due(Kind.GUARD, why, self._now()):
            sent = {name: _header(name)[:_SHOWN] for name in ("Host", "X-Forwarded-Host")}
            log.warning(
                "a gateway does not ask the guard as links.gateway.guard says", extra={"why": why, **sent}
            )
        names = [
            name
            for name in ("Host", "X-Forwarded-Host")
            if guarded.key_of_host(_header(name), self._gateway.domain)
        ]
        seen = (
            f"a preview's host stands in {' and in '.join(names)}" if names else "no header has a preview's"
        )
        words = f"{MISDIRECTED} ({seen})"
        return self._refusal(Answer.MISDIRECTED, Refusal.MISDIRECTED, _FORBIDDEN, words)

    def _refusal(self, answer: Answer, why: Refusal, status: int, words: str) -> Response:
        if best_of("text/plain", "application/json") == "application/json":
            response = Response(json.dumps({"message": words}), status, mimetype="application/json")
        else:
            response = Response(f"{words}\n", status, mimetype="text/plain")
        response.headers[MARK] = why
        return self._count(answer, response)

    def _count(self, answer: Answer, response: Response) -> Response:
        self._counted.labels(answer.value).inc()
        return response

    def _key(self) -> str:
        return guarded.key_asked_about(
            self._gateway, _header("Host"), _header("X-Forwarded-Host"), self._pages
        )

    def _asked(self, key: str) -> _Asked:
        if self._guard.host_in == "Host":
            return _Asked(key, guarded.path_and_query(_raw_path().removeprefix(PLACE)), request.method)
        method = request.headers.get("X-Forwarded-Method", request.method)
        return _Asked(key, guarded.path_and_query(request.headers.get("X-Forwarded-Uri", "")), method.upper())


def blueprint(guard: Guard) -> Blueprint:
    """Return what answers gateways, whatever the path and the method that they pass on."""
    routes = Blueprint("guard", __name__)
    # Before any address is looked at: what follows `/auth` is another's.
    routes.before_app_request(guard.answer)
    return routes


def _is_asked(path: str) -> bool:
    return path == PLACE or path.startswith((f"{PLACE}/", f"{PLACE}?"))


def _raw_path() -> str:
    """Return path and query of the request that is under way, as they were sent."""
    sent = request.environ.get("RAW_URI", "")
    return sent if isinstance(sent, str) else ""


def _header(name: str) -> str:
    # Several of one name are one text with commas (PEP 3333), which is no host.
    return request.headers.get(name, "")


def _to(url: str) -> Response:
    # Not 303: it has the same effect for those who read, and 302 is what gateways are tested with.
    response = Exactly(url, _FOUND)
    response.headers[MARK] = Refusal.UNKNOWN
    return response


def _is_navigation() -> bool:
    """Return whether somebody opens an address in a browser, as it says, or as what it wants to get says.

    Not within another page: no cookie would get there, and no sign-in shows itself in a frame. What a service
    worker of the preview's passes on is of no destination, and the browser follows the redirect itself
    (https://fetch.spec.whatwg.org/#http-fetch).
    """
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode == "navigate" and request.headers.get("Sec-Fetch-Dest", "document") in _WHOLE_PAGES
    return "text/html" in request.headers.get("Accept", "").lower()
