"""Looks images up (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import aiohttp

from previewbot.clients.registry import answers
from previewbot.clients.registry.access import HUB_HOST, Accesses, Place, RegistryAccess
from previewbot.clients.registry.answers import MEDIA_TYPES, Answer, Given, Manifest
from previewbot.clients.registry.helpers import Helpers
from previewbot.clients.registry.logins import Logins
from previewbot.clients.registry.pauses import RegistryPauses
from previewbot.clients.registry.problems import RepositoryUnknown
from previewbot.clients.registry.tokens import Authorizer
from previewbot.clients.registry.transport import Limits, RegistryRequest, Transport
from previewbot.errors import NotFound, TryLater
from previewbot.rules.images import ImageReference

_T = TypeVar("_T")
_LIMITS = Limits()
_DEEPEST = 4
_MOST_REMEMBERED = 1000
_MOST_PAGES = 5
_SURE_SECONDS = 600.0
# After these a GET has the last word: some registries do not know HEAD (405, 501), some say 404 to it
# whatever there is (Sonatype's Nexus, some proxies), and only a body says what is wrong. 200 is among them
# for an answer whose headers name no digest. Not after 401: a password that is wrong would count twice.
_ASK_AGAIN = (200, 400, 403, 404, 405, 406, 412, 415, 500, 501)


@dataclass(frozen=True)
class Checked:
    """A look at a registry that went well: the address that was asked, and as whom (nobody: empty)."""

    address: str
    user: str = ""


@dataclass(frozen=True)
class FoundImage:
    """An image that is there: the digest of what the tag names (of the index, if it is one)."""

    digest: str
    revision: str | None = None


class Registry:
    """Asks registries; tokens are kept until shortly before they end."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        access: Mapping[str, RegistryAccess],
        *,
        limits: Limits = _LIMITS,
        clock: Callable[[], float] = time.monotonic,
        helpers: Helpers | None = None,
    ) -> None:
        self._accesses = Accesses(access)
        self._limits = limits
        self._clock = clock
        self._transport = Transport(session, limits)
        logins = Logins(helpers or Helpers(clock, time.time))
        self._authorizer = Authorizer(self._transport, logins, clock)
        self._pauses = RegistryPauses(clock)
        self._sure: dict[str, float] = {}
        self._revisions: dict[tuple[str, str], str | None] = {}
        self._read: dict[tuple[str, str], None] = {}

    async def find(self, reference: ImageReference, *, revision: bool = False) -> FoundImage | None:
        """Return the image that a tag names, or None if there is no such tag or repository.

        With `revision` also the commit it says it was built from. Raises Unauthorized or Forbidden when the
        registry does not let us look (which is not "not there yet"), RepositoryUnknown if it knows no such
        repository, Invalid if what it sends is too large or too old, TryLater for what may pass; each as the
        kind that `problems` has for it.
        """
        place = self._accesses.place(reference)
        try:
            return await self._within(place, self._find(place, reference.tag, revision))
        except RepositoryUnknown:
            raise
        except NotFound:
            return None

    async def tags(self, reference: ImageReference) -> tuple[str, ...]:
        """Return tags of a reference's repository, in the registry's order: of many, those of some pages.

        Raises what `find` raises; many registries, or the rights of a login, let nobody list them.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
        """
        place = self._accesses.place(reference)
        found: list[str] = []
        query = f"n={self._limits.tags}"
        for _ in range(_MOST_PAGES):
            # Not within what notes when to ask again: a list that is refused holds up no look for an image.
            answer = await self._ask(place, "GET", f"{answers.TAGS}?{query}")
            if answer.status != 200 or answer.is_page or answer.foreign:
                raise answers.refusal(str(place), answer)
            found += answers.read_tags(answer.body)
            query = answers.next_page(answer, place.url(answers.TAGS))
            if not query:
                break
        return tuple(found)

    async def check(self, host: str) -> Checked:
        """Look whether a registry answers as one, and takes the login that is for it, whatever it has.

        `host` is the name that images have. Raises what `find` raises.
        https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support
        """
        place = self._accesses.of(host, "")
        return await self._within(place, self._check(place))

    async def _check(self, place: Place) -> Checked:
        answer = await self._ask(place, "GET", "")
        if answer.status != 200 or answer.is_page or answer.foreign:
            known = answer.status in (401, 403, 429) or answer.status >= 500
            raise answers.refusal(str(place), answer) if known else answers.not_a_registry(str(place), answer)
        login = answer.given.login
        return Checked(place.host, (login.username or "an identity token") if login else "")

    async def _within(self, place: Place, look: Coroutine[Any, Any, _T]) -> _T:
        """Give a look its time, and heed what the registry says of when it may be asked again."""
        try:
            # A look may need six answers (index, manifest, configuration, and logins in between), each within
            # its own limit. The whole must fit into a pass.
            async with asyncio.timeout(self._limits.lookup_seconds):
                return await look
        except TimeoutError as error:
            raise TryLater(str(place), message="looking takes too long") from error
        except TryLater as error:
            self._pauses.note(place, error)
            raise

    async def _find(self, place: Place, tag: str, revision: bool) -> FoundImage | None:
        """Ask with HEAD first: registries that limit how much one may pull count only GETs."""
        digest = await self._head(place, tag)
        # Over plain HTTP a header is one line of whoever is on the way: there the content is read once, which
        # must be what the digest names.
        believed = not place.access.plain_http or (str(place), digest) in self._read
        if digest and believed and not revision:
            return FoundImage(digest)
        known = (str(place), digest)
        if known in self._revisions:
            return FoundImage(digest, self._revisions[known])
        # By digest if it is known: the tag may move between the two questions, and then digest and commit
        # would be of two different images.
        manifest = await self._manifest(place, digest or tag)
        _remember(self._read, (str(place), manifest.digest), None)
        if not revision:
            return FoundImage(manifest.digest)
        found = await self._revision(place, manifest)
        _remember(self._revisions, (str(place), manifest.digest), found)
        return FoundImage(manifest.digest, found)

    async def _head(self, place: Place, tag: str) -> str:
        """Return the digest, or nothing if only the content can tell."""
        answer = await self._ask(place, "HEAD", f"manifests/{tag}")
        # Docker Hub knows HEAD, and counts each GET against what an address may pull in some hours
        # (https://docs.docker.com/docker-hub/usage/pulls/).
        believed = answer.status == 404 and place.host == HUB_HOST
        again = answer.status in _ASK_AGAIN or _says_nothing(answer)
        if not again or believed:
            raise answers.refusal(str(place), answer)
        return answers.promised_digest(answer) if answer.status == 200 else ""

    async def _manifest(self, place: Place, name: str) -> Manifest:
        """Return the manifest that a tag or a digest names."""
        answer = await self._get(place, f"manifests/{name}")
        answers.check_manifest(str(place), answer)
        digest = name if ":" in name else answers.promised_digest(answer)
        try:
            return answers.read_manifest(answer.body, digest)
        except ValueError as error:
            raise TryLater(str(place), message=str(error)) from error

    async def _revision(self, place: Place, manifest: Manifest) -> str | None:
        """Return the commit, if a part of the image that should be there is."""
        try:
            return await self._search(place, manifest)
        except NotFound as error:
            # The tag is there, so this must not be told as "no such image": the push is still under way, or a
            # mirror is incomplete.
            raise TryLater(str(place), message="a part of the image is not there") from error
        except ValueError as error:
            raise TryLater(str(place), message=str(error)) from error

    async def _search(self, place: Place, manifest: Manifest) -> str | None:
        """Look in the annotations of index and manifest, then in the labels of the image's configuration."""
        for _ in range(_DEEPEST):
            if manifest.revision:
                return manifest.revision
            if manifest.config:
                config = await self._get(place, f"blobs/{manifest.config}")
                answers.verify_digest(config.body, manifest.config)
                return answers.read_revision(config.body) or None
            if not manifest.images:
                return None
            # One of an index's images is enough: the others are the same commit for other processors.
            manifest = await self._manifest(place, manifest.images[0])
        return None

    async def _get(self, place: Place, path: str) -> Answer:
        answer = await self._ask(place, "GET", path)
        # Of a part of an image, which may lie elsewhere, a 404 says no more than that it is not there.
        if answer.status == 404 and path.startswith("manifests/") and not answer.is_error_of_a_registry:
            await self._make_sure(place, answer)
        if answer.status != 200:
            raise answers.refusal(str(place), answer)
        return answer

    async def _make_sure(self, place: Place, missing: Answer) -> None:
        """Raise NotARegistry where a bare 404 may be anybody's: a proxy's, or that of a web server."""
        # A page that is missing where it redirects to, as of a sign-in, says nothing of the image.
        if missing.redirected:
            raise answers.not_a_registry(str(place), missing)
        if self._clock() < self._sure.get(place.root, 0.0):
            return
        answer = await self._ask_for(place, "GET", f"{place.root}/v2/", Given())
        if answer.is_page or answer.foreign or answer.status not in (200, 401, 403):
            raise answers.not_a_registry(str(place), missing if answer.status == 404 else answer)
        self._sure[place.root] = self._clock() + _SURE_SECONDS

    async def _ask(self, place: Place, method: str, path: str) -> Answer:
        """Ask with what served before; after a refusal once more, with what the registry wants."""
        self._pauses.check(place)
        url = place.url(path) if path else f"{place.root}/v2/"
        given = self._authorizer.kept(place)
        answer = await self._ask_for(place, method, url, given)
        if given.by_helper and answer.status == 403:
            # A token that has ended is a 403 to ECR. What its helper gives now is another one.
            self._authorizer.forget(place)
            answer = await self._ask_for(place, method, url, Given())
        # A token may have been revoked, or a password changed, before its time. So a 401 is answered once
        # with each login there is, with what the registry asks for now; a second one is final.
        if answer.status != 401 or (method == "HEAD" and _says_nothing(answer)):
            return answer
        self._authorizer.forget(place)
        async for given in self._authorizer.answers(place, answer):
            answer = await self._ask_for(place, method, url, given)
            if answer.status not in (401, 403):
                return answer
            if answer.status == 401 or given.by_helper:
                self._authorizer.forget(place)
        return answer

    async def _ask_for(self, place: Place, method: str, url: str, given: Given) -> Answer:
        accept = ", ".join(MEDIA_TYPES) if "/manifests/" in url else "*/*"
        request = RegistryRequest(str(place), url, method, accept, given.authorization)
        return replace(await self._transport.send(request, place.access.ca_file), given=given)


def _says_nothing(answer: Answer) -> bool:
    """Return whether a 401 does not say what is wanted, as some say only to a GET."""
    return answer.status == 401 and not answer.challenges


def _remember(table: dict[tuple[str, str], _T], known: tuple[str, str], value: _T) -> None:
    """What a digest names never changes, so it is read once; the oldest are forgotten."""
    table[known] = value
    if len(table) > _MOST_REMEMBERED:
        del table[next(iter(table))]
