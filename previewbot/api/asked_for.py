"""What GitHub tells of what a pull request was asked for: its answer, before anything of it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api.closing_issues import IssuesUnknown


@dataclass(frozen=True)
class ReferencedIssue:
    """An issue that a pull request closes, as GitHub shows it to the App: `private` is its repository.

    `opening` are the first lines of its text, as they read once Markdown is rendered.
    """

    repository_id: int
    repository: str
    number: int
    private: bool = True
    closed: bool = False
    title: str = ""
    opening: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedFor:
    """What tells what a pull request was asked for.

    `total` counts the issues that GitHub does not show to the App as well; `unknown` says why none are
    known. `sessions` are addresses of agents' sessions (`https://…`) in its description, its commits (the
    newest first) and its first comments. `co_authors` are the accounts that its last commits name as such,
    by GitHub's own addresses: whoever writes a commit writes them.
    """

    issues: tuple[ReferencedIssue, ...] = ()
    total: int = 0
    sessions: tuple[str, ...] = ()
    unknown: IssuesUnknown | None = None
    co_authors: tuple[int, ...] = ()
