"""Answers a registry's challenges: with a password, or with a token that its token server gives for one.

https://distribution.github.io/distribution/spec/auth/token/ and
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from previewbot.clients.registry.access import Place
from previewbot.clients.registry.answers import NO_LOGIN, Answer, Given, json_object, refusal
from previewbot.clients.registry.challenge import Challenge, choose_challenge
from previewbot.clients.registry.credentials import Credentials, HelperLogin
from previewbot.clients.registry.logins import Found, Logins
from previewbot.clients.registry.problems import LoginBroken, LoginMissing, NotARegistry
from previewbot.clients.registry.transport import RegistryRequest, Transport
from previewbot.errors import Forbidden, RemoteError, TryLater, Unauthorized

_CLIENT_ID = "previewbot"
_LIFETIME = 60.0
_LONGEST_LIFETIME = 3600.0
_MARGIN = 10.0
_LONGEST_REALM = 300
_UNKNOWN = "it asks for a kind of login that is not known"
_TOKEN_RE = re.compile(r"[\x21-\x7e]{1,65536}")


@dataclass(frozen=True)
class _Kept:
    given: Given
    helper: HelperLogin | None
    ends: float


class Authorizer:
    """Finds what to send as Authorization for a repository, and keeps it until shortly before it ends."""

    def __init__(self, transport: Transport, logins: Logins, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._logins = logins
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    def kept(self, place: Place) -> Given:
        """Return what served before, or nothing."""
        found = self._kept.get((place.registry, place.repository))
        return found.given if found and self._clock() < found.ends else Given()

    def forget(self, place: Place) -> None:
        """Keep no longer what served before: it is refused now."""
        found = self._kept.pop((place.registry, place.repository), None)
        if found is not None:
            self._logins.refused(found.helper)

    async def answers(self, place: Place, refused: Answer) -> AsyncIterator[Given]:
        """Yield what to send after a 401, one after the other until the registry takes it.

        Raises Unauthorized or Forbidden where there is nothing (more) that could be sent.
        """
        if refused.foreign:
            # Its challenge could name a token server of its own, which would get the registry's password.
            message = "another host, to which it redirects, wants a login"
            raise NotARegistry(str(place), status=401, message=message)
        challenge = choose_challenge(refused.challenges)
        if challenge is None:
            raise refusal(str(place), refused) if refused.is_page else _unauthorized_error(place, _UNKNOWN)
        error: RemoteError | None = None
        found = False
        async for each in self._logins.of(place):
            found = True
            try:
                yield await self._given(place, challenge, each)
            except (Unauthorized, Forbidden) as refusal_of_it:
                # Of the token server: another login may do.
                error = error or refusal_of_it
                self._logins.refused(each.helper)
        if not found:
            yield await self._given(place, challenge, None)
        elif error is not None:
            raise error

    async def _given(self, place: Place, challenge: Challenge, found: Found | None) -> Given:
        login, helper = (found.login, found.helper) if found else (None, None)
        lacking = found.lacking if found else ""
        given = Given(login=login, by_helper=login is not None and helper is not None, lacking=lacking)
        if challenge.scheme == "bearer":
            token, lifetime = await self._token(place, challenge, given)
            return self._keep(place, replace(given, authorization=f"Bearer {token}"), helper, lifetime)
        if lacking:
            raise LoginBroken(str(place), status=401, message=lacking)
        if login is None or not login.username:
            raise LoginMissing(str(place), status=401, message=NO_LOGIN)
        return self._keep(place, replace(given, authorization=login.basic()), helper, _LIFETIME)

    async def _token(self, place: Place, challenge: Challenge, given: Given) -> tuple[str, float]:
        if not _usable(challenge.realm, place.access.plain_http):
            raise _unauthorized_error(place, f"its token server {challenge.realm[:100]!r} is not https")
        if not place.gives_tokens(challenge.realm):
            raise _unauthorized_error(place, _unknown(place, challenge.realm))
        # No redirect is followed from here (`redirects=0`): the request carries the password.
        request = _token_request(place, challenge, given.login)
        answer = replace(await self._transport.send(request, place.access.ca_file), given=given)
        if answer.status != 200:
            raise _refusal_of(place, answer)
        document = json_object(answer.body)
        token = document.get("token") or document.get("access_token")
        # It is put into a header. A line break in it would begin another header of the sender's choosing.
        if not isinstance(token, str) or not _TOKEN_RE.fullmatch(token):
            raise TryLater(str(place), message="its token server gives no token")
        return token, _seconds(document.get("expires_in"))

    def _keep(self, place: Place, given: Given, helper: HelperLogin | None, lifetime: float) -> Given:
        now = self._clock()
        # Forget what has ended, so that the table does not grow with every repository that was ever asked
        # about.
        self._kept = {key: kept for key, kept in self._kept.items() if now < kept.ends}
        self._kept[place.registry, place.repository] = _Kept(given, helper, now + lifetime - _MARGIN)
        return given


def _usable(realm: str, plain_http: bool) -> bool:
    """A token server gets a password: only over TLS, unless the registry itself has none."""
    try:
        parts = urlsplit(realm)
    except ValueError:
        return False
    known = parts.scheme == "https" or (parts.scheme == "http" and plain_http)
    return known and bool(parts.hostname) and "@" not in parts.netloc


def _unknown(place: Place, realm: str) -> str:
    setting = f"images.registries.{place.registry}.token_server"
    # Told whole, as far as a real one goes: it is what the platform team copies into the setting.
    told = realm[:_LONGEST_REALM]
    return f"its token server {told!a} is not known and was not asked; if it is right, set {setting}"


def _token_request(place: Place, challenge: Challenge, login: Credentials | None) -> RegistryRequest:
    # Never what the challenge says: a token that may push, or is for another repository, would be given to
    # whoever answers in the registry's place.
    # Without a repository (`Registry.check`) it is for nothing at all, and shows that the login is good.
    query = {"scope": f"repository:{place.repository}:pull"} if place.repository else {}
    if challenge.service:
        query["service"] = challenge.service
    if login and login.identity_token:
        form = {"grant_type": "refresh_token", "client_id": _CLIENT_ID, "refresh_token": login.identity_token}
        return RegistryRequest(str(place), challenge.realm, form=form | query, redirects=0)
    authorization = login.basic() if login and login.password else ""
    return RegistryRequest(str(place), challenge.realm, query=query, authorization=authorization, redirects=0)


def _seconds(lifetime: object) -> float:
    if not isinstance(lifetime, int | float) or isinstance(lifetime, bool):
        return _LIFETIME
    return float(min(lifetime, _LONGEST_LIFETIME))


def _refusal_of(place: Place, answer: Answer) -> RemoteError:
    """A token server without such a page says nothing about the image: its 404 is not "no such tag"."""
    error = refusal(str(place), answer)
    if isinstance(error, Unauthorized | Forbidden | TryLater):
        return error
    # Some say 400 of a refresh token that has ended (https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
    if answer.status == 400:
        error = refusal(str(place), replace(answer, status=401))
        return error if isinstance(error, Unauthorized) else _unauthorized_error(place, error.message)
    return _unauthorized_error(place, f"its token server answered {answer.status}")


def _unauthorized_error(place: Place, message: str) -> Unauthorized:
    return Unauthorized(str(place), status=401, message=message)
