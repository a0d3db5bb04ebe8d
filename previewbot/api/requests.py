"""What people ask for: which requests were carried out, and the answers that are still owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from previewbot.api.value import Value


class RequestKind(StrEnum):
    """Where a request of a person was written."""

    ISSUE_COMMENT = "IssueComment"
    """A comment in the conversation of the pull request."""
    REVIEW = "Review"
    """The body of a review."""
    REVIEW_COMMENT = "ReviewComment"
    """A comment on lines of the change."""


OF_REVIEWS = (RequestKind.REVIEW, RequestKind.REVIEW_COMMENT)
"""What is written in a review: GitHub does not say there whether an App wrote it."""


@dataclass(frozen=True)
class RequestId(Value):
    """Which request: a `RequestKind`, and GitHub's id; ids of different kinds are not comparable."""

    kind: str
    id: int


@dataclass(frozen=True)
class Refused(Value):
    """How many answers an account without write access was given here; `account` is GitHub's id of it."""

    account: int
    answers: int


@dataclass(frozen=True)
class Place(Value):
    """What is known of the requests of one kind in reviews: all up to `floor` that GitHub showed until
    `shown_at` (by its own times) were carried out.

    `told` is the id that the latest delivery told of when a look last took it into account, `told_by_member`
    the same of a member's. `pages` full pages of the list have been read, and no more than the last of them
    is read again. `left`: a look left some of it to the next.
    """

    floor: int = 0
    shown_at: datetime | None = None
    told: int = 0
    told_by_member: int = 0
    pages: int = 0
    left: bool = False


@dataclass(frozen=True)
class Unseen(Value):
    """An issue comment that a webhook told of at `told_at` and GitHub did not show so far.

    `asked_at` is when it was last asked for by its number.
    """

    id: int
    told_at: datetime
    asked_at: datetime | None = None


@dataclass(frozen=True)
class Correctable(Value):
    """A handled request that came to nothing, so that its author may still correct it.

    It was answered as it stood at `updated_at`, by its last edit at `edited_at`; both are GitHub's times.
    `text` is the hash of what it asked for.
    """

    request: RequestId
    updated_at: datetime
    edited_at: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class AgentsTurn(Value):
    """How many comments of the agent itself were obeyed in the hour that began at `since`."""

    since: datetime | None = None
    obeyed: int = 0


@dataclass(frozen=True)
class Requests(Value):
    """Which requests were carried out: all issue comments up to `floor`, and those in `handled`.

    `read_at` is the newest time that GitHub has shown in the conversation: what is newer was not seen.
    `correctable` has the handled ones that may be corrected; `unseen` what webhooks told of and no look has
    shown, `told_comment_id` the one that was taken into it last. `member_comment_id` is the newest command of
    a member that a delivery told of and a complete look has taken into account; `newest_order` the newest
    comment whose `start`, `restart` or `stop` was carried out, and `newest_order_at` the time of the newest
    of these or of such a press, by GitHub's clock. `places` has what is known of each kind of `OF_REVIEWS`,
    and `reviews_as_of` is the pull request's `updated_at` when these were last read.
    """

    floor: int = 0
    handled: tuple[RequestId, ...] = ()
    read_at: datetime | None = None
    member_comment_id: int = 0
    newest_order: int = 0
    newest_order_at: datetime | None = None
    refused: tuple[Refused, ...] = ()
    places: dict[str, Place] = field(default_factory=dict)
    reviews_as_of: datetime | None = None
    correctable: tuple[Correctable, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    told_comment_id: int = 0
    by_agent: AgentsTurn = AgentsTurn()

    @property
    def comments(self) -> tuple[int, ...]:
        """The ids of the handled issue comments."""
        return self.handled_of(RequestKind.ISSUE_COMMENT)

    def handled_of(self, kind: str) -> tuple[int, ...]:
        """Return the ids of the handled requests of one kind, as far as they are known one by one."""
        return tuple(each.id for each in self.handled if each.kind == kind)

    def floor_of(self, kind: str) -> int:
        """Return the id of this kind up to which requests count as carried out."""
        return self.floor if kind == RequestKind.ISSUE_COMMENT else self.place(kind).floor

    def place(self, kind: str) -> Place:
        """Return what is known of one kind in reviews."""
        return self.places.get(kind, Place())

    def with_place(self, kind: str, place: Place) -> Requests:
        """Return these with that known of one kind in reviews."""
        if self.place(kind) == place:
            return self
        return replace(self, places={**self.places, kind: place})

    @property
    def newest_comment(self) -> int:
        """The id of the newest issue comment that was carried out; 0 if there was none."""
        return max([self.floor, *self.comments])


class Goal(StrEnum):
    """What a command waits for before it is answered."""

    RUNNING = "Running"
    STOPPED = "Stopped"

    @classmethod
    def _missing_(cls, value: object) -> Goal:
        """Read a goal that only a newer version knows: whatever it is, a preview that runs is an answer."""
        return cls.RUNNING


@dataclass(frozen=True)
class Said(Value):
    """A part of an answer: `words` names a template under templates/replies/, `values` is what it needs."""

    words: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply(Value):
    """An answer that is still owed to a request.

    `words` names a template under templates/replies/, empty for none; `more` is what the same answer says
    after that, of further commands in the same request. `reaction` is what to give now; with a `goal` the
    reaction waits until that is reached, eyes until then, and is not better than one that is set already;
    `services` are those that the goal is about, none for the whole preview. `worded`: the words were given,
    and what comes later is left to the reaction. `edited_at` is the edit that it answers, by GitHub's time,
    of a request that was answered before. `place` is the id of the check run in which it was asked and is
    answered, at the commit `head_sha`; 0 for what was written, and where no single run was meant.
    """

    request: RequestId
    author: str
    command: str
    reaction: str = ""
    goal: Goal | None = None
    eyes_given: bool = False
    reacted: bool = False
    words: str = ""
    values: dict[str, str] = field(default_factory=dict)
    intent_at: datetime | None = None
    more: tuple[Said, ...] = ()
    services: tuple[str, ...] = ()
    worded: bool = False
    edited_at: datetime | None = None
    place: int = 0
    head_sha: str = ""

    @property
    def said(self) -> tuple[Said, ...]:
        """Everything that the answer says, in its order."""
        return (Said(self.words, self.values), *self.more) if self.words else ()

    def saying(self, said: Sequence[Said]) -> Reply:
        """Return the answer that says this."""
        first = said[0] if said else Said("")
        return replace(self, words=first.words, values=first.values, more=tuple(said[1:]))
