"""How long strangers wait for the next look that they cause.

A push, an edit or a reopening costs a look at GitHub, and of a fork that nobody asked for it comes to
nothing. So does a comment of somebody who may not ask for anything, on whatever pull request. Whoever repeats
that would spend the requests that GitHub grants for everybody. So after each look that came to nothing the
next one waits longer: at any fork of its author, and for the comments of whoever wrote them. One never waits
for what the other did. People with write access are no strangers: their branches are in the repository
itself, and what they do there never waits.

All of it is in memory: a restart forgets it, which costs one look per pull request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from previewbot.api import Preview
from previewbot.reconciler.bounded import keep
from previewbot.reconciler.observation import Found, PullRequestFacts

FIRST = timedelta(seconds=10)
"""The wait after one look that came to nothing; it doubles with each further one."""

LONGEST = timedelta(minutes=10)
"""The longest wait."""

WHILE_IT_RUNS = timedelta(minutes=1)
"""The longest that a comment waits where something runs: its author may have write access without showing as
a member, and be hidden by a stranger who wrote a moment later."""

QUIET = timedelta(hours=1)
"""After so long without such a look an author begins anew."""

_ACCOUNTS_KEPT = 10_000
_PULL_REQUESTS_KEPT = 20_000
_CALLERS_KEPT = 10


class Paused(Exception):
    """A look is not due yet: the pass ends, and is to be made again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the next look at this author's forks is due in {seconds:.0f} s")


@dataclass(frozen=True)
class _Heard:
    """The deliveries that the latest complete look accounted for."""

    label: str = ""
    call: str = ""
    closed: str = ""
    event: str = ""


@dataclass(frozen=True)
class _InVain:
    looks: int
    last: datetime

    @property
    def due(self) -> datetime:
        # The exponent is bounded, since a timedelta cannot hold what thousands of doublings make of it.
        wait: timedelta = FIRST * 2 ** min(self.looks - 1, 10)
        return self.last + min(LONGEST, wait)


class Pauses:
    """By account, since whoever is made to wait at one pull request would go on at the next.

    Bounded: those who were seen longest ago are forgotten first.
    """

    def __init__(self) -> None:
        self._in_vain: OrderedDict[int, _InVain] = OrderedDict()  # by the number of the account
        self._authors: OrderedDict[str, int] = OrderedDict()
        self._heard: OrderedDict[str, _Heard] = OrderedDict()
        self._unanswered: OrderedDict[str, Sequence[int]] = OrderedDict()

    def require_due(self, preview: Preview, now: datetime) -> None:
        """Raise `Paused` if this Preview is known to be a fork's whose author has to wait.

        Who called for a look that GitHub could not serve yet waits no longer than for their own looks.
        """
        author = self._authors.get(preview.name)
        left = timedelta(0) if author is None else self._left(author, now)
        left = min([left, *(self._left(account, now) for account in self._called(preview))])
        if left:
            raise Paused(left.total_seconds())

    def knows(self, name: str) -> bool:
        """Return whether an earlier look of this process found whose fork it is."""
        return name in self._authors

    def note_fork(self, name: str, author: int) -> None:
        """Note whose fork a Preview is about, so that the next wait costs not even one request."""
        keep(self._authors, name, author, _PULL_REQUESTS_KEPT)

    def note_in_vain(self, account: int, now: datetime) -> timedelta:
        """Note a look that came to nothing; return how long this account has to wait for the next."""
        before = self._in_vain.get(account)
        looks = before.looks + 1 if before is not None and now - before.last < QUIET else 1
        found = _InVain(looks, now)
        keep(self._in_vain, account, found, _ACCOUNTS_KEPT)
        return found.due - now

    def forgive(self, account: int) -> None:
        """Forget an account's looks in vain: it has write access, or somebody who has approved its change."""
        self._in_vain.pop(account, None)

    def callers(self, preview: Preview, now: datetime) -> Sequence[int]:
        """Return who else than the author asked for a look that was not complete yet.

        Who may write is not known before the look. So a comment of anybody calls, until the looks that this
        account called for came to nothing; then it waits like an author.
        """
        return [account for account in self._called(preview) if not self._left(account, now)]

    def only_callers(self, preview: Preview) -> Sequence[int]:
        """Return the accounts whose comments are all that no complete look has seen; nobody if there is more.

        What the listing tells is not more: the comment itself has changed what it goes by.
        """
        poke, heard = preview.poke, self._heard_of(preview)
        more = poke.event_id not in ("", heard.event) or preview.asked_by_member
        return () if more else self._called(preview)

    def was_heard_of(self, preview: Preview) -> bool:
        """Return whether the last call is one of this process's time.

        The delivery stays in the Preview, and whom another process has heard must not wait for that.
        """
        return preview.poke.delivery_id == preview.poke.call_id or preview.name in self._heard

    def due_at(self, accounts: Sequence[int], now: datetime) -> datetime:
        """Return when the next look is due that one of these accounts causes."""
        return now + min(self._left(account, now) for account in accounts)

    def is_labelled(self, preview: Preview) -> bool:
        """Return whether somebody set a label that no complete look has seen."""
        return preview.poke.label_id not in ("", self._heard_of(preview).label)

    def is_closed(self, preview: Preview) -> bool:
        """Return whether a closing that no complete look has seen leaves something to take down.

        Where nothing was made or told yet it waits: else to close and reopen would cost two looks each time.
        """
        closed, status = self._heard_of(preview).closed, preview.status
        return preview.poke.closed_id not in ("", closed) and bool(status.reports or status.children)

    def note_heard(self, preview: Preview) -> None:
        """Note that a complete look has seen what the latest deliveries were about."""
        poke = preview.poke
        heard = _Heard(poke.label_id, poke.call_id, poke.closed_id, poke.event_id)
        self._unanswered.pop(preview.name, None)
        if heard != _Heard():
            keep(self._heard, preview.name, heard, _PULL_REQUESTS_KEPT)

    def note_unanswered(self, preview: Preview) -> None:
        """Note who called for a look that was not complete: the poke knows the latest only."""
        called = self._called(preview)
        if called:
            keep(self._unanswered, preview.name, called[-_CALLERS_KEPT:], _PULL_REQUESTS_KEPT)

    def _called(self, preview: Preview) -> Sequence[int]:
        poke = preview.poke
        latest = [poke.called_by] if poke.call_id not in ("", self._heard_of(preview).call) else []
        return list(dict.fromkeys([*self._unanswered.get(preview.name, ()), *latest]))

    def _heard_of(self, preview: Preview) -> _Heard:
        return self._heard.get(preview.name, _Heard())

    def _left(self, account: int, now: datetime) -> timedelta:
        found = self._in_vain.get(account)
        return max(timedelta(0), found.due - now) if found is not None else timedelta(0)


def may_wait(
    pauses: Pauses, preview: Preview, found: Sequence[Found], facts: PullRequestFacts | None, now: datetime
) -> bool:
    """Return whether a look may be put off, if this is a stranger's fork; `facts` are of the look before."""
    # What has a session, or was approved and is about to get one, is looked after at once.
    if found or preview.is_approved:
        return False
    # Our own looks (after a restart, while a configuration is broken) are no stranger's doing, and seldom.
    # One that waits for GitHub to show what its webhook told is: a comment that is deleted at once is never
    # shown, and a look every two seconds would go out to it.
    if not preview.unseen_poke and not (facts is not None and facts.lagging):
        return False
    # A member's command, a label, or the comment of somebody else: whoever has rights here must not wait for
    # the author's noise.
    if preview.asked_by_member or pauses.is_labelled(preview) or pauses.is_closed(preview):
        return False
    # Nor must the author wait for the noise of others.
    if pauses.callers(preview, now) or pauses.only_callers(preview):
        return False
    # The listing after a restart, or after the App was installed, tells of many pull requests at once. Each
    # is looked at once: else the tenth of an author would wait for an hour.
    return pauses.knows(preview.name) or not preview.poke.from_listing
