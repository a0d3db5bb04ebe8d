"""A person who has signed in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """Who is signed in: GitHub's number of the account, its name when they signed in, and what acts for them.

    `token` is GitHub's, with which previewbot asks and writes as this person; `csrf` stands in each form that
    their pages have, and in no other.

    Whoever comes by a proxy is unknown to GitHub: without an account (0) and a token. `login` is then what
    they are called, and `identity` what the proxy knows them by. Where they have nothing to press, `csrf` is
    empty; `other_csrf` are those of keys that were the first before, which pages that are open still have.
    `mark` tells them from all others of their name, to those who may not know what they go by.
    """

    account: int
    login: str
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    identity: str = field(default="", repr=False)
    other_csrf: tuple[str, ...] = field(default=(), repr=False)
    mark: str = ""

    @property
    def by_proxy(self) -> bool:
        """Whether they came by a proxy, and have no account at GitHub that anybody knows of."""
        return not self.account

    @property
    def key(self) -> str:
        """What tells them from everybody else, by whichever way they came."""
        return f"proxy {self.identity}" if self.by_proxy else f"account {self.account}"

    def has_sent(self, csrf: str) -> bool:
        """Return whether a form with this came from a page of theirs."""
        # As bytes: a text that is not ASCII is none of ours, and could not be compared.
        sent = csrf.encode(errors="replace")
        found = [hmac.compare_digest(sent, each.encode()) for each in (self.csrf, *self.other_csrf) if each]
        return any(found)
