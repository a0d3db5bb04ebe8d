"""Who comes by the proxy before the pages: what it says of each request, if it is the proxy that says it.

Whoever is not believed is nobody, and is not told why; the log is, once an hour.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Callable
from datetime import datetime

from flask import g, request

from previewbot.api import MARK_DIGITS
from previewbot.config.server import ProxySettings
from previewbot.errors import SettingsError
from previewbot.people.assertions import Key, NotBelieved, claims_of
from previewbot.people.person import Person
from previewbot.people.sealing import Keys
from previewbot.rules.seldom import Kind, Seldom
from previewbot.text.quotes import name_of_somebody

_CSRF = b"previewbot: the forms of somebody who came by a proxy"
"""What the keys of cookies are used for here, and nowhere else."""

_MARK = b"previewbot: what tells somebody who came by a proxy from all others"

_LONGEST_IDENTITY = 254
"""As long as an address of mail may be (https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3)."""

_NO_PEER = "the request does not come from an address of proxy.from"

AssertionKeys = Callable[[], tuple[Key, ...]]
"""The keys that count now. Raises SettingsError."""

log = logging.getLogger(__name__)


class ByProxy:
    """Says who sent the request that is under way, as the proxy tells it; `keys` is asked anew for each.

    `form_keys` returns the keys of cookies, by which their forms are known: nothing is kept in the browser.
    """

    def __init__(
        self,
        settings: ProxySettings,
        keys: AssertionKeys,
        now: Callable[[], datetime],
        form_keys: Keys = tuple,
    ) -> None:
        self._settings, self._keys, self._now, self._said = settings, keys, now, Seldom()
        self._form_keys = form_keys
        self._peers = tuple(ipaddress.ip_network(each) for each in settings.peers or ())

    def current(self) -> Person | None:
        """Return who sent the request that is under way; None if no proxy says it that is believed."""
        if "previewbot_person" not in g:
            g.previewbot_person = self._read()
        found: Person | None = g.previewbot_person
        return found

    def _read(self) -> Person | None:
        try:
            found = self._by_assertion() if self._settings.assertion is not None else self._by_header()
        except NotBelieved as error:
            self._say(str(error))
            return None
        except SettingsError as error:
            self._say(f"proxy.assertion.keys_file lets nobody in: {error}")
            return None
        if found is None:
            return None
        identity, name = found
        keys = self._keys_of_forms()
        first, *others = [_csrf(key, identity) for key in keys] or [""]
        return Person(
            account=0,
            login=name_of_somebody(name),
            token="",
            csrf=first,
            identity=identity,
            other_csrf=tuple(others),
            mark=_mark(keys[0], identity) if keys else "",
        )

    def _keys_of_forms(self) -> tuple[bytes, ...]:
        if not self._settings.they_press:
            return ()
        try:
            return self._form_keys()
        except SettingsError as error:
            # They still see what they may see; nothing that they press is taken.
            self._say(f"sign_in.cookie_keys_file keeps everybody by proxy from pressing anything: {error}")
            return ()

    def _by_header(self) -> tuple[str, str] | None:
        assert self._settings.header is not None
        sent = _header(self._settings.header)
        if sent is None:
            return None
        if not self._is_proxy(request.remote_addr):
            raise NotBelieved(_NO_PEER)
        identity = _identity(sent, f"the header {self._settings.header}")
        return identity, self._called(identity, self._settings.name_header, _header)

    def _by_assertion(self) -> tuple[str, str] | None:
        assertion = self._settings.assertion
        assert assertion is not None
        sent = _header(assertion.header)
        if sent is None:
            return None
        claims = claims_of(sent, self._keys(), assertion, self._now())
        value = claims.get(assertion.claim)
        if not isinstance(value, str):
            raise NotBelieved(f"it has no text under {assertion.claim!r}, which proxy.assertion.claim names")
        identity = _identity(value, f"the claim {assertion.claim}")
        return identity, self._called(identity, assertion.name_claim, claims.get)

    def _called(self, identity: str, source: str | None, read: Callable[[str], object]) -> str:
        """Return what to call somebody.

        Where another place has the name, none of it keeps anybody out, and what they go by, as an address of
        mail, is not told in its place.
        """
        if source is None:
            return identity
        try:
            named = read(source)
            if isinstance(named, str) and named.strip():
                return _identity(named, source)
        except NotBelieved as error:
            self._say(f"{error}: they are called by what they go by, up to the @")
        return identity.partition("@")[0] or identity

    def _is_proxy(self, peer: str | None) -> bool:
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        # So an IPv4 peer is called where a socket takes both (RFC 4291, 2.5.5.2).
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self._peers)

    def _say(self, why: str) -> None:
        # Whoever sends any such header brings this about.
        if self._said.is_due(Kind.PROXY, why, self._now()):
            log.warning("what says who somebody is, is not believed", extra={"why": why})


def _csrf(key: bytes, identity: str) -> str:
    """Return what stands in the forms of somebody's pages, under one key."""
    own = hmac.digest(key, _CSRF, "sha256")
    return hmac.new(own, identity.encode(errors="replace"), "sha256").hexdigest()


def _mark(key: bytes, identity: str) -> str:
    """Return what tells somebody from all others, and tells nobody who they are."""
    own = hmac.digest(key, _MARK, "sha256")
    return hmac.new(own, identity.encode(errors="replace"), "sha256").hexdigest()[:MARK_DIGITS]


def _header(name: str) -> str | None:
    """Return a header as the proxy wrote it, None if it is not there or says nothing."""
    found = request.headers.get(name)
    if found is None or not found.strip():
        return None
    # WSGI has a header's bytes as latin-1 (PEP 3333).
    return found.encode("latin-1", errors="replace").decode(errors="replace").strip()


def _identity(text: str, source: str) -> str:
    text = text.strip()
    # Two headers of one name are handed over as one, with a comma between: the first may be the visitor's
    # own, beside which the proxy put what it knows.
    if not name_of_somebody(text) or len(text) > _LONGEST_IDENTITY or not text.isprintable() or "," in text:
        raise NotBelieved(f"what {source} says is no name on one line, without a comma")
    return text
