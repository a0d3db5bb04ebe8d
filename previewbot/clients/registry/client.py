"""Looks images up (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from previewbot.clients.registry import answers
from previewbot.clients.registry.access import Accesses, Place, RegistryAccess
from previewbot.clients.registry.answers import MEDIA_TYPES, Answer, Manifest
from previewbot.clients.registry.tokens import Authorizer
from previewbot.clients.registry.transport import Limits, RegistryRequest, Transport
from previewbot.errors import NotFound, TryLater
from previewbot.rules.images import ImageReference

_T = TypeVar("_T")
_LIMITS = Limits()
_DEEPEST = 4
_MOST_REMEMBERED = 1000
# After these a GET has the last word: some registries do not know HEAD (405, 501), and only a body says what
# is wrong. 200 is among them for an answer whose headers name no digest.
_ASK_AGAIN = (200, 400, 403, 405, 501)


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
    ) -> None:
        self._accesses = Accesses(access)
        self._limits = limits
        self._transport = Transport(session, limits)
        self._authorizer = Authorizer(self._transport, clock)
        self._revisions: dict[tuple[str, str], str | None] = {}
        self._read: dict[tuple[str, str], None] = {}

    async def find(self, reference: ImageReference, *, revision: bool = False) -> FoundImage | None:
        """Return the image that a tag names, or None if there is no such tag or repository.

        With `revision` also the commit it says it was built from. Raises Unauthorized or Forbidden when the
        registry does not let us look (which is not "not there yet"), Invalid if what it sends is too large,
        TryLater for what may pass.
        """
        place = self._accesses.place(reference)
        try:
            # A look may need six answers (index, manifest, configuration, and logins in between), each within
            # its own limit. The whole must fit into a pass.
            async with asyncio.timeout(self._limits.lookup_seconds):
                return await self._find(place, reference.tag, revision)
        except NotFound:
            return None
        except TimeoutError as error:
            raise TryLater(str(place), message="looking takes too long") from error

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
        if answer.status not in _ASK_AGAIN:
            raise answers.refusal(str(place), answer)
        return answers.promised_digest(answer) if answer.status == 200 else ""

    async def _manifest(self, place: Place, name: str) -> Manifest:
        """Return the manifest that a tag or a digest names."""
        answer = await self._get(place, f"manifests/{name}")
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
        if answer.status != 200:
            raise answers.refusal(str(place), answer)
        return answer

    async def _ask(self, place: Place, method: str, path: str) -> Answer:
        """Ask with what served before; after a 401 once more, with what the registry wants."""
        accept = ", ".join(MEDIA_TYPES) if path.startswith("manifests/") else "*/*"

        async def ask(authorization: str) -> Answer:
            request = RegistryRequest(str(place), place.url(path), method, accept, authorization)
            return await self._transport.send(request, place.access.ca_file)

        answer = await ask(self._authorizer.cached_authorization(place))
        # A token may have been revoked, or a password changed, before its time. So a 401 is answered once,
        # with what the registry asks for now; a second one is final.
        if answer.status != 401:
            return answer
        return await ask(await self._authorizer.answer(place, answer))


def _remember(table: dict[tuple[str, str], _T], known: tuple[str, str], value: _T) -> None:
    """What a digest names never changes, so it is read once; the oldest are forgotten."""
    table[known] = value
    if len(table) > _MOST_REMEMBERED:
        del table[next(iter(table))]
