"""What a look at a pull request's conversation found, as values: what people ask for, and our own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from previewbot.api import Place, RequestId, Requests, Unseen, Verdict
from previewbot.api.github import Comment
from previewbot.rules.commands import Command, UnknownCommand
from previewbot.rules.edited import Standing
from previewbot.rules.glances import Heard


class Hand(Enum):
    """By whose hand something was written."""

    OWN = "own"
    TRUSTED_APP = "trusted app"
    OTHER_APP = "other app"
    UNTOLD = "untold"
    """It stands in a review, of which GitHub does not tell: an App may have written it."""
    PRESSED = "pressed"
    """A button, of which web or pages tells who pressed it: who has their token could say so of anybody."""
    AGENT = "agent"
    """An agent's own account, which the settings let write this command in its own pull request."""


@dataclass(frozen=True)
class Request:
    """What a person asks for in one piece of writing, wherever that was, in its order.

    `actor` is the login and `account` the id of who asks. What a bot asks, or an App in the name of a person
    that the settings do not trust, is answered by a reaction only. `standing` is what it is worth by its
    edits, of which the last was at `edited_at`; GitHub showed it as of `updated_at`. `text` is
    the hash of what it says. `place` is the check run where a button was pressed, `head_sha` the commit at
    which that stands, and `pressed_at` when it was, by GitHub's clock; `too_many`: its author asks for more
    at once than is carried out.
    """

    id: RequestId
    actor: str
    asked: tuple[Command | UnknownCommand, ...]
    is_bot: bool = False
    may_write: bool = False
    account: int = 0
    hand: Hand = Hand.OWN
    standing: Standing = Standing.AS_WRITTEN
    updated_at: datetime | None = None
    edited_at: datetime | None = None
    text: str = ""
    place: int = 0
    head_sha: str = ""
    pressed_at: datetime | None = None
    too_many: bool = False

    @property
    def made_at(self) -> datetime | None:
        """When it was pressed, or written last, by GitHub's clock."""
        return self.pressed_at or self.updated_at

    @property
    def granted(self) -> bool:
        """Whether it is to be carried out."""
        if self.hand is Hand.AGENT:
            return self.may_write
        return self.may_write and not self.is_bot and self.hand is not Hand.OTHER_APP


@dataclass(frozen=True)
class OwnReport:
    """One of our own comments as found on GitHub: its id, the hash of its text, the last request it knows."""

    id: int
    hash: str
    last_request: int = 0


@dataclass(frozen=True)
class OwnNotice:
    """A comment of ours that told people once: its id, of which Preview (by name), on which occasion."""

    id: int
    of: str
    occasion: str


@dataclass(frozen=True)
class OwnComments:
    """What we wrote in an earlier life: status comments, oldest first, and the requests that have an answer.

    `answered_edits` are those by id and edit (epoch seconds, 0 for what was written first); `refused` those
    that were answered that their author may not ask. `notices` are what people were told once, `quoted` the
    numbers of the requests of people by proxy who are quoted.
    """

    reports: tuple[OwnReport, ...] = ()
    answered: frozenset[RequestId] = frozenset()
    answered_edits: frozenset[tuple[RequestId, int]] = frozenset()
    refused: frozenset[RequestId] = frozenset()
    notices: tuple[OwnNotice, ...] = ()
    quoted: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Left:
    """What a look leaves of the new commands to the next: of each kind the oldest one's id and time, and when
    that is due.

    Of a kind of which a list was read in part only, `oldest` knows nothing.
    """

    again_at: datetime
    oldest: Mapping[str, int] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Inbox:
    """What a look at the conversation found: new requests in their order, and our own words.

    `told` has the accounts that were told that they may not ask, as far as the conversation shows it;
    `refusals_left` is how many more of those are answered this hour. `earlier` is what this process knows of
    an earlier Preview of the same pull request. `places` is what is known of each kind in reviews, as of this
    look; None if it did not read them. `waiting` are requests of which it cannot be said whether they
    were edited, without a sign so far that they were seen. `read_at` is how far GitHub has shown the
    conversation, `passed_over` the newest comment that is too old to be obeyed; `unseen` what webhooks told
    of and this look did not find, `told_comment_id` what it knows of that. `heard` are the comments that it
    read; None if it read none. `said` are those of them that are verdicts, or were; `verdicts` all that are
    known by this look, None if nothing of them was asked.
    """

    requests: tuple[Request, ...] = ()
    own: OwnComments = OwnComments()
    left: Left | None = None
    told: frozenset[int] = frozenset()
    refusals_left: int | None = None
    earlier: Requests | None = None
    places: Mapping[str, Place] | None = None
    waiting: tuple[Request, ...] = ()
    read_at: datetime | None = None
    passed_over: int = 0
    unseen: tuple[Unseen, ...] = ()
    told_comment_id: int = 0
    heard: Heard | None = None
    said: tuple[Comment, ...] = ()
    verdicts: tuple[Verdict, ...] | None = None
