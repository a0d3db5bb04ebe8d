"""Who looks at a page: nobody in particular, or a person, with what they may in its repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from previewbot.api.rights import Rights
from previewbot.config.server import Settings
from previewbot.people.access import Access, RepositoryAccess, SessionOver
from previewbot.people.person import Person
from previewbot.people.sessions import Sessions
from previewbot.rules.page_access import Standing, rights_of


@dataclass(frozen=True)
class Visitor:
    """Somebody at a page: the `person` if one is signed in, and what they may in its repository.

    Without access to it `repository` is None, and their rights are those of nobody.
    """

    rights: Rights
    person: Person | None = None
    repository: RepositoryAccess | None = None


class Visitors(Protocol):
    """Says who sent the request that is under way."""

    def person(self) -> Person | None:
        """Return who is signed in."""

    def at(self, repository_id: int) -> Visitor:
        """Return who it is at a page of this repository.

        Raises RemoteError if GitHub cannot be asked; SessionOver, which is one, if it takes the person's
        token no more.
        """

    def can_sign_in(self) -> bool:
        """Return whether anybody can."""


@dataclass(frozen=True)
class Strangers:
    """Where nobody signs in: everybody is nobody in particular."""

    pages_public: bool

    def person(self) -> Person | None:
        """Return None."""
        return None

    def at(self, repository_id: int) -> Visitor:
        """Return the rights of nobody."""
        rights = rights_of(Standing.NOBODY, pages_public=self.pages_public, readers_may_extend=False)
        return Visitor(rights)

    def can_sign_in(self) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True)
class SignedIn:
    """Where people sign in with GitHub."""

    settings: Settings
    sessions: Sessions = field(repr=False)
    access: Access = field(repr=False)

    def person(self) -> Person | None:
        """Return who is signed in."""
        return self.sessions.current()

    def at(self, repository_id: int) -> Visitor:
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

    def can_sign_in(self) -> bool:
        """Return True."""
        return True


def _standing_of(repository: RepositoryAccess | None) -> Standing:
    if repository is None:
        return Standing.NOBODY
    return Standing.WRITES if repository.writes else Standing.READS


__all__ = ["SessionOver", "SignedIn", "Strangers", "Visitor", "Visitors"]
