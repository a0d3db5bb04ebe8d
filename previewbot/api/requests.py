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
class Requests(Value):
    """Which requests were carried out: all issue comments up to `floor`, and those in `handled`.

    Nothing new was written before `read_at`. `member_comment_id` is the newest command of a member that a
    delivery told of and a complete look has taken into account; `newest_order` the newest comment whose
    `start`, `restart` or `stop` was carried out.
    """

    floor: int = 0
    handled: tuple[RequestId, ...] = ()
    read_at: datetime | None = None
    member_comment_id: int = 0
    newest_order: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def comments(self) -> tuple[int, ...]:
        """The ids of the handled issue comments."""
        return tuple(each.id for each in self.handled if each.kind == RequestKind.ISSUE_COMMENT)

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
    reaction waits until that is reached, eyes until then, and is not better than one that is set already.
    `worded`: the words were given, and what comes later is left to the reaction.
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
    worded: bool = False

    @property
    def said(self) -> tuple[Said, ...]:
        """Everything that the answer says, in its order."""
        return (Said(self.words, self.values), *self.more) if self.words else ()

    def saying(self, said: Sequence[Said]) -> Reply:
        """Return the answer that says this."""
        first = said[0] if said else Said("")
        return replace(self, words=first.words, values=first.values, more=tuple(said[1:]))
