"""A person who has signed in."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """Who is signed in: GitHub's number of the account, its name when they signed in, and what acts for them.

    `token` is GitHub's, with which previewbot asks and writes as this person; `csrf` stands in each form that
    their pages have, and in no other.

    Whoever comes by a proxy is unknown to GitHub: without an account (0), a token and forms.
    """

    account: int
    login: str
    token: str = field(repr=False)
    csrf: str = field(repr=False)

    @property
    def by_proxy(self) -> bool:
        """Whether they came by a proxy, and have no account at GitHub that anybody knows of."""
        return not self.account
