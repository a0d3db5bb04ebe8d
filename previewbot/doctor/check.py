"""One finding of the doctor: what was looked at, how it stands, and whose it is to do something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from previewbot.rules.masking import mask_secrets, visible
from previewbot.text.cutting import cut_at_the_end

_LONGEST = 1_000
"""Characters of a finding's words: a server may answer with a book."""


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing need be done for previews to work."""
    WRONG = "WRONG"
    NOT_CHECKED = "not checked"


class Whose(StrEnum):
    """Who can put it right."""

    NOBODY = ""
    PLATFORM_TEAM = "the platform team"
    APP_OWNER = "the App's owner"
    VENDOR = "mirrord's vendor"
    REPOSITORY = "the repository's people"


@dataclass(frozen=True)
class Check:
    """A finding: `name` is what was looked at, `words` what was found and, if it is wrong, what to do."""

    name: str
    state: State
    words: str
    whose: Whose = Whose.NOBODY

    @property
    def line(self) -> str:
        """The finding as one line; nothing in it looks like a secret."""
        # Words may quote a server's answer, and whatever somebody wrote into a file.
        whose = f" [{self.whose}]" if self.whose else ""
        return f"{self.state:<11}  {self.name}: {safe(self.words)}{whose}"


def safe(words: str) -> str:
    """Return words as one line without what looks like a secret, and not more of them than people read."""
    # Cut after it was masked: half a secret may be too short to look like one.
    return cut_at_the_end(mask_secrets(" ".join(visible(words[: 4 * _LONGEST]).split())), _LONGEST)


def listed(names: Sequence[str], most: int) -> str:
    """Return names one after the other, but for those beyond a number, which are counted."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def ok(name: str, words: str) -> Check:
    """Return that something is as it should be."""
    return Check(name, State.OK, words)


def note(name: str, words: str, whose: Whose = Whose.NOBODY) -> Check:
    """Return what is worth knowing."""
    return Check(name, State.NOTE, words, whose)


def wrong(name: str, words: str, whose: Whose = Whose.PLATFORM_TEAM) -> Check:
    """Return that something is wrong, and whose it is."""
    return Check(name, State.WRONG, words, whose)


def not_checked(name: str, why: str) -> Check:
    """Return that nobody looked, and why."""
    return Check(name, State.NOT_CHECKED, why)
