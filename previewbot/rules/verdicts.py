"""Which verdicts move the check of a commit, and how it comes out by them. Pure.

A yes must be a person's, and somebody else's than whoever is to be judged: so of what cannot be told, nothing
counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from previewbot.api import MOST_VERDICTS, Observed, Says, Verdict
from previewbot.api.check_runs import Conclusion

SETTLED_AFTER = timedelta(seconds=5)
"""So long after a comment was written or changed, by GitHub's clock, what it says of edits is final.

GitHub's times have whole seconds, and its servers are not all equally far: an edit within the second in which
it was written changes no time that a listing shows.
"""

_WEIGHT = {True: 2, None: 1, False: 0}
"""How much the last verdict of somebody weighs who may write, may perhaps, or may not."""

_MOST_REQUESTERS = 50
_MOST_CO_AUTHORS, _LOOKED_AT = 20, 10_000

_CO_AUTHOR_RE = re.compile(
    r"^co-authored-by:[^\n<]{0,200}<([1-9][0-9]{0,17})\+[^\s<>@]{1,100}@users\.noreply\.github\.com>",
    re.IGNORECASE | re.MULTILINE,
)
"""https://docs.github.com/en/pull-requests/committing-changes-to-your-project/creating-and-editing-commits/creating-a-commit-with-multiple-authors"""


def is_settled(verdict: Verdict) -> bool:
    """Return whether it is known for good that a verdict was edited, or that it was not until it was read."""
    return verdict.edited or (
        verdict.asked_at is not None and verdict.asked_at - verdict.updated_at >= SETTLED_AFTER
    )


def settles_at(verdict: Verdict) -> datetime:
    """Return from when on, by GitHub's clock, an answer about a verdict is final."""
    return verdict.updated_at + SETTLED_AFTER


def barred(observed: Observed) -> frozenset[int]:
    """Return the accounts whose verdicts never count: the author's, and that of whoever started the agent."""
    return frozenset((observed.author_id, *observed.requesters))


def co_authors_in(message: str) -> list[int]:
    """Return the accounts that a commit's message names as co-authors by GitHub's own addresses.

    Anybody can write one: it is enough to take somebody's verdict out of the count, and grants nothing.
    """
    found = (int(number) for number in _CO_AUTHOR_RE.findall(message[-_LOOKED_AT:]))
    return list(islice(dict.fromkeys(found), _MOST_CO_AUTHORS))


def with_requesters(observed: Observed, named: Collection[int], *, of_agents_account: bool) -> Observed:
    """Return what is known of who started the agent, with those who are `named` now.

    A pull request that an agent opens with its own account names whoever asked for it as its assignee, and
    in its commits (https://docs.github.com/en/copilot/concepts/agents/coding-agent/about-coding-agent).
    Whoever is taken off the list has started it all the same, and whoever was named first stays: else they
    would have themselves pushed out by commits that name a crowd.
    """
    if not of_agents_account:
        return observed
    new = tuple(each for each in dict.fromkeys(named) if each not in observed.requesters)
    if not new or len(observed.requesters) >= _MOST_REQUESTERS:
        return observed
    return replace(observed, requesters=(*observed.requesters, *new)[:_MOST_REQUESTERS])


def kept(verdicts: Iterable[Verdict], head_sha: str) -> tuple[Verdict, ...]:
    """Return the verdicts that are kept, the newest first.

    Of too many those go before others by which the check may be moved, so that nobody's is pushed out by
    whoever may only read; and then those of whom it is not known yet whether they may write.
    """
    found = _with_replaced(_numbered(verdicts))
    last = frozenset(each.comment for each in _last_of_each(found, head_sha))
    ranked = sorted(found, key=lambda each: (each.comment in last and _WEIGHT[each.writes], *_order(each)))
    return tuple(sorted(ranked[-MOST_VERDICTS:], key=_order, reverse=True))


def judged(verdicts: Sequence[Verdict], head_sha: str, barred: Collection[int]) -> tuple[Verdict, ...]:
    """Return verdicts with whether each counts: of the very commit, the last of its author's, not edited as
    far as can be told, by a person who may write and is not `barred`.

    An earlier one of the same person does not come back when the last was edited, nor a yes when it was
    deleted: whoever can do that, as the author can who may write, must not choose between them.
    """
    last = _last_of_each(verdicts, head_sha)
    return tuple(replace(each, counts=each in last and _counts(each, barred)) for each in verdicts)


def conclusion_of(verdicts: Iterable[Verdict]) -> Conclusion | None:
    """Return how the check comes out by the verdicts that count; None while nobody has judged the commit.

    Never `neutral` or `skipped`: rules of branches take these for a yes
    (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks).
    """
    said = {each.says for each in verdicts if each.counts}
    if not said:
        return None
    return Conclusion.SUCCESS if said == {Says.GOOD} else Conclusion.ACTION_REQUIRED


def nth_of(name: str, mark: str, verdicts: Iterable[Verdict]) -> int:
    """Return which of all of this name somebody is who came by a proxy; a new one is after those known."""
    namesakes = [each for each in verdicts if each.by_proxy and each.login.casefold() == name.casefold()]
    known = next((each.nth for each in namesakes if each.mark == mark and each.nth), 0)
    return known or max((each.nth for each in namesakes), default=0) + 1


def _numbered(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return verdicts with which of their name each is who came by a proxy; what is said once stays."""
    found = sorted(verdicts, key=_order)
    for index, each in enumerate(found):
        if each.by_proxy and not each.nth:
            found[index] = replace(each, nth=nth_of(each.login, each.mark, found))
    return found


def _last_of_each(verdicts: Iterable[Verdict], head_sha: str) -> list[Verdict]:
    """Return the last verdict of each person on a commit."""
    of_it = (each for each in verdicts if head_sha and each.head_sha == head_sha)
    return list({each.person: each for each in sorted(of_it, key=_order)}.values())


def _with_replaced(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return verdicts with which of them their author has replaced by a newer one on the same commit."""
    found = list(verdicts)
    last = {(each.person, each.head_sha): each.comment for each in sorted(found, key=_order)}
    return [
        replace(each, replaced=each.replaced or last[each.person, each.head_sha] != each.comment)
        for each in found
    ]


def _counts(verdict: Verdict, barred: Collection[int]) -> bool:
    is_known = verdict.asked_at is not None and not verdict.edited
    # That it needs work was never taken back, if what replaced it is gone.
    is_withdrawn = verdict.replaced and verdict.says is Says.GOOD
    # Whom a proxy let in is nobody at GitHub: the author may be among them.
    may = verdict.writes is True and not verdict.by_proxy and verdict.account not in barred
    return is_known and not is_withdrawn and may


def _order(verdict: Verdict) -> tuple[datetime, int]:
    return verdict.said_at, verdict.comment
