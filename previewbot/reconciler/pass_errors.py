"""What went wrong in a pass, by its stage, and which of it keeps us from going on."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.errors import Forbidden, Invalid, RemoteError
from previewbot.reconciler.apply import is_refusal


@dataclass(frozen=True)
class PassErrors:
    """What went wrong in a pass, by its stage; None where nothing did."""

    look: RemoteError | None = None
    route: RemoteError | None = None
    report: RemoteError | None = None
    actions: RemoteError | None = None

    @property
    def first(self) -> RemoteError | None:
        """The one to tell of."""
        return self.actions or self.report or self.route or self.look

    @property
    def blocking(self) -> RemoteError | None:
        """One that keeps us from going on now; a text or a route that is refused for good does not."""
        report = None if isinstance(self.report, Forbidden | Invalid) else self.report
        return self.look or self.actions or report or (None if is_refusal(self.route) else self.route)
