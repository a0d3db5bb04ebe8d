"""Whom is asked, and what the answers are made into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from previewbot.api.reference import Reference
from previewbot.asking.facts import Facts
from previewbot.asking.standing import Standing


@dataclass(frozen=True)
class Look:
    """What one look found: how the preview of a commit stands, and what else should be said once.

    `doubt` is why that there is nothing may come of what was asked for, and not of the pull request.
    """

    standing: Standing
    notes: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True)
class Listing:
    """Previews; `complete` says that there are no others of which nothing was read."""

    previews: tuple[Facts, ...]
    complete: bool = True


class NoRepository(ValueError):
    """Previews of all repositories are asked for, where only those of one can be told."""


class Source(Protocol):
    """GitHub or previewbot's JSON; it remembers what it was answered, and asks only for what has changed.

    Each method raises Unauthorized, Forbidden or NotFound for what will not change by itself, and TryLater
    for what passes, with the seconds to wait where somebody named them.
    """

    @property
    def whom(self) -> str:
        """Who is asked, for people: "GitHub (api.github.com)"."""
        ...

    async def head(self, reference: Reference) -> str:
        """Return the pull request's newest commit; "" where previewbot is asked and knows none yet."""
        ...

    async def look(self, reference: Reference, sha: str) -> Look:
        """Return how the preview of this commit stands now."""
        ...

    async def told(self, reference: Reference) -> Facts | None:
        """Return what previewbot said last of a pull request, whichever commit that is about.

        None where it says nothing that can be read.
        """
        ...

    async def listing(self, repository: str) -> Listing:
        """Return the previews of a repository, newest news first where those are known.

        `repository` "" asks for all that may be seen, which only previewbot's JSON can tell; raises
        NoRepository elsewhere.
        """
        ...
