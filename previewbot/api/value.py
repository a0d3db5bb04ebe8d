"""What the parts of a Preview have in common: frozen dataclasses, in camel case on the API server.

They are changed with `dataclasses.replace`, in which mypy sees every misspelt field and every wrong type.
JSON is read and written by a pydantic `TypeAdapter`; fields of a newer version are ignored, so that a
rollback can read what the version after it wrote.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel


class Value:
    """A part of a Preview; each one is a frozen dataclass."""

    __pydantic_config__ = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


def timestamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC with microseconds, as Kubernetes' MicroTime does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
