"""Which of the commands in a conversation a look carries out, and which it leaves to the next.

Who has write access is carried out first, in the order in which it was written. What others wrote has no
effect, and is gone through from the oldest on, as fast as it can be found out who they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from previewbot.api.github import Comment
from previewbot.reconciler.conversation import Hand, Request
from previewbot.rules.commands import Command, UnknownCommand
from previewbot.rules.edited import Standing, text_hash

CARRIED_OUT_AT_A_TIME = 50
"""The most commands of people with write access in one look."""

_OUT_OF_ORDER = 200
"""So many handled comments may be known one by one; where there are as many, few more are added."""


@dataclass(frozen=True)
class Asked:
    """A comment that asks for something, what in its order, by whose hand it was written, and how edited."""

    comment: Comment
    asked: tuple[Command | UnknownCommand, ...]
    hand: Hand = Hand.OWN
    standing: Standing = Standing.AS_WRITTEN
    edited_at: datetime | None = None

    @property
    def is_bot(self) -> bool:
        """Whether a bot wrote it."""
        return self.comment.author.type == "Bot"

    @property
    def counts(self) -> bool:
        """Whether it depends on what its author may do.

        If a bot wrote it, or an App that the settings do not trust, nobody is asked.
        """
        return not self.is_bot and self.hand not in (Hand.OTHER_APP, Hand.AGENT)

    @property
    def granted(self) -> bool:
        """Whether the settings grant it, so that nobody is asked: an App has no permission as people have."""
        return self.hand is Hand.AGENT

    def may_ask(self, may_write: Mapping[int, bool]) -> bool:
        """Return whether it may be carried out, as far as it is known who may write."""
        return self.granted or (self.counts and may_write.get(self.comment.author.id, False))

    def request(self, may_write: bool) -> Request:
        """Return it as a request."""
        author = self.comment.author
        return Request(
            id=self.comment.request,
            actor=author.login,
            asked=self.asked,
            is_bot=self.is_bot,
            may_write=may_write,
            account=author.id,
            hand=self.hand,
            standing=self.standing,
            updated_at=self.comment.updated_at,
            edited_at=self.edited_at,
            text=text_hash(self.comment),
        )


def take(
    asked: Sequence[Asked], may_write: Mapping[int, bool], handled: int
) -> tuple[tuple[Request, ...], tuple[Asked, ...]]:
    """Return the requests to carry out now, in their order, and what is left, oldest first.

    `asked` is in the order of writing; `may_write` knows some of the accounts that wrote it. `handled` is how
    many handled comments the status knows one by one.
    """
    most = CARRIED_OUT_AT_A_TIME if handled < _OUT_OF_ORDER else 1
    writers, others, unknown = list[Asked](), list[Asked](), list[Asked]()
    for each in asked:
        account = each.comment.author.id
        if each.counts and account not in may_write:
            unknown.append(each)
        elif each.may_ask(may_write):
            # Whether somebody else wrote what is in it must be known first.
            (unknown if each.standing is Standing.UNKNOWN else writers).append(each)
        else:
            others.append(each)
    waiting = [*writers[most:], *unknown]
    # Only from the oldest on, up to the first that is left: the status knows these by one number, and need
    # not remember thousands of ids.
    ends = oldest_of(waiting)
    refused = [each for each in others if _is_before(each.comment, ends)]
    waiting += [each for each in others if not _is_before(each.comment, ends)]
    requests = [each.request(True) for each in writers[:most]] + [each.request(False) for each in refused]
    return tuple(requests), tuple(sorted(waiting, key=lambda each: written(each.comment)))


def written(comment: Comment) -> tuple[datetime, str, int]:
    """Return by what comments of all kinds are put into the order in which people wrote them."""
    return comment.created_at, comment.kind, comment.id


def oldest_of(asked: Iterable[Asked]) -> dict[str, int]:
    """Return the least id of each kind."""
    oldest: dict[str, int] = {}
    for each in asked:
        comment = each.comment
        oldest[comment.kind] = min(oldest.get(comment.kind, comment.id), comment.id)
    return oldest


def _is_before(comment: Comment, ends: Mapping[str, int]) -> bool:
    return comment.kind not in ends or comment.id < ends[comment.kind]
