"""Who looks at a page: nobody in particular, or a person, with what they may in its repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from previewbot.api import Preview
from previewbot.api.rights import Rights
from previewbot.config.server import ProxySettings, Settings
from previewbot.people.access import Access, RepositoryAccess, SessionOver
from previewbot.people.person import Person
from previewbot.people.proxy import ByProxy
from previewbot.people.sessions import Sessions
from previewbot.rules.page_access import ByProxyMay, Standing, rights_of

GITHUB = "GitHub"
"""Who is asked what somebody may who signs in there (`Visitors.asks`)."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at a page: the `person` if one is signed in, and what they may in its repository.

    Without access to it `repository` is None, and their rights are those of nobody. It is None, too, of
    whoever comes by a proxy: GitHub is not asked about them. What they may stands in the `preview`, which is
    None where it was not read for that.
    """

    rights: Rights
    person: Person | None = None
    repository: RepositoryAccess | None = None
    preview: Preview | None = None


class Visitors(Protocol):
    """Says who sent the request that is under way."""

    @property
    def asks(self) -> str:
        """Who is asked what somebody may, as it begins a sentence."""

    def person(self) -> Person | None:
        """Return who is signed in."""

    def at(self, repository_id: int, number: int) -> Visitor:
        """Return who it is at the page of a pull request of this repository.

        Raises RemoteError if it cannot be asked what they may; SessionOver, which is one, if GitHub takes the
        person's token no more.
        """

    def of(self, preview: Preview) -> Rights:
        """Return the rights of whoever it is at the page of this preview; raises what `at` does."""

    def can_sign_in(self) -> bool:
        """Return whether anybody can."""

    def can_press(self) -> bool:
        """Return whether anybody has something to press, so that pages have forms."""


@dataclass(frozen=True)
class Strangers:
    """Where nobody signs in: everybody is nobody in particular."""

    pages_public: bool
    asks: str = "The cluster"

    def person(self) -> Person | None:
        """Return None."""
        return None

    def at(self, repository_id: int, number: int) -> Visitor:
        """Return the rights of nobody."""
        return Visitor(rights_of(Standing.NOBODY, pages_public=self.pages_public))

    def of(self, preview: Preview) -> Rights:
        """Return the rights of nobody."""
        return self.at(0, 0).rights

    def can_sign_in(self) -> bool:
        """Return False."""
        return False

    def can_press(self) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True)
class SignedIn:
    """Where people sign in with GitHub."""

    settings: Settings
    sessions: Sessions = field(repr=False)
    access: Access = field(repr=False)
    asks: str = GITHUB

    def person(self) -> Person | None:
        """Return who is signed in."""
        return self.sessions.current()

    def at(self, repository_id: int, number: int) -> Visitor:
        """Return who it is at a page of this repository; raises RemoteError, and SessionOver."""
        person = self.sessions.current()
        repository = self.access.of(person, repository_id) if person is not None else None
        standing = _standing_of(repository)
        rights = rights_of(
            standing,
            pages_public=self.settings.pages == "public",
            readers_may_extend=self.settings.sign_in.readers_may_extend,
        )
        return Visitor(rights, person, repository)

    def of(self, preview: Preview) -> Rights:
        """Return the rights of whoever it is at the page of this preview; raises what `at` does."""
        return self.at(preview.spec.repository_id, preview.spec.number).rights

    def can_sign_in(self) -> bool:
        """Return True."""
        return True

    def can_press(self) -> bool:
        """Return True."""
        return True


@dataclass(frozen=True)
class LetIn:
    """Where a proxy before the pages says who people are.

    `read` returns the Preview of a pull request, and raises RemoteError: there is the name that GitHub gives
    its repository, by which the settings name those that these people see.
    """

    settings: ProxySettings
    people: ByProxy = field(repr=False)
    read: Callable[[int, int], Preview | None] = field(repr=False)
    pages_public: bool
    asks: str = "The cluster"

    def person(self) -> Person | None:
        """Return whom the proxy let in."""
        return self.people.current()

    def at(self, repository_id: int, number: int) -> Visitor:
        """Return who it is at the page of a pull request of this repository; raises RemoteError."""
        person = self.people.current()
        # One that is not there is like one that they may not see.
        preview = self.read(repository_id, number) if person is not None else None
        return Visitor(self._rights(preview), person, preview=preview)

    def of(self, preview: Preview) -> Rights:
        """Return the rights of whoever it is at the page of this preview."""
        return self._rights(preview if self.people.current() is not None else None)

    def _rights(self, preview: Preview | None) -> Rights:
        # The name in the `spec` is whatever a webhook said, and allows nothing.
        repository = preview.status.observed.repository if preview is not None else ""
        settings = self.settings
        may = ByProxyMay(words=settings.sees == "words", say=settings.may_say, extend=settings.may_extend)
        standing = Standing.BY_PROXY if settings.names(repository) else Standing.NOBODY
        return rights_of(standing, pages_public=self.pages_public, by_proxy=may)

    def can_sign_in(self) -> bool:
        """Return False: they signed in elsewhere, before they came here."""
        return False

    def can_press(self) -> bool:
        """Return whether the settings let them say something, or give more time."""
        return self.settings.they_press


def _standing_of(repository: RepositoryAccess | None) -> Standing:
    if repository is None:
        return Standing.NOBODY
    return Standing.WRITES if repository.writes else Standing.READS


__all__ = ["GITHUB", "LetIn", "SessionOver", "SignedIn", "Strangers", "Visitor", "Visitors"]
