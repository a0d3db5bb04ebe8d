"""What a reporter has to say: what is to be told now, how it is announced, and how it is told.

Whatever is created is first announced in the status (the intent). After a crash in between, the next pass
looks for what was written, and creates nothing again within 30 seconds, in which GitHub may not yet show it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from previewbot.api import ConfigurationProblem, Preview, PreviewRequest, Report, RequestId, Status
from previewbot.api.ci import Runs
from previewbot.api.github import AppIdentity
from previewbot.clients.github import InstallationClient
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.repository import Notify
from previewbot.config.server import Settings
from previewbot.errors import RemoteError
from previewbot.reconciler.closed_places import ClosedPlaces
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from previewbot.text.render import Renderer, View


@dataclass(frozen=True)
class ReportContext:
    """What reporters go by and act with, in one pass.

    `before` is the status with which the pass began; `may_begin`: a text may be written where there is none.
    `notify` is whom the repository wants to be told once, None if nobody; `us` asks who our App is at GitHub.
    `view` has what a status says for the renderer, `runs` what was seen last of what runs for a commit,
    and `runs_now` what was in this very pass.
    `forget` makes the next pass read GitHub anew. `mistakes` are those that the pull request itself writes
    into the configuration file. `closed` are the places that take nothing now; `opened` has those looked at
    again that went without having been told of there. `says` are what people said who came by a proxy and
    were not quoted so far; `quotes`: the settings let them be.
    """

    client: InstallationClient
    kube: Kube
    renderer: Renderer
    settings: Settings
    view: Callable[[Status], View]
    before: Status
    may_begin: bool
    notify: Notify | None
    us: Callable[[], Awaitable[AppIdentity]]
    now: Callable[[], datetime]
    forget: Callable[[], None]
    runs: Callable[[str], Runs | None]
    runs_now: Callable[[str], Runs | None]
    mistakes: tuple[ConfigurationProblem, ...] = ()
    closed: ClosedPlaces = field(default_factory=ClosedPlaces)
    opened: Callable[[], None] = lambda: None
    says: tuple[PreviewRequest, ...] = ()
    quotes: bool = False

    @property
    def preview(self) -> Preview:
        """The Preview that is told of, with the status with which the pass began."""
        return self.view(self.before).preview


@dataclass(frozen=True)
class Due:
    """One thing to be told now. `creates`: nothing of ours stands there yet, so that it is announced first;
    `changes`: what stands there is changed, and the status says so before it is.

    `request` is the one that is answered, if one is; `text` is what is told, if it is known by now, and `key`
    where in `status.reports` it is kept, if it is. `anywhere`: it may stand in the conversation already,
    however old, although the status knows nothing of it.
    """

    creates: bool = False
    changes: bool = False
    anywhere: bool = False
    text: str = ""
    key: str = ""
    request: RequestId | None = None


@dataclass(frozen=True)
class PublishResult:
    """What came of telling: the status that says so, and what went wrong."""

    status: Status
    error: RemoteError | None = None


class PartlyWritten(Exception):
    """Something was created, and `error` kept from it what was to be said of it: `report` knows it."""

    def __init__(self, report: Report, error: RemoteError) -> None:
        self.report, self.error = report, error
        super().__init__(str(error))


class Reporter(ABC):
    """A place in which a preview is told of. Its methods know the status alone, and return the next one.

    Its `name` is that under which it may keep something in `status.reports`: see `owns`. `in_conversation`:
    what it creates stands in the conversation of the pull request, which is read before. What goes wrong in a
    place that is `optional` is no error of the pass: it holds up nothing, and costs nobody a place in a
    queue.
    """

    name: str
    in_conversation: bool = False
    optional: bool = False

    def owns(self, key: str) -> bool:
        """Return whether an entry of `status.reports` is this place's: its name, or its name and a commit."""
        return key == self.name or key.startswith(f"{self.name}/")

    def is_owed(self, status: Status) -> bool:
        """Return whether a Preview whose work is done stays, so that something can still be told here.

        It has an end, after so many tries or once a limit is over, or a Preview would stay for ever. An error
        of a place that is not optional keeps the Preview by itself.
        """
        return False

    def held_back(self, context: ReportContext, status: Status, due: Due, error: RemoteError) -> Status:
        """Return the status with it noted that something could not be told now, for this reason."""
        return status

    @abstractmethod
    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Take out of the status what nobody waits for any more; return it, and what is to be told now."""

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Return the status, and True if this pass may write it; False if it may be there already.

        `own` is what of ours the conversation holds, read after the last thing that this process did. Raises
        RemoteError if another place has to be read for that, and cannot be. Nothing is created by one that
        does not say otherwise.
        """
        return status, False

    @abstractmethod
    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Tell it."""

    async def tidy(
        self, context: ReportContext, status: Status, was: Status, own: OwnComments
    ) -> PublishResult:
        """Remove what of ours stands there twice; `was` is the status before `own` was taken over into it.

        Nothing does in a place that does not say otherwise.
        """
        return PublishResult(status)


def intent_is_open(intent_at: datetime | None, now: datetime) -> bool:
    """Return whether what was announced then may be there by now without being shown."""
    return intent_at is not None and now - intent_at < INTENT_HOLDS
