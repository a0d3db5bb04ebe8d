"""How the worker of pictures stands, as it tells the doctor, and how that is written. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from previewbot.api.value import Value

_LONGEST = 300
"""Characters of what a browser said that kept it from starting."""

_WROTE = re.compile(r"\[pid=\d+\]\[err\] (.+)")
_ENDED = re.compile(r"<process did exit: (.+)>")


class BrowserState(StrEnum):
    """Whether the worker's browser starts, by its last try."""

    OK = "ok"
    CANNOT_START = "cannot start"
    UNTRIED = "not tried"
    """The worker itself has only just started."""


@dataclass(frozen=True)
class Health(Value):
    """What the worker says of itself; of what its browser runs, it may say anything.

    `size` and `most` are bytes of pictures that it keeps, and may keep; `waiting` are pictures that are still
    to be taken, `failed` so many in a row that the browser could not take. `why` is what kept the browser
    from starting, in its own words.
    """

    version: Annotated[str, Field(max_length=100)]
    browser: BrowserState
    why: Annotated[str, Field(max_length=_LONGEST)] = ""
    previews: Annotated[int, Field(ge=0)] = 0
    waiting: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0
    size: Annotated[int, Field(ge=0)] = 0
    most: Annotated[int, Field(ge=0)] = 0


_HEALTH = TypeAdapter(Health)


def health_object(health: Health) -> dict[str, Any]:
    """Return how a worker stands, as JSON."""
    dumped: dict[str, Any] = _HEALTH.dump_python(health, mode="json", by_alias=True)
    return dumped


def health_from(content: bytes) -> Health | None:
    """Return how a worker says that it stands; None if it is no such answer."""
    try:
        return _HEALTH.validate_json(content)
    except ValidationError:
        return None


def why_not(said: str) -> str:
    """Return why a browser did not start, in a line, of all that Playwright says of it.

    That is what the browser wrote last, and how it ended; without either, how Playwright's words begin.
    """
    wrote, ended = _WROTE.findall(said), _ENDED.findall(said)
    told = [*wrote[-1:], *ended[-1:]] or said.splitlines()[:1]
    return "; ".join(each.strip() for each in told)[:_LONGEST]
