"""What the comment and the answer to `/preview help` say of a command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandHelp:
    """A command as it can be written, and what it does, in Markdown.

    A `<service>` in it stands for a service's name. `in_reviews`: it may also be written in a review or at a
    line, where GitHub does not tell whether an App wrote it. `when_closed`: it may also be asked of a pull
    request that is closed.
    """

    example: str
    says: str
    in_reviews: bool = False
    when_closed: bool = False

    @property
    def name(self) -> str:
        """Its name, without the word before it."""
        return self.example.split()[1]
