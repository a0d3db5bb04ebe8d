"""What a reporter has to say: what is to be told now, how it is announced, and how it is told.

Whatever is created is first announced in the status (the intent). After a crash in between, the next pass
looks for what was written, and creates nothing again within 30 seconds, in which GitHub may not yet show it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from previewbot.api import Refusal, Report, RequestId, Status
from previewbot.api.github import AppIdentity
from previewbot.clients.github import InstallationClient
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.repository import Notify
from previewbot.errors import Forbidden, Invalid, RemoteError, from_status
from previewbot.reconciler.conversation import OwnComments
from previewbot.reconciler.plan.requeue import INTENT_HOLDS, REFUSAL_HOLDS
from previewbot.rules import edits
from previewbot.text.markers import comment_hash
from previewbot.text.render import Renderer, View


@dataclass(frozen=True)
class ReportContext:
    """What reporters go by and act with, in one pass.

    `before` is the status with which the pass began; `may_begin`: a text may be written where there is none.
    `notify` is whom the repository wants to be told once, None if nobody; `us` asks who our App is at GitHub.
    `view` has what a status says for the renderer. `forget` makes the next pass read GitHub anew.
    """

    client: InstallationClient
    kube: Kube
    renderer: Renderer
    view: Callable[[Status], View]
    before: Status
    may_begin: bool
    notify: Notify | None
    us: Callable[[], Awaitable[AppIdentity]]
    now: Callable[[], datetime]
    forget: Callable[[], None]


@dataclass(frozen=True)
class Due:
    """One thing to be told now. `creates`: nothing of ours stands there yet, so that it is announced first.

    `request` is the one that is answered, if one is, and `text` what is told, if it is known by now.
    `anywhere`: it may stand in the conversation already, however old, although the status knows nothing of
    it.
    """

    creates: bool = False
    anywhere: bool = False
    text: str = ""
    request: RequestId | None = None


@dataclass(frozen=True)
class PublishResult:
    """What came of telling: the status that says so, and what went wrong."""

    status: Status
    error: RemoteError | None = None


class Reporter(ABC):
    """A place in which a preview is told of. Its methods know the status alone, and return the next one.

    Its `name` is that under which it may keep something in `status.reports`.
    """

    name: str

    @abstractmethod
    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Take out of the status what nobody waits for any more; return it, and what is to be told now."""

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Return the status, and True if this pass may create it; False if it may be there already.

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


class TextReporter(Reporter):
    """A reporter that keeps one text up to date; a kind of it says which, and how it is found and written.

    Its state is `status.reports[name]`. A text is edited only if it changed, not more often than
    `rules/edits.py` lets it (`matters` may never wait), and one that was refused is not sent again for a
    while.
    """

    def matters(self, view: View) -> str:
        """Return what of the text may not wait, in any form: a text that says otherwise of it is written at
        once."""
        return ""

    @abstractmethod
    def render(self, renderer: Renderer, view: View) -> str:
        """Return the text that should stand there."""

    async def find(self, context: ReportContext, own: OwnComments) -> Report | None:
        """Return what of ours stands there already: in the conversation, or where else this place is read.

        A place in which nothing can be found again may be written to twice after a crash. Raises RemoteError.
        """
        return None

    @abstractmethod
    async def write(self, context: ReportContext, report: Report, text: str) -> Report:
        """Create or update what stands there; return it as it is now. Raises RemoteError."""

    def due(self, context: ReportContext, status: Status) -> tuple[Status, Sequence[Due]]:
        """Return the text if it is to be written. It is rendered once."""
        view, state, now = context.view(status), self.report_of(status), context.now()
        text = self.render(context.renderer, view)
        if state.hash == comment_hash(text) or not (state.id or context.may_begin):
            return self._without_leftovers(status, state, now), ()
        later = edits.held_until(state.edits, now) if state.id else None
        if later is not None and state.told == self.matters(view):
            return self.with_report(status, replace(state, held_until=later)), ()
        # What is refused is not announced either.
        refused = _refused_lately(state, text, now) is not None
        return status, (Due(creates=not state.id and not refused, text=text),)

    async def announce(
        self, context: ReportContext, status: Status, due: Due, own: OwnComments
    ) -> tuple[Status, bool]:
        """Note the intent, unless the text is there already or another pass announced it lately."""
        state, now = self.report_of(status), context.now()
        state = state if state.id else await self.find(context, own) or state
        # The intent of a pass that died means that the text may be there, and GitHub may not show it yet.
        creates = not state.id and not intent_is_open(state.intent_at, now)
        return self.with_report(status, replace(state, intent_at=now) if creates else state), creates

    async def publish(self, context: ReportContext, status: Status, due: Due) -> PublishResult:
        """Write the text, and note what was written, or that it was refused."""
        state = self.report_of(status)
        refused = _refused_lately(state, due.text, context.now())
        if refused is not None:
            return PublishResult(status, refused)
        if not state.id and not due.creates:
            # It was refused when this was planned, and may be sent again by now; but nothing is created that
            # was not announced. The next pass does both.
            return PublishResult(status)
        before = state
        try:
            state = await self.write(context, state, due.text)
        except (Forbidden, Invalid) as error:
            refusal = Refusal(
                hash=comment_hash(due.text), at=context.now(), status=error.status, message=error.message
            )
            # Refused means not written: no reason to wait for it to show up.
            intent_at = None if due.creates else state.intent_at
            return PublishResult(
                self.with_report(status, replace(state, intent_at=intent_at, refusal=refusal)), error
            )
        except RemoteError as error:
            return PublishResult(status, error)
        # The text was not begun anew if it has the id of before: then it was edited.
        now, edited = context.now(), not due.creates
        written = replace(
            state,
            intent_at=None,
            refusal=None,
            edits=(*edits.lately(before.edits, now), now) if edited else before.edits,
            told=self.matters(context.view(status)),
            held_until=None,
        )
        return PublishResult(self.with_report(status, written))

    def report_of(self, status: Status) -> Report:
        """Return what the status knows of the text."""
        return status.reports.get(self.name, Report())

    def with_report(self, status: Status, report: Report) -> Status:
        """Return the status with this known of the text."""
        if self.report_of(status) == report:
            return status
        return replace(status, reports={**status.reports, self.name: report})

    def _without_leftovers(self, status: Status, state: Report, now: datetime) -> Status:
        """Forget what became of texts that nobody wants any more.

        An intent that stays would wake us again and again, a refusal would be told of for ever.
        """
        stale = bool(state.intent_at) and not state.id and not intent_is_open(state.intent_at, now)
        # What came and went while it was held back is not said at all.
        intent_at = None if stale else state.intent_at
        kept = replace(state, intent_at=intent_at, refusal=None, held_until=None)
        return self.with_report(status, kept)


def intent_is_open(intent_at: datetime | None, now: datetime) -> bool:
    """Return whether what was announced then may be there by now without being shown."""
    return intent_at is not None and now - intent_at < INTENT_HOLDS


def _refused_lately(state: Report, text: str, now: datetime) -> RemoteError | None:
    """Return what was said when this very text was refused some minutes ago: it would be said again."""
    refusal = state.refusal
    if refusal is None or refusal.hash != comment_hash(text) or now - refusal.at >= REFUSAL_HOLDS:
        return None
    return from_status("GitHub", refusal.status, refusal.message)
