"""Asks previewbot itself: the JSON beside its pages, with its bearer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from previewbot.api.reference import Reference
from previewbot.asking.access import Access
from previewbot.asking.facts import Facts, facts_of
from previewbot.asking.http import Asker
from previewbot.asking.source import Listing, Look
from previewbot.asking.told import of_facts
from previewbot.errors import Forbidden, NotFound, Unauthorized

_HEADERS = {"Accept": "application/json", "User-Agent": "previewbot-wait"}
_LISTING = "/previews.json"


class PageSource:
    """previewbot's JSON."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        self._whom = f"previewbot ({urlsplit(access.url).netloc})"
        self._asker = Asker(session, access.url, access.bearer, self._whom, _HEADERS)
        self._had: set[tuple[str, str]] = set()
        self._is_let_in = False

    @property
    def whom(self) -> str:
        """Who is asked."""
        return self._whom

    async def head(self, reference: Reference) -> str:
        """Return the newest commit that previewbot has seen, "" for none."""
        facts = await self.told(reference)
        return (facts.head_sha or "") if facts is not None else ""

    async def look(self, reference: Reference, sha: str) -> Look:
        """Return how the preview of this commit stands now."""
        facts = await self.told(reference)
        key = (str(reference), sha)
        if facts is not None and facts.head_sha == sha:
            self._had.add(key)
        return Look(of_facts(sha, facts, had=key in self._had))

    async def told(self, reference: Reference) -> Facts | None:
        """Return what it says of a pull request; raises Unauthorized for a bearer that it does not take."""
        query = urlencode({"repository": reference.repository, "number": reference.number})
        try:
            answer = await self._asker.get(f"/p.json?{query}", _facts)
        except NotFound:
            await self._check_bearer()
            return None
        self._is_let_in = True
        return answer.kept

    async def listing(self, repository: str) -> Listing:
        """Return the previews there are, of one repository or of all."""
        query = f"?{urlencode({'repository': repository})}" if repository else ""
        try:
            return Listing((await self._asker.get(f"{_LISTING}{query}", _all_facts)).kept)
        except (NotFound, Forbidden) as error:
            raise self._not_let_in(error.what, error.status) from error

    async def _check_bearer(self) -> None:
        """Raise Unauthorized if it is the bearer that is the matter.

        Where pages are private, a wrong bearer is answered as a preview that is not there is.
        """
        if not self._is_let_in:
            await self.listing("")
            self._is_let_in = True

    def _not_let_in(self, what: str, status: int) -> Unauthorized:
        words = f"{self._whom} does not take this bearer, or has none set (api.bearer_file in its settings)"
        return Unauthorized(what, status=status, message=words)


def _facts(body: Any) -> Facts:
    facts = facts_of(body)
    if facts is None:
        # Told as an answer that cannot be read.
        raise ValueError("no facts of this version")
    return facts


def _all_facts(body: Any) -> tuple[Facts, ...]:
    """Return what can be read of a list of facts, bare or below `previews`."""
    items = body.get("previews") if isinstance(body, dict) else body
    if not isinstance(items, list):
        raise ValueError("no list of previews")
    return tuple(facts for item in items if (facts := facts_of(item)) is not None)
