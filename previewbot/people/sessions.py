"""Who is signed in: a cookie that holds it all, so that nothing is stored and every pod can read it.

It cannot be taken back before its end but at GitHub, where the token in it is revoked (`sign_out`); a cookie
whose token counts no more opens nothing, as GitHub is asked with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Response, g

from previewbot.errors import SettingsError
from previewbot.people.cookies import forget, keep, sent
from previewbot.people.person import Person
from previewbot.people.sealing import Keys, Sealing
from previewbot.rules.seldom import Kind, Seldom

COOKIE = "__Host-previewbot"
"""Browsers take a cookie of such a name from this very host alone, over TLS, and for the whole of it
(https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2): no other host of the
domain, on which a preview may be, can put one of its own in its place."""

_PURPOSE = "session"

log = logging.getLogger(__name__)


class Sessions:
    """Says who sent the request that is under way, and has a browser keep or forget it.

    `keys` returns those that count now; it is asked anew for each request that has the cookie, and while they
    cannot be read nobody is signed in.
    """

    def __init__(self, keys: Keys, now: Callable[[], datetime]) -> None:
        self._sealing, self._now, self._said = Sealing(_PURPOSE, keys), now, Seldom()

    def current(self) -> Person | None:
        """Return who sent the request that is under way; None if nobody is signed in, or not any more."""
        # One request asks several times, and is to get one answer, also when the cookie ends in between.
        if "previewbot_person" not in g:
            g.previewbot_person = self._read(sent(COOKIE))
        found: Person | None = g.previewbot_person
        return found

    def begin(self, response: Response, person: Person, until: datetime) -> None:
        """Have the browser keep who is signed in, until then; raises SettingsError if there is no key."""
        values = {
            "account": person.account,
            "login": person.login,
            "token": person.token,
            "csrf": person.csrf,
            "until": int(until.timestamp()),
        }
        keep(response, COOKIE, self._sealing.seal(values), until - self._now())

    def end(self, response: Response) -> None:
        """Have the browser forget who was signed in."""
        forget(response, COOKIE)

    def _read(self, cookie: str) -> Person | None:
        if not cookie:
            return None
        try:
            values = self._sealing.opened(cookie)
        except SettingsError as error:
            # Whoever sends any such cookie brings this about.
            if self._said.is_due(Kind.COOKIE_KEYS, "sign_in.cookie_keys_file", self._now()):
                log.error("sign_in.cookie_keys_file lets nobody be signed in", extra={"error": str(error)})
            return None
        return None if values is None else _person(values, self._now().astimezone(UTC).timestamp())


def _person(values: dict[str, Any], now: float) -> Person | None:
    """Return who a cookie is of; None of one that is over, or was made by a version with other values."""
    account, until = values.get("account"), values.get("until")
    texts = [values.get(key) for key in ("login", "token", "csrf")]
    if type(account) is not int or type(until) is not int or until <= now:
        return None
    login, token, csrf = (text if isinstance(text, str) else "" for text in texts)
    return Person(account, login, token, csrf) if login and token and csrf else None
