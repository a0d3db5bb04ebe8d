"""What people said of a preview after they looked at it. The comment on the pull request is the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from previewbot.api.value import Value

MOST_VERDICTS = 20
"""So many are kept of a pull request, the newest."""

LONGEST_KEPT_WORDS = 500
"""Characters of somebody's words that are kept; the comment has all of them."""


class Says(StrEnum):
    """What somebody says of what a preview shows."""

    GOOD = "good"
    WORK = "work"
    """It needs work."""

    @classmethod
    def _missing_(cls, value: object) -> Says:
        """Read what only a newer version knows: it is no yes."""
        return cls.WORK


@dataclass(frozen=True)
class SaidVerdict:
    """What a comment says that begins as a verdict does. Anybody can write one: ask who did, and how.

    `words` are its author's own, without what was written around them. Of one that quotes somebody who came
    by a sign-on proxy, `name` is theirs, `mark` tells them from others of that name, and `request` is the
    number of the request that it answers.
    """

    says: Says
    sha: str
    path: str
    words: str
    name: str = ""
    request: int = 0
    mark: str = ""


@dataclass(frozen=True)
class Verdict(Value):
    """One verdict: the `comment` that it is, its author, and of which commit it was said, at which path.

    `words` are the author's own, cut to `LONGEST_KEPT_WORDS`. All times are GitHub's: it was `said_at`, and
    changed at `updated_at`. `edited`: somebody, perhaps its author, changed it after it was written. That
    nobody did was found at `asked_at`, None while that could not be asked. `writes` is whether its author may
    write to the repository, None while that could not be asked. `replaced`: its author has said something
    newer of the same commit, which may be deleted by now. `counts`: it moves the check.

    `by_proxy`: previewbot quotes somebody whom a sign-on proxy let in. `login` is the name that the proxy
    has for them then, and not one of GitHub's; `account` is 0, of everybody who came so. `request` is the
    number of the `PreviewRequest` with which they said it. `mark` tells them from all others whom the proxy
    calls so, and `nth` says which of these they are.
    """

    comment: int
    node_id: str
    login: str
    account: int
    says: Says
    head_sha: str
    path: str
    words: str
    said_at: datetime
    updated_at: datetime
    edited: bool = False
    asked_at: datetime | None = None
    writes: bool | None = None
    replaced: bool = False
    counts: bool = False
    by_proxy: bool = False
    request: int = 0
    mark: str = ""
    nth: int = 0

    @property
    def called(self) -> str:
        """Its author's login, or name, with which of that name it is."""
        return called(self.login, self.nth)

    @property
    def who(self) -> str:
        """What its author is called where people and programs read it; no login of GitHub's has blanks."""
        return f"{self.called} (not a GitHub account)" if self.by_proxy else self.login

    @property
    def person(self) -> tuple[int, str]:
        """What tells its author from all others."""
        return (self.account, self.mark)


def called(name: str, nth: int) -> str:
    """Return what to call somebody who came by a proxy: the second of a name is called so."""
    return f"{name} ({nth})" if nth > 1 else name
