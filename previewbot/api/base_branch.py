"""A base branch that the settings name, and what keeps its own configuration from counting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import WithJsonSchema

from previewbot.api.value import Value


class Missing(StrEnum):
    """What keeps a base branch's own configuration from counting."""

    PROTECTION = "Protection"
    CREATION = "Creation"
    PULL_REQUESTS = "PullRequests"
    ANSWER = "Answer"

    @classmethod
    def _missing_(cls, value: object) -> Missing:
        """Read what only a newer version knows: it does not count either way."""
        return cls.ANSWER


@dataclass(frozen=True)
class BaseBranch(Value):
    """A base branch that the settings' `config_branches` name; its own configuration counts if nothing is
    `missing`."""

    name: str
    missing: tuple[Annotated[Missing, WithJsonSchema({"type": "string"})], ...] = ()

    @property
    def counts(self) -> bool:
        """Whether its own configuration counts."""
        return not self.missing
