"""Which agent made a pull request, as it is told and stored."""

from __future__ import annotations

from dataclasses import dataclass

from previewbot.api.value import Value

UNKNOWN_APP = "unknown_app"
"""The `kind` of an App on no list that the settings take for an agent: there is no signal."""


@dataclass(frozen=True)
class AgentSeen(Value):
    """Which agent opened the pull request, and by which signal, in words ("its account").

    `key` is what settings and `preview.yaml` call the agent, `kind` what the signal is found in (`account`,
    `branch`, …, or `UNKNOWN_APP`); both empty where an older version wrote it.
    """

    name: str
    signal: str
    key: str = ""
    kind: str = ""

    @property
    def is_in_table(self) -> bool:
        """Whether the table of agents has its name, which else is somebody's own word."""
        return bool(self.key) and not self.is_unknown_app

    @property
    def is_unknown_app(self) -> bool:
        """Whether it is an App on no list, which was recognised by nothing."""
        return self.kind == UNKNOWN_APP

    @property
    def in_words(self) -> str:
        """Who it is, and by what that is known."""
        how = self.signal if self.is_unknown_app else f"recognised by {self.signal}"
        return f"{self.name}, {how}"
