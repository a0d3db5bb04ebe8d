"""What somebody may see and do on a preview's page, as a value that rules decide on and pages go by."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api.preview_request import Asked


@dataclass(frozen=True)
class Rights:
    """What a page shows and takes.

    `state`: how the preview stands, and its times. `words`: whatever else may be read in the pull request.
    `verdict`: say what they think of it; `hand_over`: with the mention that wakes its agent. `extend`: two
    hours longer. `control`: start, stop, restart, reset. `opens`: the preview itself, where a guard is
    before it.
    """

    state: bool = False
    words: bool = False
    verdict: bool = False
    hand_over: bool = False
    extend: bool = False
    control: bool = False
    opens: bool = False

    def may_ask(self, asked: str) -> bool:
        """Return whether they may press a button that asks for this."""
        return self.extend if asked == Asked.EXTEND else self.control
